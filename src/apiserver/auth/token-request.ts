import type { ApiCall } from '../../apimachinery/call.js'
import { causes } from '../../apimachinery/causes.js'
import { type KubeObject, timestamp } from '../../apimachinery/object.js'
import { refusals } from '../../apimachinery/status-error.js'
import { type AnswerVerb, nameOf, type VerbDeps } from '../deps.js'
import { resourceOf } from '../resource.js'
import { tokenRequest } from '../reviews/kinds.js'
import { questionOf } from '../reviews/question.js'
import { type BoundTo, ISSUER, type Reference } from './service-account-tokens.js'

/** What a token request asks for; the rest of the body is answered as it came. */
interface TokenRequestSpec {
  audiences?: string[]
  expirationSeconds?: number
  boundObjectRef?: { kind?: string; apiVersion?: string; name?: string; uid?: string }
}

const DEFAULT_SECONDS = 3600
/** Shortest and longest life of a token, in seconds (kubernetes pkg/apis/authentication/validation). */
const LEAST_SECONDS = 600
const MOST_SECONDS = 2 ** 32

const asked = resourceOf(tokenRequest)

/**
 * POST serviceaccounts/<name>/token: a token for the ServiceAccount, signed and forgotten.
 * @see kubernetes/kubernetes v1.35 pkg/registry/core/serviceaccount/storage/token.go
 */
export const requestToken: AnswerVerb = async (deps, resource, call) => {
  const { tokens } = deps.access
  if (!tokens) throw refusals.noSuchResource()
  const name = nameOf(call)
  const namespace = call.namespace!
  const { question, warnings } = questionOf(asked, call)
  if (question.metadata.name && question.metadata.name !== name)
    throw refusals.badRequest(
      `the name in the request (${question.metadata.name}) does not match the name of the service account (${name})`,
    )
  const account = deps.store.get({ resource: resource.stored, namespace, name })
  if (!account) throw refusals.notFound(resource.name, name)

  const sent = (question['spec'] ?? {}) as TokenRequestSpec
  const audiences = sent.audiences && sent.audiences.length > 0 ? sent.audiences : [ISSUER]
  const expirationSeconds = sent.expirationSeconds ?? DEFAULT_SECONDS
  checkLifetime(expirationSeconds, question.metadata.name)
  const boundTo = sent.boundObjectRef ? objectToBind(deps, call, sent.boundObjectRef) : {}

  const { token, expiresMs } = tokens.issue({
    account: { namespace, name, uid: account.metadata.uid! },
    audiences,
    expirationSeconds,
    boundTo,
  })
  const object = {
    ...question,
    metadata: { ...question.metadata, name, namespace, creationTimestamp: timestamp(deps.realClock.now()) },
    spec: { ...sent, audiences, expirationSeconds },
    status: { token, expirationTimestamp: timestamp(expiresMs) },
  }
  return { code: 201, object: object as KubeObject, warnings }
}

function checkLifetime(seconds: number, name: string): void {
  const field = 'spec.expirationSeconds'
  if (seconds < LEAST_SECONDS)
    throw refusals.invalid(asked.kind, name, [causes.invalid(field, seconds, 'may not specify a duration less than 10 minutes')])
  if (seconds > MOST_SECONDS)
    throw refusals.invalid(asked.kind, name, [causes.invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')])
}

/** The object whose end is the token's end. Throws 400 for one that cannot be bound to, 404, and 409 for another of that name. */
function objectToBind(deps: VerbDeps, call: ApiCall, ref: NonNullable<TokenRequestSpec['boundObjectRef']>): BoundTo {
  const { kind = '', apiVersion = '', name = '', uid } = ref
  const plural = apiVersion === 'v1' ? BINDABLE[kind] : undefined
  if (!plural)
    throw refusals.badRequest(
      `cannot bind token to object of type ${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`,
    )
  const scope = plural === 'nodes' ? {} : { namespace: call.namespace! }
  const found = deps.store.get({ resource: plural, name, ...scope }) as
    | (KubeObject & { spec?: { serviceAccountName?: string; nodeName?: string } })
    | undefined
  if (!found) throw refusals.notFound({ group: '', plural }, name)
  const { spec, metadata } = found
  if (plural === 'pods' && (spec?.serviceAccountName || 'default') !== call.name)
    throw refusals.badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(call.name)} to pod running with different serviceaccount name.`,
    )
  if (uid && uid !== metadata.uid)
    throw refusals.conflict(
      { group: '', plural: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  const reference: Reference = { name, uid: metadata.uid! }
  if (plural === 'secrets') return { secret: reference }
  if (plural === 'nodes') return { node: reference }
  const node = spec?.nodeName ? deps.store.get({ resource: 'nodes', name: spec.nodeName }) : undefined
  return { pod: reference, ...(node && { node: { name: node.metadata.name, uid: node.metadata.uid! } }) }
}

const BINDABLE: Readonly<Record<string, 'pods' | 'secrets' | 'nodes'>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }
