import type { Condition } from '../../../../src/apimachinery/conditions.js'
import type { Revision } from '../../../../src/kinds/revision/schema.js'
import type { TrafficTarget } from '../../../../src/kinds/route/schema.js'
import type { Service } from '../../../../src/kinds/service/schema.js'

/** The service `svc`; what it asks for is what it has, unless `status` says otherwise. */
export function aServiceWith(traffic: TrafficTarget[], { status, latest = 'svc-3' }: { status?: TrafficTarget[]; latest?: string } = {}) {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'svc', namespace: 'default' },
    spec: { template: { spec: { containers: [] } }, traffic },
    status: {
      url: 'http://svc.test',
      latestReadyRevisionName: latest,
      traffic: status ?? traffic.map((target) => ({ ...target, revisionName: target.revisionName ?? latest })),
    },
  } satisfies Service as Service
}

/** Revision `svc-<generation>`. */
export function aRevision(generation: number, ready: Condition['status'] = 'True'): Revision {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      name: `svc-${generation}`,
      namespace: 'default',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { 'serving.knative.dev/configurationGeneration': String(generation) },
    },
    spec: { containers: [] },
    status: { conditions: [{ type: 'Ready', status: ready, ...(ready === 'True' ? {} : { reason: 'Broken' }) }] },
  }
}

export const latest = (percent: number, tag?: string): TrafficTarget => ({ latestRevision: true, percent, ...(tag && { tag }) })
export const pinned = (generation: number, percent: number, tag?: string): TrafficTarget => ({
  revisionName: `svc-${generation}`,
  latestRevision: false,
  percent,
  ...(tag && { tag }),
})
