import type { ApiCall } from '../../apimachinery/call.js'
import { causes } from '../../apimachinery/causes.js'
import { groupResource, type Identity, type ServedKind } from '../../apimachinery/kind.js'
import { type KubeObject, timestamp, type Unstructured } from '../../apimachinery/object.js'
import type { PolicyRule } from '../../apimachinery/rbac.js'
import { type Cause, refusals } from '../../apimachinery/status-error.js'
import type { Attributes } from '../auth/attributes.js'
import type { AnswerVerb, VerbDeps } from '../deps.js'
import type { Resource } from '../resource.js'
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectReview,
  selfSubjectRulesReview,
  subjectAccessReview,
  tokenReview,
} from './kinds.js'
import { questionOf } from './question.js'

interface AccessSpec {
  resourceAttributes?: { verb?: string; group?: string; resource?: string; subresource?: string; namespace?: string; name?: string }
  nonResourceAttributes?: { path?: string; verb?: string }
  user?: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
}

/** A question, answered: what is returned takes its place in the answer. */
type Answer = (deps: VerbDeps, question: Unstructured, about: { resource: Resource; call: ApiCall }) => object

const answers = new Map<ServedKind, Answer>([
  [selfSubjectAccessReview, selfAccess],
  [subjectAccessReview, subjectAccess],
  [localSubjectAccessReview, localAccess],
  [selfSubjectRulesReview, selfRules],
  [selfSubjectReview, self],
  [tokenReview, token],
])

const VERBS: ReadonlyMap<string, AnswerVerb> = new Map(
  [...answers].map(([{ kind }, answer]): [string, AnswerVerb] => [
    groupResource(kind),
    async (deps, resource, call) => {
      const { question, warnings } = questionOf(resource, call)
      const { name: _, ...metadata } = question.metadata
      const object = {
        ...question,
        metadata: question.metadata.name ? question.metadata : metadata,
        ...answer(deps, question, { resource, call }),
      }
      return { code: 201, object: object as KubeObject, warnings }
    },
  ]),
)

/** How a POST to a review is answered; undefined for kinds that are stored. */
export function reviewVerb({ stored }: Resource): AnswerVerb | undefined {
  return VERBS.get(stored)
}

/** `spec` of a review; absent ones are empty. */
const specOf = <T extends object>(question: Unstructured): T => (question['spec'] ?? {}) as T

function selfAccess(deps: VerbDeps, question: Unstructured, { resource, call }: { resource: Resource; call: ApiCall }): object {
  const spec = specOf<AccessSpec>(question)
  refuse(resource, question, accessCauses(spec))
  return { status: decide(deps, call.user, spec) }
}

function subjectAccess(deps: VerbDeps, question: Unstructured, { resource }: { resource: Resource }): object {
  const spec = specOf<AccessSpec>(question)
  refuse(resource, question, [...accessCauses(spec), ...subjectCauses(spec)])
  return { status: decide(deps, subjectOf(spec), spec) }
}

/** @see kubernetes/kubernetes v1.35 pkg/apis/authorization/validation/validation.go, ValidateLocalSubjectAccessReview */
function localAccess(deps: VerbDeps, question: Unstructured, { resource }: { resource: Resource }): object {
  const spec = specOf<AccessSpec>(question)
  const { namespace } = question.metadata
  const found = [...accessCauses(spec), ...subjectCauses(spec)]
  if (spec.resourceAttributes && spec.resourceAttributes.namespace !== namespace)
    found.push(
      causes.invalid('spec.resourceAttributes.namespace', spec.resourceAttributes.namespace ?? '', 'must match metadata.namespace'),
    )
  if (spec.nonResourceAttributes)
    found.push(causes.invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, 'disallowed on this kind of request'))
  refuse(resource, question, found)
  return { status: decide(deps, subjectOf(spec), spec) }
}

function refuse({ kind }: Resource, question: Unstructured, found: readonly Cause[]): void {
  if (found.length > 0) throw refusals.invalid(kind, question.metadata.name, found)
}

function accessCauses({ resourceAttributes, nonResourceAttributes }: AccessSpec): Cause[] {
  if (resourceAttributes && nonResourceAttributes)
    return [
      causes.invalid('spec.nonResourceAttributes', nonResourceAttributes, 'cannot be specified in combination with resourceAttributes'),
    ]
  if (!resourceAttributes && !nonResourceAttributes)
    return [causes.invalid('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')]
  return []
}

function subjectCauses({ user, groups = [] }: AccessSpec): Cause[] {
  return user || groups.length > 0 ? [] : [causes.invalid('spec.user', '', 'at least one of user or group must be specified')]
}

function subjectOf({ user = '', uid, groups = [], extra }: AccessSpec): Identity {
  return { name: user, groups, ...(uid && { uid }), ...(extra && { extra }) }
}

function decide({ access }: VerbDeps, user: Identity, { resourceAttributes, nonResourceAttributes }: AccessSpec): object {
  const { verb = '', group = '', resource = '', ...rest } = resourceAttributes ?? {}
  const attributes: Attributes = resourceAttributes
    ? { ...rest, verb, group, resource }
    : { verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' }
  const { allowed, reason } = access.authorizer.authorize(user, attributes)
  return { allowed, ...(reason && { reason }) }
}

function selfRules({ access }: VerbDeps, question: Unstructured, { call }: { call: ApiCall }): object {
  const { namespace } = specOf<{ namespace?: string }>(question)
  if (!namespace) throw refusals.badRequest('no namespace on request')
  const { rules, problems } = access.authorizer.rulesFor(call.user, namespace)
  const resourceRules = rules.filter(({ resources }) => resources && resources.length > 0).map(resourceRule)
  const nonResourceRules = rules
    .filter(({ nonResourceURLs }) => nonResourceURLs && nonResourceURLs.length > 0)
    .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs }))
  const evaluationError = problems.join(', ')
  return { spec: {}, status: { resourceRules, nonResourceRules, incomplete: false, ...(evaluationError && { evaluationError }) } }
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule): PolicyRule {
  return { verbs, ...(apiGroups && { apiGroups }), ...(resources && { resources }), ...(resourceNames && { resourceNames }) }
}

function self({ realClock }: VerbDeps, question: Unstructured, { call }: { call: ApiCall }): object {
  const { name: _, ...metadata } = question.metadata
  return { metadata: { ...metadata, creationTimestamp: timestamp(realClock.now()) }, status: { userInfo: userInfo(call.user) } }
}

/** @see kubernetes/kubernetes v1.35 pkg/registry/authentication/tokenreview/storage.go */
function token({ access }: VerbDeps, question: Unstructured): object {
  const spec = specOf<{ token?: string; audiences?: string[] }>(question)
  if (!spec.token) throw refusals.badRequest('token is required for TokenReview in authentication')
  const wanted = spec.audiences && spec.audiences.length > 0 ? spec.audiences : undefined
  const accepted = access.acceptToken(spec.token, wanted)
  if (!accepted) return { status: { user: {}, error: 'invalid bearer token' } }
  return { status: { authenticated: true, user: userInfo(accepted.user), audiences: accepted.audiences } }
}

function userInfo({ name, uid, groups, extra }: Identity): object {
  return { username: name, ...(uid && { uid }), groups, ...(extra && { extra }) }
}
