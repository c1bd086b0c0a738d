import { goDurationMs } from '../../base/duration.js'
import { goInteger, usageError } from '../arguments.js'
import type { ServiceFlagValues } from './service-flags.js'

const PREFIX = 'autoscaling.knative.dev/'

/** Annotations of the autoscaler, which stand on the revision. */
export const SCALE_ANNOTATIONS = {
  min: `${PREFIX}min-scale`,
  max: `${PREFIX}max-scale`,
  window: `${PREFIX}window`,
  target: `${PREFIX}target`,
  utilization: `${PREFIX}target-utilization-percentage`,
} as const

export function isScaleAnnotation(key: string): boolean {
  return key.startsWith(PREFIX)
}

/**
 * The autoscaler's annotations that the scale flags ask for. Throws a usage error for values that Serving would refuse.
 * @see knative/serving v1.23 pkg/apis/autoscaling/annotation_validation.go
 */
export function scaleAnnotations(flags: ServiceFlagValues): Map<string, string> {
  const annotations = new Map<string, string>()
  const set = (name: string, value: string | number | undefined): void => {
    if (value !== undefined) annotations.set(`${PREFIX}${name}`, String(value))
  }
  if (flags.scale !== undefined) {
    for (const half of ['min', 'max'] as const) {
      if (flags[`scale-${half}`] !== undefined) throw usageError(`only --scale or --scale-${half} can be specified`)
    }
    const { min, max } = rangeFrom(flags.scale)
    set('min-scale', min)
    set('max-scale', max)
  }
  set('min-scale', flags['scale-min'])
  set('max-scale', flags['scale-max'])
  set('target', flags['scale-target'] ?? flags['concurrency-target'])
  set('metric', flags['scale-metric'])
  set('activation-scale', flags['scale-activation'])
  set('target-utilization-percentage', flags['scale-utilization'] ?? flags['concurrency-utilization'])
  set('window', windowFrom(flags['scale-window'] ?? flags['autoscale-window']))
  set('initial-scale', flags['scale-init'])
  check(annotations)
  return annotations
}

/** `N`, `MIN..MAX`, `MIN..` or `..MAX`. */
function rangeFrom(text: string): { min?: number; max?: number } {
  const parts = text.split('..')
  if (parts.length > 2 || text === '' || text === '..') throw usageError('Scale must be of the format x..y or x')
  if (parts.length === 1) {
    if (!/^[+-]?\d+$/.test(text)) throw usageError('Scale must be of the format x..y or x')
    return { min: Number(text), max: Number(text) }
  }
  const [min, max] = parts.map((part) => (part === '' ? undefined : boundFrom(part)))
  return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) }
}

function boundFrom(text: string): number {
  try {
    return goInteger(text)
  } catch (error) {
    throw usageError((error as Error).message.replace('ParseInt', 'Atoi'))
  }
}

function windowFrom(text: string | undefined): string | undefined {
  if (text !== undefined && goDurationMs(text) === undefined)
    throw usageError(`invalid duration for 'scale-window': time: invalid duration ${JSON.stringify(text)}`)
  return text
}

const LARGEST = 2 ** 31 - 1

function check(annotations: ReadonlyMap<string, string>): void {
  const number = (name: string): number | undefined => {
    const text = annotations.get(`${PREFIX}${name}`)
    return text === undefined ? undefined : Number(text)
  }
  const within = (name: string, least: number, most: number): void => {
    const value = number(name)
    if (value !== undefined && (value < least || value > most))
      throw usageError(`expected ${least} <= ${value} <= ${most}: ${PREFIX}${name}`)
  }
  within('min-scale', 0, LARGEST)
  within('max-scale', 0, LARGEST)
  within('initial-scale', 0, LARGEST)
  within('activation-scale', 1, LARGEST)
  within('target-utilization-percentage', 1, 100)
  const [min, max] = [number('min-scale') ?? 0, number('max-scale') ?? 0]
  if (max !== 0 && max < min) throw usageError(`max-scale=${max} is less than min-scale=${min}: ${PREFIX}max-scale, ${PREFIX}min-scale`)
  const target = number('target')
  if (target !== undefined && target < 0.01) throw usageError(`target ${target} should be at least 0.01: ${PREFIX}target`)
  const window = annotations.get(SCALE_ANNOTATIONS.window)
  const windowMs = window === undefined ? undefined : goDurationMs(window)!
  if (windowMs !== undefined && (windowMs < 6000 || windowMs > 3_600_000))
    throw usageError(`expected 6s <= ${window} <= 1h0m0s: ${SCALE_ANNOTATIONS.window}`)
}
