import type { ApiAnswer, ApiCall } from '../apimachinery/call.js'
import { causes } from '../apimachinery/causes.js'
import { isJsonObject, type JsonObject, ownValue } from '../apimachinery/json.js'
import { type Applied, applied } from '../apimachinery/managed-fields/apply.js'
import { typeErrors, typeErrorsText } from '../apimachinery/managed-fields/check.js'
import { compare } from '../apimachinery/managed-fields/compare.js'
import { conflictError, conflictsBeyond } from '../apimachinery/managed-fields/conflicts.js'
import { compareTexts } from '../apimachinery/managed-fields/entries.js'
import { fieldSetOf } from '../apimachinery/managed-fields/extract.js'
import { difference, EMPTY, type FieldSet, union } from '../apimachinery/managed-fields/field-set.js'
import type { Owners } from '../apimachinery/managed-fields/update.js'
import { ANNOTATIONS_BYTES } from '../apimachinery/names.js'
import type { KubeObject } from '../apimachinery/object.js'
import { refusals, StatusError } from '../apimachinery/status-error.js'
import { objectOf } from './body.js'
import { nameOf, type VerbDeps } from './deps.js'
import { actorOf, trackedParts } from './field-managers.js'
import type { Resource } from './resource.js'
import { scaledObject } from './scale.js'
import { change } from './update.js'

/** The manager whose applies carry objects over from client-side apply, and the annotation by which. */
const KUBECTL = 'kubectl'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * PATCH with an applied configuration: creates what is missing, else merges into the newest state, moving ownership of fields.
 * Throws 422 without a field manager, 400 for a body that is not of this type, 409 for conflicts that are not forced, and, as
 * upstream does, 500 for a body that its schema does not fit.
 * @see kubernetes/apiserver v0.35 pkg/endpoints/handlers/patch.go, applyPatcher
 */
export async function apply(deps: VerbDeps, resource: Resource, call: ApiCall): Promise<ApiAnswer> {
  const config = configFrom(deps, resource, call)
  let owners: Owners = new Map()
  const settle = (current: KubeObject | undefined): JsonObject => {
    const outcome = settled(deps, resource, call, config, current)
    owners = outcome.owners
    return outcome.object
  }
  return change(deps, resource, call, {
    draftFor: (current) => objectOf(resource, call, settle(current), { named: true }),
    mayCreate: !call.subresource,
    objectToCreate() {
      refuseUid(resource, nameOf(call), config)
      return settle(undefined)
    },
    owners: () => owners,
    versionRequired: false,
    strictRefusal: refusals.badRequest,
  })
}

function configFrom({ fieldManagers }: VerbDeps, resource: Resource, call: ApiCall): JsonObject {
  if (!call.options?.fieldManager)
    throw refusals.invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      causes.required('fieldManager', 'is required for apply patch'),
    ])
  const body = call.patch?.body
  if (!isJsonObject(body))
    throw refusals.badRequest('error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}')
  const wanted = call.subresource === 'scale' ? 'autoscaling/v1, Kind=Scale' : typeText(resource.apiVersion, resource.kind.kind)
  const found = typeText(body['apiVersion'], body['kind'])
  if (found !== wanted) throw refusals.badRequest(`invalid object type: ${found}`)
  if (call.options.fieldValidation === 'Strict' && call.decodingProblems && call.decodingProblems.length > 0)
    throw refusals.badRequest(`error strict decoding patch: ${call.decodingProblems.join(', ')}`)
  const config = call.subresource === 'scale' ? scaleConfig(resource, call, body) : body

  const { metadata } = config
  const managedFields = isJsonObject(metadata) ? metadata['managedFields'] : undefined
  if (Array.isArray(managedFields) && managedFields.length > 0) throw refusals.badRequest('metadata.managedFields must be nil')
  const problems = typeErrors(fieldManagers.schemaOf(resource), config)
  if (problems.length === 0) return withoutManagedFields(config)
  const { name = '', namespace = '' } = (isJsonObject(metadata) ? metadata : {}) as { name?: string; namespace?: string }
  throw new StatusError({
    code: 500,
    reason: '',
    message: `failed to create typed patch object (${namespace}/${name}; ${found}): ${typeErrorsText(problems)}`,
  })
}

/** `apps/v1, Kind=Deployment`; the core group is the empty one. */
function typeText(apiVersion: unknown, kind: unknown): string {
  const version = typeof apiVersion === 'string' ? apiVersion : ''
  return `${version.includes('/') ? version : `/${version}`}, Kind=${typeof kind === 'string' ? kind : ''}`
}

/** An applied Scale as a configuration of the object it scales. */
function scaleConfig(resource: Resource, call: ApiCall, body: JsonObject): JsonObject {
  const bare: KubeObject = {
    apiVersion: resource.apiVersion,
    kind: resource.kind.kind,
    metadata: { name: nameOf(call), ...(call.namespace && { namespace: call.namespace }) },
  }
  return { ...scaledObject(resource, bare, body) }
}

/** The object and its owners after the apply. Throws 409 when it conflicts with other managers. */
function settled(deps: VerbDeps, resource: Resource, call: ApiCall, config: JsonObject, current: KubeObject | undefined): Applied {
  const { fieldManagers } = deps
  const subresource = call.subresource ?? ''
  const actor = actorOf(resource, call, 'Apply')
  const live = current ? withoutManagedFields({ ...current }) : {}
  const schema = fieldManagers.schemaOf(resource)
  const outcome = applied({
    schema,
    live,
    config,
    owners: current ? fieldManagers.ownersOf(resource, subresource, current) : new Map(),
    actor,
    time: fieldManagers.time(),
    tracked: (object) => trackedParts(resource, subresource, object),
  })
  if (outcome.conflicts.length > 0 && !call.options?.force) {
    const mayTake = actor.manager === KUBECTL ? lastAppliedFields(deps, resource, live) : EMPTY
    const left = conflictsBeyond(outcome.conflicts, mayTake)
    if (left.length > 0) throw conflictError(left)
  }
  return actor.manager === KUBECTL ? { ...outcome, object: withLastApplied(outcome.object, config) } : outcome
}

/**
 * Fields that a client-side apply wrote and that still are as it wrote them: kubectl may take them over without force.
 * @see kubernetes/apimachinery v0.35 pkg/util/managedfields/internal/lastappliedmanager.go
 */
function lastAppliedFields({ fieldManagers }: VerbDeps, resource: Resource, live: JsonObject): FieldSet {
  const text = annotationOf(live, LAST_APPLIED)
  if (!text) return EMPTY
  let last: unknown
  try {
    last = JSON.parse(text)
  } catch {
    // Whoever wrote it, kubectl did not.
    return EMPTY
  }
  const schema = fieldManagers.schemaOf(resource)
  if (!isJsonObject(last) || last['apiVersion'] !== resource.apiVersion || typeErrors(schema, last).length > 0) return EMPTY
  const { added, modified, removed } = compare(schema, last, live)
  return difference(fieldSetOf(schema, last), union(union(added, modified), removed))
}

/**
 * Brings the annotation of client-side apply up to date where there is one, so that going back to it loses nothing.
 * @see kubernetes/apimachinery v0.35 pkg/util/managedfields/internal/lastappliedupdater.go
 */
function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  if (!annotationOf(object, LAST_APPLIED)) return object
  const { metadata } = config
  const bare: JsonObject = { ...config }
  if (isJsonObject(metadata) && isJsonObject(metadata['annotations'])) {
    const { [LAST_APPLIED]: _, ...others } = metadata['annotations']
    const { annotations: _annotations, ...rest } = metadata
    bare['metadata'] = Object.keys(others).length > 0 ? { ...rest, annotations: others } : rest
  }
  const kept = object['metadata'] as JsonObject
  const annotations: JsonObject = { ...(kept['annotations'] as JsonObject), [LAST_APPLIED]: `${goJson(bare)}\n` }
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(String(value)),
    0,
  )
  if (bytes > ANNOTATIONS_BYTES) delete annotations[LAST_APPLIED]
  return { ...object, metadata: { ...kept, annotations } }
}

/** JSON as Go writes maps: keys in order, and nothing that means something in HTML. */
function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`
  if (isJsonObject(value)) {
    const keys = Object.keys(value).sort(compareTexts)
    return `{${keys.map((key) => `${goJson(key)}:${goJson(value[key])}`).join(',')}}`
  }
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function annotationOf(object: JsonObject, name: string): string | undefined {
  const { metadata } = object
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined
  const value = isJsonObject(annotations) ? ownValue(annotations, name) : undefined
  return typeof value === 'string' ? value : undefined
}

function withoutManagedFields(object: JsonObject): JsonObject {
  const { metadata } = object
  if (!isJsonObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return object
  const { managedFields: _, ...rest } = metadata
  return { ...object, metadata: rest }
}

/** A uid says that the object is known: it is not made anew under the same name. */
function refuseUid({ name: resourceName }: Resource, name: string, { metadata }: JsonObject): void {
  const uid = isJsonObject(metadata) ? metadata['uid'] : undefined
  if (uid)
    throw refusals.conflict(
      resourceName,
      name,
      `uid mismatch: the provided object specified uid ${String(uid)}, and no existing object was found`,
    )
}
