import type { ApiCall } from '../apimachinery/call.js'
import { canonicalTimes } from '../apimachinery/canonical-times.js'
import { isJsonObject } from '../apimachinery/json.js'
import type { ObjectMeta, OwnerReference, Unstructured } from '../apimachinery/object.js'
import { refusals } from '../apimachinery/status-error.js'
import { copyJson } from './json.js'
import type { Resource } from './resource.js'

/**
 * The object that a caller sent, as a private copy that may be changed: apiVersion and kind filled in from the resource,
 * name and namespace from the call. Throws 400 where body and call contradict each other.
 * `named` is false for create, where the body alone gives the name.
 */
export function objectOf(resource: Resource, call: ApiCall, body: unknown, { named }: { named: boolean }): Unstructured {
  const { kind, apiVersion } = resource
  if (!isJsonObject(body)) throw refusals.badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): not an object`)
  const { apiVersion: sentVersion, kind: sentKind, metadata: sentMetadata, ...rest } = copyJson(body, resource.served.builtIn)
  if (sentVersion && sentVersion !== apiVersion)
    throw refusals.badRequest(
      `the API version in the data (${String(sentVersion)}) does not match the expected API version (${apiVersion})`,
    )
  if (sentKind && sentKind !== kind.kind)
    throw refusals.badRequest(
      `${String(sentKind)} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: the kind in the data does not match`,
    )

  const metadata = metadataOf(resource, sentMetadata)
  if (kind.namespaced) {
    if (metadata.namespace && call.namespace && metadata.namespace !== call.namespace)
      throw refusals.badRequest('the namespace of the provided object does not match the namespace sent on the request')
    if (call.namespace) metadata.namespace = call.namespace
  } else {
    delete metadata.namespace
  }
  if (named) {
    if (metadata.name && metadata.name !== call.name)
      throw refusals.badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${call.name})`)
    metadata.name = call.name!
  }
  if (resource.served.builtIn) canonicalTimes(resource.served.schema, rest)
  return { apiVersion, kind: kind.kind, metadata, ...rest }
}

const TEXTS = ['name', 'generateName', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'] as const

/** Metadata as Go's ObjectMeta holds it: members of the wrong type are refused, null and empty ones are the same as absent. */
function metadataOf(resource: Resource, sent: unknown): ObjectMeta {
  const wrong = (path: string, found: unknown, wanted: string) =>
    refusals.badRequest(
      `${resource.kind.kind} in version ${JSON.stringify(resource.kind.version)} cannot be handled as a ${resource.kind.kind}: ` +
        `json: cannot unmarshal ${jsonType(found)} into Go struct field ${path} of type ${wanted}`,
    )
  if (sent === undefined || sent === null) return { name: '' }
  if (!isJsonObject(sent)) throw wrong('.metadata', sent, 'v1.ObjectMeta')
  const metadata: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(sent)) {
    // selfLink is gone from the API.
    if (value === null || key === 'selfLink') continue
    metadata[key] = value
  }
  for (const key of TEXTS) {
    const value = metadata[key]
    if (value !== undefined && typeof value !== 'string') throw wrong(`ObjectMeta.metadata.${key}`, value, 'string')
    if (value === '') delete metadata[key]
  }
  for (const key of ['labels', 'annotations']) {
    const map = metadata[key]
    if (map === undefined) continue
    if (!isJsonObject(map)) throw wrong(`ObjectMeta.metadata.${key}`, map, 'map[string]string')
    for (const [member, value] of Object.entries(map)) {
      if (value === null) map[member] = ''
      else if (typeof value !== 'string') throw wrong(`ObjectMeta.metadata.${key}`, value, 'string')
    }
    if (Object.keys(map).length === 0) delete metadata[key]
  }
  for (const [key, isItem] of [
    ['finalizers', (item: unknown) => typeof item === 'string'],
    ['ownerReferences', isJsonObject],
  ] as const) {
    const list = metadata[key]
    if (list === undefined) continue
    if (!Array.isArray(list)) throw wrong(`ObjectMeta.metadata.${key}`, list, key === 'finalizers' ? '[]string' : '[]v1.OwnerReference')
    const odd = list.find((item) => !isItem(item))
    if (odd !== undefined) throw wrong(`ObjectMeta.metadata.${key}`, odd, key === 'finalizers' ? 'string' : 'v1.OwnerReference')
    if (list.length === 0) delete metadata[key]
  }
  return { name: '', ...metadata }
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** Drops repeated owner references, telling the caller, as the API server has done since 1.20. */
export function dedupeOwners(metadata: ObjectMeta, warn: (text: string) => void): void {
  const references = metadata.ownerReferences
  if (!references || references.length < 2) return
  const kept = new Map<string, OwnerReference>()
  const repeated = new Set<string>()
  for (const reference of references) {
    if (kept.has(reference.uid)) repeated.add(reference.uid)
    else kept.set(reference.uid, reference)
  }
  if (repeated.size === 0) return
  metadata.ownerReferences = [...kept.values()]
  warn(
    '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests ' +
      `as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...repeated].join(', ')}`,
  )
}
