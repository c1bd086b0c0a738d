import { expect, test } from 'vitest'
import type { Condition } from '../../../src/apimachinery/conditions.js'
import { timestamp } from '../../../src/apimachinery/object.js'
import { autoscalerConfigFrom } from '../../../src/autoscaler/config.js'
import { settingsFrom } from '../../../src/autoscaler/settings.js'
import { gateBeforeZero, type Zero } from '../../../src/kinds/podautoscaler/scale-to-zero.js'
import type { ServerlessService } from '../../../src/kinds/serverlessservice/schema.js'

const NOW = 1_767_225_600_000

interface Given {
  active: Condition['status']
  /** How long it has been so, in seconds. */
  sinceSeconds: number
  /** How long the activator has been in the path; undefined: it is not. */
  proxySeconds?: number
  mode?: 'Proxy' | 'Serve'
  isObserved?: boolean
  isReachable?: boolean
  config?: Record<string, string>
  annotations?: Record<string, string>
}

function gate(given: Given): Zero {
  const { active, sinceSeconds, proxySeconds, mode = 'Proxy', isObserved = true, isReachable = true, annotations = {} } = given
  const config = autoscalerConfigFrom(given.config ?? {})
  const at = (seconds: number): string => timestamp(NOW - seconds * 1000)
  const proxied = { type: 'ActivatorEndpointsPopulated', status: proxySeconds === undefined ? ('False' as const) : ('True' as const) }
  return gateBeforeZero({
    config,
    settings: settingsFrom(config, { annotations, containerConcurrency: 0, isReachable, initialScale: 1 }),
    active: { type: 'Active', status: active, lastTransitionTime: at(sinceSeconds) },
    sks: {
      metadata: { name: 'hello-00001', generation: 2 },
      spec: { mode },
      status: { observedGeneration: isObserved ? 2 : 1, conditions: [{ ...proxied, lastTransitionTime: at(proxySeconds ?? 0) }] },
    } as unknown as ServerlessService,
    progressDeadlineMs: 600_000,
    nowMs: NOW,
  })
}

const retention = { 'autoscaling.knative.dev/scale-to-zero-pod-retention-period': '45s' }
const always = { 'autoscaling.knative.dev/target-burst-capacity': '-1' }
const stays = (want: number, requeueAfterMs?: number): Zero => ({ want, isApplied: false, ...(requeueAfterMs && { requeueAfterMs }) })
const goes: Zero = { want: 0, isApplied: true }

test.each<[string, Given, Zero]>([
  [
    'where scale to zero is switched off one Pod stays',
    { active: 'False', sinceSeconds: 999, proxySeconds: 999, config: { 'enable-scale-to-zero': 'false' } },
    { want: 1, isApplied: true },
  ],
  ['a target that comes up is left alone', { active: 'Unknown', sinceSeconds: 10 }, stays(-1, 620_000)],
  ['a target that never came up is given up', { active: 'Unknown', sinceSeconds: 630 }, goes],
  [
    'one that has not been active for a stable window keeps one Pod for the rest of it',
    { active: 'True', sinceSeconds: 20 },
    { want: 1, isApplied: true, requeueAfterMs: 40_000 },
  ],
  ['after that it is inactive, and looked at again soon', { active: 'True', sinceSeconds: 60, proxySeconds: 90 }, stays(0, 3000)],
  ['or as soon as the ServerlessService has changed', { active: 'True', sinceSeconds: 60, mode: 'Serve' }, stays(0)],
  ['an inactive one waits until the activator is in the path', { active: 'False', sinceSeconds: 40 }, stays(0)],
  ['and until the ServerlessService has caught up', { active: 'False', sinceSeconds: 40, proxySeconds: 40, isObserved: false }, stays(0)],
  ['unless it always is there', { active: 'False', sinceSeconds: 40, annotations: always }, goes],
  ['it goes when the activator has been there for the grace period', { active: 'False', sinceSeconds: 3, proxySeconds: 30 }, goes],
  ['but not at once', { active: 'False', sinceSeconds: 0, proxySeconds: 90 }, stays(0, 3000)],
  ['it waits for the rest of the grace period', { active: 'False', sinceSeconds: 10, proxySeconds: 10 }, stays(0, 20_000)],
  ['it goes after the grace period whatever the path was', { active: 'False', sinceSeconds: 30, proxySeconds: 1 }, goes],
  [
    'retention goes before a long time in the path',
    { active: 'False', sinceSeconds: 40, proxySeconds: 90, annotations: retention },
    stays(0, 5000),
  ],
  ['and ends', { active: 'False', sinceSeconds: 45, proxySeconds: 90, annotations: retention }, goes],
  [
    'but nothing is retained that traffic cannot reach',
    { active: 'False', sinceSeconds: 3, proxySeconds: 90, annotations: retention, isReachable: false },
    goes,
  ],
  [
    'a longer grace period holds',
    { active: 'False', sinceSeconds: 40, proxySeconds: 40, config: { 'scale-to-zero-grace-period': '50s' } },
    stays(0, 10_000),
  ],
])('%s', (_, given, expected) => {
  expect(gate(given)).toEqual(expected)
})
