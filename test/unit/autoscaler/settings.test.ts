import { expect, test } from 'vitest'
import { autoscalerConfigFrom, createConfigReader } from '../../../src/autoscaler/config.js'
import { type ScaleSubject, settingsFrom } from '../../../src/autoscaler/settings.js'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createLogger } from '../../../src/base/logger.js'

const settings = (annotations: Record<string, string> = {}, subject: Partial<ScaleSubject> = {}, config: Record<string, string> = {}) =>
  settingsFrom(autoscalerConfigFrom(config), {
    annotations: Object.fromEntries(Object.entries(annotations).map(([name, value]) => [`autoscaling.knative.dev/${name}`, value])),
    containerConcurrency: 0,
    isReachable: true,
    initialScale: 1,
    ...subject,
  })

test('without a word from anyone there are Knative’s defaults', () => {
  expect(settings()).toEqual({
    metric: 'concurrency',
    averaging: 'linear',
    totalValue: 100,
    targetValue: 70,
    targetBurstCapacity: 211,
    activatorCapacity: 100,
    stableWindowMs: 60_000,
    panicWindowMs: 6000,
    panicThreshold: 2,
    maxScaleUpRate: 1000,
    maxScaleDownRate: 2,
    activationScale: 1,
    scaleDownDelayMs: 0,
    scaleToZeroPodRetentionMs: 0,
    initialScale: 1,
    isReachable: true,
  })
  expect(autoscalerConfigFrom({})).toMatchObject({
    enableScaleToZero: true,
    scaleToZeroGracePeriodMs: 30_000,
    allowZeroInitialScale: false,
  })
})

test.each<[Record<string, string>, Partial<ScaleSubject>, Record<string, string>, [total: number, target: number]]>([
  [{ metric: 'rps' }, {}, {}, [200, 140]],
  [{ metric: 'rps', target: '50' }, { containerConcurrency: 3 }, {}, [50, 35]],
  [{}, { containerConcurrency: 10 }, {}, [10, 7]],
  [{ target: '50' }, { containerConcurrency: 10 }, {}, [10, 7]],
  [{ target: '5' }, { containerConcurrency: 10 }, {}, [5, 3.5]],
  [{ target: '50', 'target-utilization-percentage': '80' }, {}, {}, [50, 40]],
  [{ target: '0.01', targetUtilizationPercentage: '50' }, {}, {}, [0.01, 0.01]],
  [{}, {}, { 'container-concurrency-target-percentage': '0.5', 'container-concurrency-target-default': '10' }, [10, 5]],
  [{ metric: 'rps' }, {}, { 'container-concurrency-target-percentage': '50', 'requests-per-second-target-default': '10' }, [10, 7]],
])('the target of %j with %j and %j', (annotations, subject, config, [total, target]) => {
  const { totalValue, targetValue } = settings(annotations, subject, config)
  expect([totalValue, targetValue]).toEqual([total, target])
})

test('annotations go before the configuration, and the kebab spelling before the camel one', () => {
  expect(
    settings(
      {
        window: '40s',
        'panic-window-percentage': '1',
        panicThresholdPercentage: '150',
        'target-burst-capacity': '-1',
        targetBurstCapacity: '5',
        activationScale: '3',
        'scale-down-delay': '15m',
        'scale-to-zero-pod-retention-period': '1m30s',
        metricAggregationAlgorithm: 'weightedExponential',
      },
      {},
      { 'scale-down-delay': '1s', 'scale-to-zero-pod-retention-period': '1s', 'target-burst-capacity': '7' },
    ),
  ).toMatchObject({
    averaging: 'weighted-exponential',
    stableWindowMs: 40_000,
    panicWindowMs: 1000,
    panicThreshold: 1.5,
    targetBurstCapacity: -1,
    activationScale: 3,
    scaleDownDelayMs: 900_000,
    scaleToZeroPodRetentionMs: 90_000,
  })
})

test('the last Pod of a Revision that traffic cannot reach is not retained', () => {
  expect(settings({ 'scale-to-zero-pod-retention-period': '1m' }, { isReachable: false }).scaleToZeroPodRetentionMs).toBe(0)
})

test.each<[string, string]>([
  ['container-concurrency-target-percentage', '101'],
  ['container-concurrency-target-percentage', '0'],
  ['container-concurrency-target-default', '0.01'],
  ['requests-per-second-target-default', '0.001'],
  ['target-burst-capacity', '-2'],
  ['stable-window', '5s'],
  ['stable-window', '2h'],
  ['stable-window', '6500ms'],
  ['stable-window', 'long'],
  ['panic-window-percentage', '0.5'],
  ['max-scale-up-rate', '1'],
  ['max-scale-down-rate', '1'],
  ['max-scale-down-rate', 'fast'],
  ['scale-to-zero-grace-period', '0'],
  ['scale-to-zero-pod-retention-period', '-1s'],
  ['scale-down-delay', '100ms'],
  ['activator-capacity', '0.9'],
  ['initial-scale', '0'],
  ['initial-scale', '1.5'],
  ['min-scale', '-1'],
  ['max-scale-limit', '3'],
])('%s may not be %s', (key, value) => {
  expect(() => autoscalerConfigFrom({ [key]: value })).toThrow(key === 'max-scale-limit' ? 'max-scale' : key)
})

test('an initial scale of 0 is fine where the cluster allows it, and a word that is no boolean is false', () => {
  expect(autoscalerConfigFrom({ 'initial-scale': '0', 'allow-zero-initial-scale': 'true' }).initialScale).toBe(0)
  expect(autoscalerConfigFrom({ 'enable-scale-to-zero': 'yes' }).enableScaleToZero).toBe(false)
})

test('a bad value leaves the configuration before in force, and is logged once', () => {
  const lines: string[] = []
  const log = createLogger({ clock: createVirtualClock(), write: (line) => lines.push(line) })
  let data: Record<string, string> | undefined
  const config = createConfigReader({ read: () => data, log })
  expect(config().stableWindowMs).toBe(60_000)
  data = { 'stable-window': '10s' }
  expect(config().stableWindowMs).toBe(10_000)
  data = { 'stable-window': '1s', 'max-scale': '3' }
  expect([config(), config(), config()].map(({ stableWindowMs, maxScale }) => [stableWindowMs, maxScale])).toEqual(
    Array(3).fill([10_000, 0]),
  )
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('stable-window is out of its bounds')
  data = { 'stable-window': '20s' }
  expect(config().stableWindowMs).toBe(20_000)
})
