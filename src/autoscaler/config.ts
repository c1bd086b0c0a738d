import { goDurationMs } from '../base/duration.js'
import type { Logger } from '../base/logger.js'

/** config-autoscaler, complete: what is not set is Knative's default. */
export interface AutoscalerConfig {
  /** pod-autoscaler-class */
  class: string
  /** Of the target, 0 to 1. */
  containerConcurrencyTargetFraction: number
  containerConcurrencyTargetDefault: number
  requestsPerSecondTargetDefault: number
  /** -1: without limit. */
  targetBurstCapacity: number
  activatorCapacity: number
  stableWindowMs: number
  /** Of the stable window. */
  panicWindowPercent: number
  panicThresholdPercent: number
  maxScaleUpRate: number
  maxScaleDownRate: number
  enableScaleToZero: boolean
  scaleToZeroGracePeriodMs: number
  scaleToZeroPodRetentionMs: number
  scaleDownDelayMs: number
  initialScale: number
  allowZeroInitialScale: boolean
  minScale: number
  /** 0: no ceiling. */
  maxScale: number
  /** 0: max-scale may be anything. */
  maxScaleLimit: number
}

export type ConfigData = Readonly<Record<string, string>>

const KPA_CLASS = 'kpa.autoscaling.knative.dev'
const LEAST_TARGET = 0.01
const SHORTEST_WINDOW_MS = 6_000
const LONGEST_WINDOW_MS = 3_600_000

/** Go's strconv.ParseBool; a word it does not know is false, as knative.dev/pkg's configmap.AsBool has it. */
const TRUE_WORDS: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])

/**
 * Reads config-autoscaler. Throws an Error that names the key when a value does not parse or is out of its bounds: the
 * configuration as a whole is bad then.
 *
 * @see knative/serving v1.23 pkg/autoscaler/config/config.go
 */
export function autoscalerConfigFrom(data: ConfigData): AutoscalerConfig {
  const number = (key: string, fallback: number): number => {
    const text = data[key]?.trim()
    if (text === undefined) return fallback
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw new Error(`${key} is no number: ${text}`)
    return Number(text)
  }
  const whole = (key: string, fallback: number): number => {
    const text = data[key]?.trim()
    if (text === undefined) return fallback
    if (!/^[+-]?\d+$/.test(text)) throw new Error(`${key} is no whole number: ${text}`)
    return Number(text)
  }
  const durationMs = (key: string, fallbackMs: number): number => {
    const text = data[key]
    if (text === undefined) return fallbackMs
    const ms = goDurationMs(text)
    if (ms === undefined) throw new Error(`${key} is no duration: ${text}`)
    return ms
  }
  const boolean = (key: string, fallback: boolean): boolean => (data[key] === undefined ? fallback : TRUE_WORDS.has(data[key].trim()))

  const targetPercent = number('container-concurrency-target-percentage', 70)
  return validated({
    class: data['pod-autoscaler-class'] ?? KPA_CLASS,
    // Up to 1 it is a fraction already.
    containerConcurrencyTargetFraction: targetPercent > 1 ? targetPercent / 100 : targetPercent,
    containerConcurrencyTargetDefault: number('container-concurrency-target-default', 100),
    requestsPerSecondTargetDefault: number('requests-per-second-target-default', 200),
    targetBurstCapacity: number('target-burst-capacity', 211),
    activatorCapacity: number('activator-capacity', 100),
    stableWindowMs: durationMs('stable-window', 60_000),
    panicWindowPercent: number('panic-window-percentage', 10),
    panicThresholdPercent: number('panic-threshold-percentage', 200),
    maxScaleUpRate: number('max-scale-up-rate', 1000),
    maxScaleDownRate: number('max-scale-down-rate', 2),
    enableScaleToZero: boolean('enable-scale-to-zero', true),
    scaleToZeroGracePeriodMs: durationMs('scale-to-zero-grace-period', 30_000),
    scaleToZeroPodRetentionMs: durationMs('scale-to-zero-pod-retention-period', 0),
    scaleDownDelayMs: durationMs('scale-down-delay', 0),
    initialScale: whole('initial-scale', 1),
    allowZeroInitialScale: boolean('allow-zero-initial-scale', false),
    minScale: whole('min-scale', 0),
    maxScale: whole('max-scale', 0),
    maxScaleLimit: whole('max-scale-limit', 0),
  })
}

function validated(config: AutoscalerConfig): AutoscalerConfig {
  const demand = (key: string, isFine: boolean): void => {
    if (!isFine) throw new Error(`${key} is out of its bounds`)
  }
  const fraction = config.containerConcurrencyTargetFraction
  demand('container-concurrency-target-percentage', fraction > 0 && fraction <= 1)
  demand('container-concurrency-target-default', fraction * config.containerConcurrencyTargetDefault >= LEAST_TARGET)
  demand('requests-per-second-target-default', config.requestsPerSecondTargetDefault >= LEAST_TARGET)
  demand('target-burst-capacity', config.targetBurstCapacity >= 0 || config.targetBurstCapacity === -1)
  demand('activator-capacity', config.activatorCapacity >= 1)
  const { stableWindowMs } = config
  demand('stable-window', stableWindowMs >= SHORTEST_WINDOW_MS && stableWindowMs <= LONGEST_WINDOW_MS && stableWindowMs % 1000 === 0)
  demand('panic-window-percentage', config.panicWindowPercent >= 1 && config.panicWindowPercent <= 100)
  demand('max-scale-up-rate', config.maxScaleUpRate > 1)
  demand('max-scale-down-rate', config.maxScaleDownRate > 1)
  demand('scale-to-zero-grace-period', config.scaleToZeroGracePeriodMs > 0)
  demand('scale-to-zero-pod-retention-period', config.scaleToZeroPodRetentionMs >= 0)
  demand('scale-down-delay', config.scaleDownDelayMs >= 0 && config.scaleDownDelayMs % 1000 === 0)
  demand('initial-scale', config.initialScale >= (config.allowZeroInitialScale ? 0 : 1))
  const { minScale, maxScale, maxScaleLimit } = config
  demand('min-scale', minScale >= 0)
  demand('max-scale-limit', maxScaleLimit >= 0)
  demand('max-scale', maxScale >= 0 && (maxScale === 0 || maxScale >= minScale))
  demand('max-scale', maxScaleLimit === 0 || (maxScale >= 1 && maxScale <= maxScaleLimit))
  return config
}

/**
 * config-autoscaler as it is now, on each call; `read` gives the ConfigMap's data, the same object as long as it did not
 * change. A bad value leaves the configuration before in force (at first: the defaults) and is logged once.
 */
export function createConfigReader(options: { read: () => ConfigData | undefined; log: Logger }): () => AutoscalerConfig {
  const { read, log } = options
  let seen: ConfigData | undefined
  let config = autoscalerConfigFrom({})
  return () => {
    const data = read() ?? NOTHING
    if (data === seen) return config
    seen = data
    try {
      config = autoscalerConfigFrom(data)
    } catch (error) {
      log.warn('config-autoscaler is bad, and what it said before stays in force', { problem: (error as Error).message })
    }
    return config
  }
}

const NOTHING: ConfigData = {}
