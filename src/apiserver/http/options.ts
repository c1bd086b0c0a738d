import type { CallOptions, Verb } from '../../apimachinery/call.js'
import { causes } from '../../apimachinery/causes.js'
import { isJsonObject, type JsonObject } from '../../apimachinery/json.js'
import { refusals } from '../../apimachinery/status-error.js'

const FIELD_VALIDATIONS = ['Ignore', 'Strict', 'Warn'] as const
const PROPAGATION_POLICIES = ['Foreground', 'Background', 'Orphan'] as const

/** What the options of each verb are called in refusals. */
const OPTIONS_KIND: Readonly<Record<Verb, string>> = {
  get: 'GetOptions',
  list: 'ListOptions',
  watch: 'ListOptions',
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
  deletecollection: 'DeleteOptions',
}

/** Reads query parameters; ones that mean nothing to the API are ignored. Throws 400 or 422 for values that make no sense. */
export function optionsFrom(query: URLSearchParams, verb: Verb): CallOptions {
  const text = (name: string): string | undefined => query.get(name) || undefined
  const options: { -readonly [K in keyof CallOptions]: CallOptions[K] | undefined } = {
    labelSelector: text('labelSelector'),
    fieldSelector: text('fieldSelector'),
    resourceVersion: text('resourceVersion'),
    resourceVersionMatch: text('resourceVersionMatch'),
    continue: text('continue'),
    fieldManager: text('fieldManager'),
    limit: wholeNumber(query, 'limit'),
    timeoutSeconds: wholeNumber(query, 'timeoutSeconds'),
    gracePeriodSeconds: wholeNumber(query, 'gracePeriodSeconds'),
    allowWatchBookmarks: flag(query, 'allowWatchBookmarks'),
    sendInitialEvents: flag(query, 'sendInitialEvents'),
    force: flag(query, 'force'),
    dryRun: dryRun(query.getAll('dryRun'), verb),
    fieldValidation: oneOf(text('fieldValidation'), FIELD_VALIDATIONS, 'fieldValidation', verb),
    propagationPolicy: policyFrom(text('propagationPolicy'), flag(query, 'orphanDependents'), verb),
  }
  return present(options)
}

/** Adds what a DELETE's body says to its query; the body counts where both speak. */
export function withDeleteOptions(options: CallOptions, body: unknown): CallOptions {
  if (body === undefined || body === null) return options
  if (!isJsonObject(body)) throw refusals.badRequest('the object provided is unrecognized (must be of type DeleteOptions)')
  const { kind, gracePeriodSeconds, preconditions, propagationPolicy, orphanDependents, dryRun: dry } = body
  // Nobody means to delete by sending something else.
  if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions')
    throw refusals.badRequest('decoded object cannot be converted to DeleteOptions')
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null && !Number.isInteger(gracePeriodSeconds))
    throw refusals.badRequest('DeleteOptions: gracePeriodSeconds must be an integer')
  const fromBody = {
    gracePeriodSeconds: (gracePeriodSeconds ?? undefined) as number | undefined,
    preconditions: preconditionsFrom(preconditions),
    propagationPolicy: policyFrom(
      typeof propagationPolicy === 'string' ? propagationPolicy : undefined,
      typeof orphanDependents === 'boolean' ? orphanDependents : undefined,
      'delete',
    ),
    dryRun: Array.isArray(dry) ? dryRun(dry.map(String), 'delete') : undefined,
  }
  return { ...options, ...present(fromBody) }
}

function preconditionsFrom(value: unknown): CallOptions['preconditions'] {
  if (!isJsonObject(value)) return undefined
  const { uid, resourceVersion } = value
  return {
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  }
}

function policyFrom(policy: string | undefined, orphanDependents: boolean | undefined, verb: Verb): CallOptions['propagationPolicy'] {
  if (policy !== undefined && orphanDependents !== undefined) {
    const both = causes.invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set')
    throw refusals.invalid({ group: 'meta.k8s.io', kind: OPTIONS_KIND[verb] }, '', [both])
  }
  if (orphanDependents !== undefined) return orphanDependents ? 'Orphan' : 'Background'
  return oneOf(policy, PROPAGATION_POLICIES, 'propagationPolicy', verb)
}

function oneOf<T extends string>(value: string | undefined, allowed: readonly T[], field: string, verb: Verb): T | undefined {
  if (value === undefined || allowed.includes(value as T)) return value as T | undefined
  throw refusals.invalid({ group: 'meta.k8s.io', kind: OPTIONS_KIND[verb] }, '', [causes.notSupported(field, value, allowed)])
}

function dryRun(values: readonly string[], verb: Verb): boolean | undefined {
  if (values.length === 0) return undefined
  if (values.some((value) => value !== 'All'))
    throw refusals.invalid({ group: 'meta.k8s.io', kind: OPTIONS_KIND[verb] }, '', [causes.notSupported('dryRun', values, ['All'])])
  return true
}

/** As Go's query conversion reads booleans: anything but false and 0 is true, a bare name included. */
export function flag(query: URLSearchParams, name: string): boolean | undefined {
  const value = query.get(name)
  return value === null ? undefined : value.toLowerCase() !== 'false' && value !== '0'
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name)
  if (!value) return undefined
  if (!/^-?\d{1,15}$/.test(value))
    throw refusals.badRequest(`unable to parse query parameter ${name}: ${JSON.stringify(value)} is not a whole number`)
  return Number(value)
}

function present<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options as JsonObject).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
