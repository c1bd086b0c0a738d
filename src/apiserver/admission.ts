import type { CallOptions } from '../apimachinery/call.js'
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
import { dropUndefined } from './json.js'
import type { Resource } from './resource.js'

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

  const object = applySchemaDefaults(served.schema, pruned) as Unstructured
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
      served.webhook?.defaults?.(object, context)
    } catch (error) {
      // Defaults may stumble over a value of the wrong type: then the schema has the better answer.
      check()
      throw error
    }
    if (served.webhook?.defaults) dropUndefined(object)
  }
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
    warn: admission.warn,
  }
}
