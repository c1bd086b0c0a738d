import { expect, test } from 'vitest'
import { fieldErrorText } from '../../../src/apimachinery/field-error.js'
import { validateScaleAnnotations } from '../../../src/kinds/podautoscaler/annotations.js'
import { autoscalerConfig } from '../../../src/kinds/serving-config.js'

/** What is said of annotations autoscaling.knative.dev/…, 'fine' when nothing is. */
const scaled = (annotations: Record<string, string>, config: Record<string, string> = {}): string => {
  const full = Object.fromEntries(Object.entries(annotations).map(([name, value]) => [key(name), value]))
  const error = validateScaleAnnotations(
    full,
    autoscalerConfig(() => config),
  )
  return error ? fieldErrorText(error) : 'fine'
}
const key = (name: string) => `autoscaling.knative.dev/${name}`

test.each<[Record<string, string>, string, Record<string, string>?]>([
  [{ class: 'other.knative.dev' }, `invalid value: other.knative.dev: ${key('class')}`],
  [{ class: 'mine.example.com', metric: 'anything' }, 'fine'],
  [{ metric: 'cpu' }, `invalid value: cpu: ${key('metric')}`],
  [{ class: 'hpa.autoscaling.knative.dev', metric: 'cpu' }, 'fine'],
  [{ 'min-scale': '-1' }, `expected 0 <= -1 <= 2147483647: ${key('min-scale')}`],
  [{ minScale: 'two' }, `invalid value: two: ${key('minScale')}`],
  [{ minScale: '3', maxScale: '2' }, `max-scale=2 is less than min-scale=3: ${key('max-scale')}, ${key('min-scale')}`],
  [{ 'max-scale': '0' }, `max-scale=0 (unlimited), must be less than 5: ${key('max-scale')}`, { 'max-scale-limit': '5' }],
  [{ 'max-scale': '6' }, `expected 1 <= 6 <= 5: ${key('max-scale')}`, { 'max-scale-limit': '5' }],
  [{ 'initial-scale': '-1' }, `invalid value: -1: ${key('initial-scale')} must be greater than 0`],
  [{ 'initial-scale': '0' }, `invalid value: 0: ${key('initial-scale')}=0 not allowed by cluster`],
  [{ 'initial-scale': '0' }, 'fine', { 'allow-zero-initial-scale': 'true' }],
  [{ 'activation-scale': '1' }, `activation-scale=1 must be greater than 1: ${key('activation-scale')}`],
  [{ 'activation-scale': '2', 'min-scale': '3' }, `min-scale=3 is greater than activation-scale=2: ${key('activation-scale')}`],
  [{ 'activation-scale': '3', 'max-scale': '2' }, `max-scale=2 is less than activation-scale=3: ${key('activation-scale')}`],
  [{ target: '0.001' }, `target 0.001 should be at least 0.01: ${key('target')}`],
  [{ 'target-utilization-percentage': '0.5' }, `expected 1 <= 0.5 <= 100: ${key('target-utilization-percentage')}`],
  [{ 'target-burst-capacity': '-2' }, `invalid value: -2: ${key('target-burst-capacity')}`],
  [{ 'target-burst-capacity': '-1' }, 'fine'],
  [{ window: '5s' }, `expected 6s <= 5s <= 1h0m0s: ${key('window')}`],
  [{ window: '6500ms' }, `must be specified with at most second precision: ${key('window')}`],
  [{ 'scale-down-delay': '2h' }, `expected 0s <= 2h <= 1h0m0s: ${key('scale-down-delay')}`],
  [{ scaleToZeroPodRetentionPeriod: 'x' }, `invalid value: x: ${key('scaleToZeroPodRetentionPeriod')}`],
  [{ 'panic-window-percentage': '101' }, `expected 1 <= 101 <= 100: ${key('panic-window-percentage')}`],
  [{ 'panic-threshold-percentage': '109' }, `expected 110 <= 109 <= 1000: ${key('panic-threshold-percentage')}`],
  [
    { class: 'kpa.autoscaling.knative.dev', 'metric-aggregation-algorithm': 'guess' },
    `invalid value: guess: ${key('metric-aggregation-algorithm')}`,
  ],
])('autoscaling annotations %j', (annotations, text, config) => {
  expect(scaled(annotations, config)).toBe(text)
})
