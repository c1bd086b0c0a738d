import { goDurationMs } from '../base/duration.js'
import type { AutoscalerConfig } from './config.js'
import type { Averaging } from './window.js'

/** What of a Revision decides how it is scaled. */
export interface ScaleSubject {
  annotations: Readonly<Record<string, string>>
  /** 0: no limit. */
  containerConcurrency: number
  /** Traffic can reach it, or nobody knows yet. */
  isReachable: boolean
  /** How many Pods it starts with, bounds and the cluster's permission for 0 considered. */
  initialScale: number
}

/** How one Revision is scaled: config-autoscaler with its own annotations over it. */
export interface ScaleSettings {
  metric: 'concurrency' | 'rps'
  averaging: Averaging
  /** What one Pod can take: requests at a time, or per second. */
  totalValue: number
  /** What one Pod should get: `totalValue` times the utilisation. */
  targetValue: number
  /** -1: without limit, the activator always stays in the path. */
  targetBurstCapacity: number
  activatorCapacity: number
  stableWindowMs: number
  panicWindowMs: number
  /** Panic begins when so many times the ready Pods are needed. */
  panicThreshold: number
  maxScaleUpRate: number
  maxScaleDownRate: number
  /** The least number of Pods once there is any load; below 2: none. */
  activationScale: number
  scaleDownDelayMs: number
  /** How long the last Pod stays once there is no traffic; 0 for a Revision that traffic cannot reach. */
  scaleToZeroPodRetentionMs: number
  initialScale: number
  isReachable: boolean
}

/** The least target, per Pod. @see knative/serving v1.23 pkg/apis/autoscaling/register.go, TargetMin */
const LEAST_TARGET = 0.01
/** For requests per second there is no key in config-autoscaler. @see pkg/autoscaler/config, defaultTargetUtilization */
const RPS_UTILIZATION = 0.7
const BUCKET_MS = 1000

/**
 * Annotations that do not read as what they should be count as absent: the webhook has refused what a user could write.
 *
 * @see knative/serving v1.23 pkg/reconciler/autoscaling/resources/target.go, kpa/resources/decider.go, resources/metric.go
 */
export function settingsFrom(config: AutoscalerConfig, subject: ScaleSubject): ScaleSettings {
  const { annotations, containerConcurrency, isReachable, initialScale } = subject
  const number = (name: string): number | undefined => finite(annotationOf(annotations, name))
  const durationMs = (name: string): number | undefined => {
    const text = annotationOf(annotations, name)
    return text === undefined ? undefined : goDurationMs(text)
  }

  const metric = annotationOf(annotations, 'metric') === 'rps' ? 'rps' : 'concurrency'
  const totalValue = totalOf(config, metric, containerConcurrency, number('target'))
  const utilizationPercent = number('target-utilization-percentage')
  const defaultUtilization = metric === 'rps' ? RPS_UTILIZATION : config.containerConcurrencyTargetFraction
  const utilization = utilizationPercent === undefined ? defaultUtilization : utilizationPercent / 100
  const stableWindowMs = durationMs('window') ?? config.stableWindowMs
  const panicWindowPercent = number('panic-window-percentage') ?? config.panicWindowPercent
  const algorithm = annotationOf(annotations, 'metric-aggregation-algorithm')

  return {
    metric,
    averaging: algorithm === 'weighted-exponential' || algorithm === 'weightedExponential' ? 'weighted-exponential' : 'linear',
    totalValue,
    targetValue: Math.max(LEAST_TARGET, totalValue * utilization),
    targetBurstCapacity: number('target-burst-capacity') ?? config.targetBurstCapacity,
    activatorCapacity: config.activatorCapacity,
    stableWindowMs,
    panicWindowMs: Math.max(BUCKET_MS, Math.round((stableWindowMs * panicWindowPercent) / 100 / BUCKET_MS) * BUCKET_MS),
    panicThreshold: (number('panic-threshold-percentage') ?? config.panicThresholdPercent) / 100,
    maxScaleUpRate: config.maxScaleUpRate,
    maxScaleDownRate: config.maxScaleDownRate,
    activationScale: number('activation-scale') ?? 1,
    scaleDownDelayMs: durationMs('scale-down-delay') ?? config.scaleDownDelayMs,
    scaleToZeroPodRetentionMs: isReachable ? (durationMs('scale-to-zero-pod-retention-period') ?? config.scaleToZeroPodRetentionMs) : 0,
    initialScale,
    isReachable,
  }
}

function totalOf(
  config: AutoscalerConfig,
  metric: ScaleSettings['metric'],
  containerConcurrency: number,
  target: number | undefined,
): number {
  if (metric === 'rps') return target ?? config.requestsPerSecondTargetDefault
  if (containerConcurrency === 0) return target ?? config.containerConcurrencyTargetDefault
  // Aiming at more than a Pod takes at a time would keep requests waiting.
  return Math.min(target ?? containerConcurrency, containerConcurrency)
}

/** The annotation in kebab case, else in the older camel case. */
function annotationOf(annotations: ScaleSubject['annotations'], name: string): string | undefined {
  const camel = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  return annotations[`autoscaling.knative.dev/${name}`] ?? annotations[`autoscaling.knative.dev/${camel}`]
}

function finite(text: string | undefined): number | undefined {
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}
