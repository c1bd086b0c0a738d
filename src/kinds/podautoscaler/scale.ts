import type { ObjectMeta } from '../../apimachinery/object.js'
import { type AutoscalerConfig, KPA_CLASS } from '../serving-config.js'
import { annotationOf } from '../serving-labels.js'
import { SCALE_KEYS } from './annotations.js'
import type { PodAutoscaler } from './schema.js'

/**
 * Numbers of replicas that annotations and config-autoscaler ask for.
 * @see knative/serving v1.23 pkg/apis/autoscaling/v1alpha1/pa_lifecycle.go
 */

/** Not known: nothing is scaled, and a number that was known stays. */
export const UNKNOWN_SCALE = -1

const whole = (meta: Partial<ObjectMeta>, keys: readonly string[]): number | undefined => {
  const text = annotationOf(meta.annotations, keys)?.value
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** How many replicas a Revision starts with. 0 only where the cluster allows it. */
export function initialScale(meta: Partial<ObjectMeta>, config: AutoscalerConfig): number {
  const asked = whole(meta, SCALE_KEYS.initialScale)
  return asked === undefined || (asked === 0 && !config.allowZeroInitialScale) ? config.initialScale : asked
}

/** Floor and ceiling (0: none). A Revision that traffic cannot reach has no floor. */
export function scaleBounds(pa: PodAutoscaler, config: AutoscalerConfig): { min: number; max: number } {
  const min = pa.spec.reachability === 'Unreachable' ? 0 : (whole(pa.metadata, SCALE_KEYS.minScale) ?? config.minScale)
  return { min, max: whole(pa.metadata, SCALE_KEYS.maxScale) ?? config.maxScale }
}

/** `wanted` between the bounds; while a reachable Revision has not come up yet, its initial scale is a floor too. */
export function boundedScale(pa: PodAutoscaler, config: AutoscalerConfig, wanted: number, isInitialized: boolean): number {
  const { min, max } = scaleBounds(pa, config)
  const initial = initialScale(pa.metadata, config)
  const floor = !isInitialized && pa.spec.reachability !== 'Unreachable' && initial > 1 ? Math.max(min, initial) : min
  const atLeast = Math.max(wanted, floor)
  return max > 0 ? Math.min(atLeast, max) : atLeast
}

/** How many ready Pods make the Revision active. */
export function activeThreshold(pa: PodAutoscaler, config: AutoscalerConfig, isInitialized: boolean): number {
  const { min } = scaleBounds(pa, config)
  return Math.max(min, isInitialized ? 1 : initialScale(pa.metadata, config))
}

/** Who scales: ours is the KPA; other classes are left to whoever serves them. */
export function classOf({ metadata }: PodAutoscaler): string {
  return annotationOf(metadata.annotations, SCALE_KEYS.class)?.value ?? KPA_CLASS
}
