import type { ApiCall } from '../apimachinery/call.js'
import type { Owners } from '../apimachinery/managed-fields/update.js'
import { timestamp, type Unstructured } from '../apimachinery/object.js'
import { refusals, StatusError } from '../apimachinery/status-error.js'
import { nameSuffix, uuid } from '../base/random.js'
import { type Admission, admit, conclude, strictBodyRefusal } from './admission.js'
import { dedupeOwners, objectOf } from './body.js'
import { writeObject } from './crd/write.js'
import { type AnswerVerb, carriedOut, decided, keyOf, type VerbDeps, warningsFor } from './deps.js'
import { requireNamespace } from './namespaces.js'
import type { Resource } from './resource.js'

/** What the server adds to a generateName, and how much of the prefix it keeps (apiserver pkg/storage/names). */
const SUFFIX_LENGTH = 5
const LONGEST_PREFIX = 63 - SUFFIX_LENGTH
/** Names tried before a generateName is given up (apiserver pkg/registry/generic/registry, maxNameGenerationCreateAttempts). */
const NAME_ATTEMPTS = 8

/** POST on a collection. */
export const create: AnswerVerb = async (deps, resource, call) => {
  const dryRun = call.options?.dryRun === true
  const { object, warnings } = await decided(deps, resource, '', async (deciding) => {
    const warnings = warningsFor()
    const object = newObject(deciding, resource, call, { named: false, warn: warnings.warn })
    const { name, namespace } = object.metadata
    const result = await writeObject(deciding, resource, keyOf(resource, namespace, name), (current) => {
      if (current) throw refusals.alreadyExists(resource.name, name, current.metadata.deletionTimestamp !== undefined)
      return dryRun ? { keep: object } : { put: object }
    })
    return { object: dryRun ? object : result.object, warnings }
  })
  const answer = dryRun ? object : await carriedOut(resource, call, object, warnings.warn)
  return { code: 201, object: answer, warnings: warnings.list }
}

/**
 * The object that a create stores: named, stamped and admitted. `named`: the call gives the name, as a PUT that creates does.
 * `owners` are those of an apply.
 */
export function newObject(
  deps: VerbDeps,
  resource: Resource,
  call: ApiCall,
  { named, warn, owners }: { named: boolean; warn: (text: string) => void; owners?: Owners },
): Unstructured {
  const { kind, served } = resource
  if (resource.isTerminating)
    throw new StatusError({
      code: 405,
      reason: 'MethodNotAllowed',
      message: 'create not allowed while custom resource definition is terminating',
      details: { ...(kind.group && { group: kind.group }), kind: kind.plural },
    })
  const draft = objectOf(resource, call, call.object, { named })
  const { metadata } = draft
  if (metadata.resourceVersion && metadata.resourceVersion !== '0')
    throw new StatusError({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' })
  if (kind.namespaced && !metadata.namespace) throw refusals.badRequest('an empty namespace may not be set during creation')
  const isNameGiven = Boolean(metadata.name)
  if (!metadata.name && metadata.generateName) metadata.name = generatedName(deps, resource, metadata.namespace, metadata.generateName)
  if (!metadata.name)
    throw refusals.invalid(kind, '', [
      { reason: 'FieldValueRequired', message: 'Required value: name or generateName is required', field: 'metadata.name' },
    ])
  if (kind.namespaced) requireNamespace(deps, resource, metadata.namespace!, metadata.name)

  delete metadata.resourceVersion
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.generation
  metadata.uid = uuid(deps.random)
  metadata.creationTimestamp = timestamp(deps.clock.now())
  if (served.generation !== false) metadata.generation = 1
  if (kind.status) delete draft['status']
  dedupeOwners(metadata, warn)
  const { fieldManagers } = deps
  const track = owners ? fieldManagers.put(draft, owners) : fieldManagers.track(resource, call, draft, undefined)

  const admission: Admission = {
    operation: 'CREATE',
    subresource: '',
    user: call.user,
    options: call.options ?? {},
    decodingProblems: call.decodingProblems ?? [],
    strictRefusal: strictBodyRefusal(resource),
    warn,
    track,
    isNameGiven,
  }
  const object = admit(deps, resource, draft, admission)
  conclude(deps, resource, object, admission)
  return object
}

function generatedName(deps: VerbDeps, resource: Resource, namespace: string | undefined, prefix: string): string {
  let name = ''
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    name = prefix.slice(0, LONGEST_PREFIX) + nameSuffix(deps.random, SUFFIX_LENGTH)
    if (!deps.newest.get(keyOf(resource, namespace, name))) return name
  }
  const { status } = refusals.alreadyExists(resource.name, name)
  throw new StatusError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${status.message}, the server was not able to generate a unique name for the object`,
    details: { ...status.details, retryAfterSeconds: 1 },
  })
}
