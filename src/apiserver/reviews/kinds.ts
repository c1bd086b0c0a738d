import type { Kind, ServedKind } from '../../apimachinery/kind.js'
import type { Schema } from '../../apimachinery/schema.js'

/** Questions that are asked by creating an object: the answer is its status, and nothing is stored. */

const AUTHORIZATION = { group: 'authorization.k8s.io', version: 'v1' } as const
const AUTHENTICATION = { group: 'authentication.k8s.io', version: 'v1' } as const

const text: Schema = { type: 'string' }
const flag: Schema = { type: 'boolean' }
const texts: Schema = { type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' }
const textLists: Schema = { type: 'object', additionalProperties: texts }
const fields = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
})
const listOf = (items: Schema): Schema => ({ type: 'array', items, 'x-kubernetes-list-type': 'atomic' })

const selector = fields({
  rawSelector: text,
  requirements: listOf(fields({ key: text, operator: text, values: texts }, ['key', 'operator'])),
})
const access = {
  resourceAttributes: fields({
    fieldSelector: selector,
    group: text,
    labelSelector: selector,
    name: text,
    namespace: text,
    resource: text,
    subresource: text,
    verb: text,
    version: text,
  }),
  nonResourceAttributes: fields({ path: text, verb: text }),
}
const subjectAccess = fields({ ...access, extra: textLists, groups: texts, uid: text, user: text })
const decision = fields({ allowed: flag, denied: flag, evaluationError: text, reason: text })
const userInfo = fields({ extra: textLists, groups: texts, uid: text, username: text })

function review(
  kind: Pick<Kind, 'group' | 'version' | 'kind'>,
  description: string,
  properties: Record<string, Schema>,
  namespaced = false,
): ServedKind {
  const singular = kind.kind.toLowerCase()
  return {
    kind: { ...kind, plural: `${singular}s`, singular, namespaced },
    builtIn: true,
    generation: false,
    verbs: ['create'],
    schema: { type: 'object', description, properties },
  }
}

export const selfSubjectAccessReview = review(
  { ...AUTHORIZATION, kind: 'SelfSubjectAccessReview' },
  'SelfSubjectAccessReview asks whether the caller may do something.',
  { spec: fields(access), status: decision },
)

export const subjectAccessReview = review(
  { ...AUTHORIZATION, kind: 'SubjectAccessReview' },
  'SubjectAccessReview asks whether a user or group may do something.',
  { spec: subjectAccess, status: decision },
)

export const localSubjectAccessReview = review(
  { ...AUTHORIZATION, kind: 'LocalSubjectAccessReview' },
  'LocalSubjectAccessReview asks whether a user or group may do something in a namespace.',
  { spec: subjectAccess, status: decision },
  true,
)

export const selfSubjectRulesReview = review(
  { ...AUTHORIZATION, kind: 'SelfSubjectRulesReview' },
  'SelfSubjectRulesReview lists what the caller may do in a namespace.',
  {
    spec: fields({ namespace: text }),
    status: fields({
      evaluationError: text,
      incomplete: flag,
      nonResourceRules: listOf(fields({ nonResourceURLs: texts, verbs: texts }, ['verbs'])),
      resourceRules: listOf(fields({ apiGroups: texts, resourceNames: texts, resources: texts, verbs: texts }, ['verbs'])),
    }),
  },
)

export const selfSubjectReview = review(
  { ...AUTHENTICATION, kind: 'SelfSubjectReview' },
  'SelfSubjectReview tells the caller who the server takes them for.',
  { status: fields({ userInfo }) },
)

export const tokenReview = review({ ...AUTHENTICATION, kind: 'TokenReview' }, 'TokenReview asks who shows a token.', {
  spec: fields({ audiences: texts, token: text }),
  status: fields({ audiences: texts, authenticated: flag, error: text, user: userInfo }),
})

/** Not a kind of its own: the body of POST serviceaccounts/<name>/token. */
export const tokenRequest = review(
  { ...AUTHENTICATION, kind: 'TokenRequest' },
  'TokenRequest asks for a token of a ServiceAccount.',
  {
    spec: fields({
      audiences: texts,
      boundObjectRef: fields({ apiVersion: text, kind: text, name: text, uid: text }),
      expirationSeconds: { type: 'integer', format: 'int64' },
    }),
    status: fields({ expirationTimestamp: { type: 'string', format: 'date-time', nullable: true }, token: text }),
  },
  true,
)

/** The reviews that are served, for discovery and OpenAPI. */
export const reviewServedKinds: readonly ServedKind[] = [
  selfSubjectAccessReview,
  subjectAccessReview,
  localSubjectAccessReview,
  selfSubjectRulesReview,
  selfSubjectReview,
  tokenReview,
]
