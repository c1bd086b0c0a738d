import { also, type FieldError, fieldError, findings } from '../../apimachinery/field-error.js'
import { goDurationMs } from '../../base/duration.js'
import { type AutoscalerConfig, HPA_CLASS, KPA_CLASS } from '../serving-config.js'
import { annotationOf } from '../serving-labels.js'

/**
 * The annotations autoscaling.knative.dev/* of a Revision's template, as the webhook judges them.
 * @see knative/serving v1.23 pkg/apis/autoscaling/{register,annotation_validation}.go
 */

const keysOf = (kebab: string): readonly [string, string] => [
  `autoscaling.knative.dev/${kebab}`,
  `autoscaling.knative.dev/${kebab.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())}`,
]

/** Every key with its older spelling; the first wins when both are there. */
export const SCALE_KEYS = {
  class: ['autoscaling.knative.dev/class'],
  metric: ['autoscaling.knative.dev/metric'],
  target: ['autoscaling.knative.dev/target'],
  window: ['autoscaling.knative.dev/window'],
  minScale: keysOf('min-scale'),
  maxScale: keysOf('max-scale'),
  initialScale: keysOf('initial-scale'),
  activationScale: keysOf('activation-scale'),
  targetUtilizationPercentage: keysOf('target-utilization-percentage'),
  targetBurstCapacity: keysOf('target-burst-capacity'),
  scaleDownDelay: keysOf('scale-down-delay'),
  scaleToZeroPodRetentionPeriod: keysOf('scale-to-zero-pod-retention-period'),
  panicWindowPercentage: keysOf('panic-window-percentage'),
  panicThresholdPercentage: keysOf('panic-threshold-percentage'),
  metricAggregationAlgorithm: keysOf('metric-aggregation-algorithm'),
} as const

type Annotations = Readonly<Record<string, string>> | undefined

const MAX_INT32 = 2_147_483_647
const WINDOW_MIN_MS = 6_000
const WINDOW_MAX_MS = 3_600_000

/** Paths are relative to `annotations`. */
export function validateScaleAnnotations(annotations: Annotations, config: AutoscalerConfig): FieldError | undefined {
  if (!Object.keys(annotations ?? {}).some((key) => key.startsWith('autoscaling.knative.dev/'))) return undefined
  return also(
    validateClass(annotations),
    validateBounds(annotations, config),
    validateNumbers(annotations),
    validateWindow(annotations),
    validateDelay(annotations, SCALE_KEYS.scaleToZeroPodRetentionPeriod, false),
    validateDelay(annotations, SCALE_KEYS.scaleDownDelay, true),
    validateMetric(annotations),
    validateAlgorithm(annotations),
    validateInitialScale(annotations, config),
  )
}

function validateClass(annotations: Annotations): FieldError | undefined {
  const given = annotationOf(annotations, SCALE_KEYS.class)
  // Classes outside of Knative's domain are somebody else's to judge.
  const isUnknown = given?.value.endsWith('.knative.dev') && given.value !== KPA_CLASS && given.value !== HPA_CLASS
  return isUnknown ? findings.invalidValue(given!.value, given!.key) : undefined
}

function wholeNumber(annotations: Annotations, keys: readonly string[]): { value: number; error?: FieldError } {
  const given = annotationOf(annotations, keys)
  if (!given) return { value: 0 }
  if (!/^[+-]?\d+$/.test(given.value)) return { value: 0, error: findings.invalidValue(given.value, given.key) }
  const value = Number(given.value)
  return value < 0 || value > MAX_INT32 ? { value: 0, error: findings.outOfBounds(given.value, 0, MAX_INT32, given.key) } : { value }
}

function validateBounds(annotations: Annotations, { maxScaleLimit }: AutoscalerConfig): FieldError | undefined {
  const min = wholeNumber(annotations, SCALE_KEYS.minScale)
  const max = wholeNumber(annotations, SCALE_KEYS.maxScale)
  const isBelow = max.value !== 0 && max.value < min.value
  const givenMax = annotationOf(annotations, SCALE_KEYS.maxScale)
  return also(
    min.error,
    max.error,
    // Always the kebab keys here, whatever spelling was used.
    isBelow
      ? fieldError(`max-scale=${max.value} is less than min-scale=${min.value}`, [SCALE_KEYS.maxScale[0], SCALE_KEYS.minScale[0]])
      : undefined,
    givenMax && maxScaleLimit > 0 ? validateLimit(givenMax.key, max.value, maxScaleLimit) : undefined,
    validateActivationScale(annotations, min.value, max.value),
  )
}

function validateLimit(key: string, max: number, limit: number): FieldError | undefined {
  if (max > limit) return findings.outOfBounds(max, 1, limit, key)
  return max === 0 ? fieldError(`max-scale=0 (unlimited), must be less than ${limit}`, key) : undefined
}

function validateActivationScale(annotations: Annotations, min: number, max: number): FieldError | undefined {
  const given = annotationOf(annotations, SCALE_KEYS.activationScale)
  if (!given) return undefined
  if (!/^[+-]?\d+$/.test(given.value)) return findings.invalidValue(given.value, given.key)
  const scale = Number(given.value)
  if (min > scale) return fieldError(`min-scale=${min} is greater than activation-scale=${scale}`, given.key)
  if (max !== 0 && max < scale) return fieldError(`max-scale=${max} is less than activation-scale=${scale}`, given.key)
  return scale < 2 ? fieldError(`activation-scale=${scale} must be greater than 1`, given.key) : undefined
}

function validateNumbers(annotations: Annotations): FieldError | undefined {
  const within = (keys: readonly string[], lower: number, upper: number): FieldError | undefined => {
    const given = annotationOf(annotations, keys)
    if (!given) return undefined
    const value = decimal(given.value)
    if (value === undefined) return findings.invalidValue(given.value, given.key)
    return value < lower || value > upper ? findings.outOfBounds(given.value, lower, upper, given.key) : undefined
  }
  return also(
    within(SCALE_KEYS.panicWindowPercentage, 1, 100),
    within(SCALE_KEYS.panicThresholdPercentage, 110, 1000),
    validateTarget(annotations),
    within(SCALE_KEYS.targetUtilizationPercentage, 1, 100),
    validateBurstCapacity(annotations),
  )
}

function validateTarget(annotations: Annotations): FieldError | undefined {
  const given = annotationOf(annotations, SCALE_KEYS.target)
  if (!given) return undefined
  const value = decimal(given.value)
  if (value === undefined) return findings.invalidValue(given.value, given.key)
  return value < 0.01 ? fieldError(`target ${given.value} should be at least 0.01`, given.key) : undefined
}

function validateBurstCapacity(annotations: Annotations): FieldError | undefined {
  const given = annotationOf(annotations, SCALE_KEYS.targetBurstCapacity)
  if (!given) return undefined
  const value = decimal(given.value)
  return value === undefined || (value < 0 && value !== -1) ? findings.invalidValue(given.value, given.key) : undefined
}

function validateWindow(annotations: Annotations): FieldError | undefined {
  const given = annotationOf(annotations, SCALE_KEYS.window)
  if (!given) return undefined
  const ms = goDurationMs(given.value)
  if (ms === undefined) return findings.invalidValue(given.value, given.key)
  if (ms < WINDOW_MIN_MS || ms > WINDOW_MAX_MS) return findings.outOfBounds(given.value, '6s', '1h0m0s', given.key)
  return ms % 1000 !== 0 ? fieldError('must be specified with at most second precision', given.key) : undefined
}

function validateDelay(annotations: Annotations, keys: readonly string[], wholeSeconds: boolean): FieldError | undefined {
  const given = annotationOf(annotations, keys)
  if (!given) return undefined
  const ms = goDurationMs(given.value)
  if (ms === undefined) return findings.invalidValue(given.value, given.key)
  if (ms < 0 || ms > WINDOW_MAX_MS) return findings.outOfBounds(given.value, '0s', '1h0m0s', given.key)
  return wholeSeconds && ms % 1000 !== 0 ? fieldError('must be specified with at most second precision', given.key) : undefined
}

function validateMetric(annotations: Annotations): FieldError | undefined {
  const given = annotationOf(annotations, SCALE_KEYS.metric)
  if (!given) return undefined
  const scaler = annotationOf(annotations, SCALE_KEYS.class)?.value ?? KPA_CLASS
  const isKnown =
    scaler === KPA_CLASS ? given.value === 'concurrency' || given.value === 'rps' : scaler === HPA_CLASS ? given.value !== '' : true
  return isKnown ? undefined : findings.invalidValue(given.value, given.key)
}

function validateAlgorithm(annotations: Annotations): FieldError | undefined {
  if (annotationOf(annotations, SCALE_KEYS.class)?.value !== KPA_CLASS) return undefined
  const given = annotationOf(annotations, SCALE_KEYS.metricAggregationAlgorithm)
  if (!given?.value) return undefined
  return ['linear', 'weighted-exponential', 'weightedExponential'].includes(given.value)
    ? undefined
    : findings.invalidValue(given.value, given.key)
}

function validateInitialScale(annotations: Annotations, config: AutoscalerConfig): FieldError | undefined {
  const given = annotationOf(annotations, SCALE_KEYS.initialScale)
  if (!given) return undefined
  if (!/^[+-]?\d+$/.test(given.value)) return findings.invalidValue(given.value, given.key)
  // The sentences below really are part of the path there.
  if (Number(given.value) < 0) return findings.invalidValue(given.value, `${given.key} must be greater than 0`)
  return Number(given.value) === 0 && !config.allowZeroInitialScale
    ? findings.invalidValue(given.value, `${given.key}=0 not allowed by cluster`)
    : undefined
}

const decimal = (text: string): number | undefined => (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined)
