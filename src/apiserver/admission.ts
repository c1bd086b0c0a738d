import type { AdmissionRequest } from '../apimachinery/admission-plugin.js'
import type { ApiCall, CallOptions } from '../apimachinery/call.js'
import { fieldErrorText } from '../apimachinery/field-error.js'
import { type AdmissionContext, groupResource, type Identity } from '../apimachinery/kind.js'
import { checkMetadata } from '../apimachinery/names.js'
import type { KubeObject, Unstructured } from '../apimachinery/object.js'
import { prune } from '../apimachinery/prune.js'
import { RBAC_GROUP } from '../apimachinery/rbac.js'
import { applySchemaDefaults, checkSchema } from '../apimachinery/schema-check.js'
import { refusals, type StatusError } from '../apimachinery/status-error.js'
import { refuseEscalation } from './auth/escalation.js'
import type { VerbDeps } from './deps.js'
import type { Track } from './field-managers.js'
import { copyJson, dropUndefined } from './json.js'
import { NAMESPACES, type Resource } from './resource.js'
import type { Subject } from './webhooks/matching.js'

/** What is being admitted, beside the object itself. */
export interface Admission {
  operation: 'CREATE' | 'UPDATE'
  /** '' on the main path, else 'status', 'scale' or 'finalize'. */
  subresource: string
  old?: KubeObject | undefined
  user: Identity
  options: CallOptions
  decodingProblems: readonly string[]
  /** How unknown and repeated fields are refused when they are; differs between PUT and PATCH. */
  strictRefusal: (text: string) => StatusError
  warn(text: string): void
  /** Called with the decoded and defaulted object, before webhooks change it. */
  track: Track
  /** False for an object whose name was generated: webhooks that may change it are not told the name. */
  isNameGiven: boolean
}

/**
 * The one pipeline that every write goes through: prune or refuse what the schema does not know, default, check the schema
 * and metadata, validate, allocate. Takes a private draft, may change it, and returns what is to be stored. Only schema
 * and metadata rules apply to a status: Knative's webhooks and a kind's own rules leave it alone.
 */
export function admit(deps: VerbDeps, resource: Resource, draft: Unstructured, admission: Admission): Unstructured {
  const { served, kind } = resource
  const { object: pruned, unknown } = prune(served.schema, draft)
  judgeFields([...admission.decodingProblems, ...unknown.map((path) => `unknown field "${path}"`)], admission)

  let object = applySchemaDefaults(served.schema, pruned) as Unstructured
  const context = contextFor(deps, admission)
  const wholly = admission.subresource !== 'status' && admission.subresource !== 'finalize'
  const check = (): void => {
    const causes = [
      ...checkMetadata(object.metadata, { namespaced: kind.namespaced, nameRule: served.nameRule, builtIn: served.builtIn }),
      ...(served.check ? served.check(object, context) : checkSchema(served.schema, object)),
    ]
    if (causes.length > 0) throw refusals.invalid(kind, object.metadata.name, causes)
  }
  if (wholly) {
    try {
      served.defaults?.(object, context)
      dropUndefined(object)
      admission.track(object)
      fillIn(deps, resource, object, context)
    } catch (error) {
      // Defaults may stumble over a value of the wrong type: then the schema has the better answer.
      check()
      throw error
    }
    if (served.webhook?.defaults) dropUndefined(object)
  }
  if (deps.reviews)
    object = deps.reviews.mutate(subjectOf(resource, object, admission), object, admission.warn, (patched) =>
      refilled(deps, resource, patched, context, wholly),
    )
  check()
  if (!wholly) {
    admission.track(object)
    return object
  }

  const causes = served.validate?.(object, context) ?? []
  if (causes.length > 0) throw refusals.invalid(kind, object.metadata.name, causes)
  const denial = served.webhook?.validate?.(object, context)
  if (served.webhook && denial)
    throw refusals.badRequest(
      `admission webhook ${JSON.stringify(served.webhook.validationName)} denied the request: validation failed: ${fieldErrorText(denial)}`,
    )
  if (kind.group === RBAC_GROUP)
    refuseEscalation(deps.access.authorizer, { plural: kind.plural, object, old: admission.old, user: admission.user })
  if (served.prepare) {
    served.prepare(object, context)
    dropUndefined(object)
  }
  return object
}

/** What the server's own plugins and Knative's webhooks fill in. */
function fillIn(deps: VerbDeps, resource: Resource, object: Unstructured, context: AdmissionContext): void {
  for (const plugin of deps.plugins) plugin.mutate?.(object, requestOf(resource, object, context))
  resource.served.webhook?.defaults?.(object, context)
}

/** An object that a webhook changed, with everything filled in that it left out. */
function refilled(deps: VerbDeps, resource: Resource, patched: Unstructured, context: AdmissionContext, wholly: boolean): Unstructured {
  const { schema, defaults } = resource.served
  const object = copyJson(applySchemaDefaults(schema, prune(schema, patched).object)) as Unstructured
  if (!wholly) return object
  defaults?.(object, context)
  fillIn(deps, resource, object, context)
  dropUndefined(object)
  return object
}

/**
 * The last word on an object that is valid, allocated and as it would be stored: plugins, webhooks, and what counts what is
 * admitted. Throws a StatusError for a refusal.
 */
export function conclude(deps: VerbDeps, resource: Resource, object: Unstructured, admission: Admission): void {
  const context = deps.plugins.length > 0 ? contextFor(deps, admission) : undefined
  const request = context && requestOf(resource, object, context)
  if (request) for (const plugin of deps.plugins) plugin.validate?.(object, request)
  deps.reviews?.validate(subjectOf(resource, object, { ...admission, isNameGiven: true }), object, admission.warn)
  if (request) for (const plugin of deps.plugins) plugin.count?.(object, request)
}

/** Asks webhooks about a deletion. Throws a StatusError for a refusal. */
export function judgeDeletion(
  deps: VerbDeps,
  resource: Resource,
  current: KubeObject,
  { user, options = {} }: ApiCall,
  warn: (text: string) => void,
): void {
  if (!deps.reviews) return
  const subject: Subject = { ...placeOf(resource, current), resource, operation: 'DELETE', subresource: '', old: current, user, options }
  deps.reviews.mutate(subject, current as Unstructured, warn, (patched) => patched)
  deps.reviews.validate(subject, undefined, warn)
}

function subjectOf(
  resource: Resource,
  object: KubeObject,
  { operation, subresource, old, user, options, isNameGiven }: Admission,
): Subject {
  const { name, namespace } = placeOf(resource, object)
  return { resource, operation, subresource, namespace, name: isNameGiven ? name : '', old, user, options }
}

/** A Namespace counts as lying in itself. */
function placeOf({ stored }: Resource, { metadata }: KubeObject): { namespace: string | undefined; name: string } {
  return { namespace: stored === NAMESPACES ? metadata.name : metadata.namespace, name: metadata.name }
}

function requestOf({ kind, stored }: Resource, { metadata }: KubeObject, context: AdmissionContext): AdmissionRequest {
  return { kind, resource: stored, namespace: metadata.namespace, context }
}

/** `strict decoding error: …` as POST and PUT are refused (apiserver pkg/endpoints/handlers/rest.go, transformDecodeError). */
export function strictBodyRefusal({ kind }: Resource): (text: string) => StatusError {
  return (text) =>
    refusals.badRequest(`${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${text}`)
}

/** Refuses unknown and repeated fields, warns of them or lets them be, as fieldValidation says. */
export function judgeFields(
  problems: readonly string[],
  { options, strictRefusal, warn }: Pick<Admission, 'options' | 'strictRefusal' | 'warn'>,
): void {
  if (problems.length === 0 || options.fieldValidation === 'Ignore') return
  if (options.fieldValidation === 'Strict') throw strictRefusal(`strict decoding error: ${problems.join(', ')}`)
  for (const problem of problems) warn(problem)
}

function contextFor(deps: VerbDeps, admission: Admission): AdmissionContext {
  const { newest, clock } = deps
  return {
    operation: admission.operation,
    subresource: admission.subresource,
    old: admission.old,
    user: admission.user,
    nowMs: clock.now(),
    dryRun: admission.options.dryRun === true,
    find: (kind, { namespace, name }) =>
      newest.get({ resource: groupResource(kind), name, ...(kind.namespaced && { namespace }) }) as never,
    list: (kind, namespace) => newest.list(groupResource(kind), namespace) as never,
    configMap(namespace, name) {
      const found = newest.get({ resource: 'configmaps', namespace, name }) as { data?: Record<string, string> } | undefined
      return found?.data ?? {}
    },
    isAllowed: (wanted) => deps.access.authorizer.authorize(admission.user, wanted).allowed,
    warn: admission.warn,
  }
}
