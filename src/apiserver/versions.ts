import type { CallOptions } from '../apimachinery/call.js'
import { type Cause, refusals, StatusError } from '../apimachinery/status-error.js'
import type { StoreView } from '../store/store.js'

const LIST_OPTIONS = { group: 'meta.k8s.io', kind: 'ListOptions' }

/** A resourceVersion parameter as a number; 0 ("whatever there is") when it is absent or empty. Throws 400 for anything else. */
export function versionFrom(text: string | undefined): number {
  if (!text) return 0
  const version = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(version))
    throw refusals.badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: must be a non-negative integer`)
  return version
}

/**
 * Waits until the store has reached a version that a caller has seen elsewhere, and throws 504 when it never will. Upstream
 * gives a lagging cache three seconds to catch up; here only writes that are already accepted can be ahead.
 */
export async function reachVersion(store: StoreView, version: number): Promise<void> {
  if (version <= store.version) return
  await store.settled()
  if (version <= store.version) return
  throw tooLargeVersion(version, store.version)
}

/** The refusal of a version that has not happened yet. */
export function tooLargeVersion(requested: number, current: number): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${requested}, current: ${current}`,
    details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }], retryAfterSeconds: 1 },
  })
}

/**
 * Refuses combinations of resourceVersion, resourceVersionMatch, continue and sendInitialEvents that mean nothing.
 * @see kubernetes/apimachinery v0.35 pkg/apis/meta/internalversion/validation, ValidateListOptions
 */
export function checkVersionOptions(options: CallOptions, verb: 'list' | 'watch'): void {
  const causes = verb === 'list' ? listCauses(options) : watchCauses(options)
  if (causes.length > 0) throw refusals.invalid(LIST_OPTIONS, '', causes)
}

const forbidden = (field: string, why: string): Cause => ({ reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field })
const unsupported = (match: string, supported: readonly string[]): Cause => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${JSON.stringify(match)}: supported values: ${supported.map((value) => JSON.stringify(value)).join(', ')}`,
  field: 'resourceVersionMatch',
})

function listCauses({ resourceVersion, resourceVersionMatch: match, continue: token, sendInitialEvents }: CallOptions): Cause[] {
  const causes: Cause[] = []
  if (sendInitialEvents !== undefined) causes.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  if (!match) return causes
  if (token) causes.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
  if (!resourceVersion)
    causes.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (match !== 'Exact' && match !== 'NotOlderThan') causes.push(unsupported(match, ['Exact', 'NotOlderThan']))
  if (match === 'Exact' && resourceVersion === '0')
    causes.push(forbidden('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  return causes
}

function watchCauses({ resourceVersionMatch: match, continue: token, sendInitialEvents }: CallOptions): Cause[] {
  const causes: Cause[] = []
  if (sendInitialEvents === undefined) {
    if (match)
      causes.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
  } else if (!match) {
    causes.push(forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  } else if (match !== 'NotOlderThan') {
    causes.push(unsupported(match, ['NotOlderThan']))
  }
  if (sendInitialEvents !== undefined && token)
    causes.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'))
  return causes
}
