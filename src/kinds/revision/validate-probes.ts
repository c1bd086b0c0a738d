import { also, type FieldError, fieldError, findings } from '../../apimachinery/field-error.js'
import type { Probe } from '../core/pod/schema.js'
import { onlyFields, PROBE_FIELDS } from './validate-fields.js'

/**
 * Probes of a Revision's containers, as Serving's webhook judges them.
 * @see knative/serving v1.23 pkg/apis/serving/k8s_validation.go
 */

const MAX_INT32 = 2_147_483_647

export interface ServingPort {
  /** `http` when the container's port has no name. */
  name: string
  containerPort: number
}

export function validateProbe(probe: Probe | undefined, port: ServingPort): FieldError | undefined {
  if (!probe) return undefined
  const named = (field: 'httpGet' | 'tcpSocket'): FieldError | undefined => {
    const given = probe[field]?.port
    return typeof given === 'string' && given !== '' && given !== port.name
      ? findings.invalidValue(given, `${field}.port`, 'Probe port must match container port')
      : undefined
  }
  return also(onlyFields(probe, PROBE_FIELDS), named('httpGet'), named('tcpSocket'), validateHandlers(probe))
}

function validateHandlers(probe: Probe): FieldError | undefined {
  const handlers = [
    ...(probe.httpGet ? ['httpGet'] : []),
    ...(probe.tcpSocket ? ['tcpSocket'] : []),
    ...(probe.exec ? ['exec'] : []),
    ...(probe.grpc ? ['gRPC'] : []),
  ]
  if (handlers.length === 0) return findings.missingOneOf('httpGet', 'tcpSocket', 'exec', 'grpc')
  return handlers.length > 1 ? findings.multipleOneOf(...handlers) : undefined
}

export function validateReadinessProbe(probe: Probe | undefined, port: ServingPort): FieldError | undefined {
  if (!probe) return undefined
  return also(validateProbe(probe, port), validateTiming(probe))
}

/** periodSeconds 0 is Knative's own fast probing, which leaves no room for the other two numbers. */
function validateTiming(probe: Probe): FieldError | undefined {
  const { periodSeconds = 0, initialDelaySeconds = 0, successThreshold = 0, failureThreshold = 0, timeoutSeconds = 0 } = probe
  const atLeast = (value: number, least: number, field: string): FieldError | undefined =>
    value < least ? findings.outOfBounds(value, least, MAX_INT32, field) : undefined
  const zeroOnly = (value: number, field: string): FieldError | undefined =>
    value !== 0 ? fieldError(`${field} is disallowed when periodSeconds is zero`, field) : undefined
  return also(
    atLeast(periodSeconds, 0, 'periodSeconds'),
    atLeast(initialDelaySeconds, 0, 'initialDelaySeconds'),
    atLeast(successThreshold, 1, 'successThreshold'),
    ...(periodSeconds === 0
      ? [zeroOnly(failureThreshold, 'failureThreshold'), zeroOnly(timeoutSeconds, 'timeoutSeconds')]
      : [atLeast(timeoutSeconds, 1, 'timeoutSeconds'), atLeast(failureThreshold, 1, 'failureThreshold')]),
  )
}

/** A sidecar has no serving port to fall back on: without the flag nothing may be set, with it the port must be. */
export function validateSidecarProbe(probe: Probe | undefined, mayProbe: boolean, isReadiness: boolean): FieldError | undefined {
  if (!probe) return undefined
  if (!mayProbe) return onlyFields(probe, [])
  const withoutPort = (field: 'httpGet' | 'tcpSocket' | 'grpc'): FieldError | undefined =>
    probe[field] && !probe[field].port
      ? findings.invalidValue(probe[field].port ?? 0, `${field}.port`, 'Probe port must be specified')
      : undefined
  return also(
    onlyFields(probe, PROBE_FIELDS),
    withoutPort('httpGet'),
    withoutPort('tcpSocket'),
    withoutPort('grpc'),
    validateHandlers(probe),
    isReadiness ? validateTiming(probe) : undefined,
  )
}
