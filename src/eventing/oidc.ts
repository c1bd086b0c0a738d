import type { AddressStatus, AppliedEventPolicies } from '../apimachinery/destination.js'
import type { KubeObject } from '../apimachinery/object.js'
import type { Informer } from '../client/informer.js'
import type { CloudEvent } from '../cloudevents/event.js'
import { triggerFilter } from '../cloudevents/filters.js'
import type { EventPolicy } from '../kinds/eventpolicy/schema.js'

/** A ServiceAccount, as which something sends. */
export interface SenderAccount {
  readonly namespace: string
  readonly name: string
}

/** How senders show who they are, while authentication-oidc is on; and what the flags say. */
export interface Oidc {
  isEnabled(): boolean
  /** default-authorization-mode, where no EventPolicy applies. */
  defaultMode(): 'Allow-All' | 'Deny-All' | 'Allow-Same-Namespace'
  /** A token of an account for an audience. Rejects when there is no such account. */
  tokenFor(account: SenderAccount, audience: string): Promise<string>
  /** Whose token this is (`system:serviceaccount:…`); undefined unless it is good, and for this audience. */
  subjectOf(token: string, audience: string): string | undefined
}

/** What a sender shows: a token, or, where no HTTP is between, who it is and for whom its token would have been. */
export type Credential = { readonly token: string } | { readonly account: SenderAccount | undefined; readonly audience: string | undefined }

/** Says whether an event may come in: undefined, or the status by which it is refused. */
export type Door = (event: CloudEvent, credential: Credential) => 401 | 403 | 500 | undefined

/** Something that receives events, as its object says at this moment. */
type Receiver = KubeObject & { status?: AddressStatus & AppliedEventPolicies }

const OPEN: Door = () => undefined

/** Where nobody has to show who they are. */
export const NO_OIDC: Oidc = {
  isEnabled: () => false,
  defaultMode: () => 'Allow-All',
  tokenFor: () => Promise.reject(new Error('authentication-oidc is off')),
  subjectOf: () => undefined,
}

export function subjectText({ namespace, name }: SenderAccount): string {
  return `system:serviceaccount:${namespace}:${name}`
}

/** What a request shows, by its header Authorization; '' where that is missing. */
export function bearerOf(authorization: string | undefined): Credential {
  return { token: (authorization ?? '').replace(/^Bearer /, '') }
}

/**
 * Who shows a credential, or how they are refused: a missing token before a receiver that has no audience.
 * @see knative/eventing v1.22 pkg/auth/verifier.go, verifyAuthN
 */
export function authenticated(
  credential: Credential,
  audience: string | undefined,
  oidc: Oidc,
): { subject: string; status?: undefined } | { status: 401 | 500 } {
  if ('token' in credential) {
    if (credential.token === '') return { status: 401 }
    if (!audience) return { status: 500 }
    const subject = oidc.subjectOf(credential.token, audience)
    return subject === undefined ? { status: 401 } : { subject }
  }
  // Without an audience at the destination, no sender makes a token.
  if (!credential.account || !credential.audience) return { status: 401 }
  if (!audience) return { status: 500 }
  return credential.audience === audience ? { subject: subjectText(credential.account) } : { status: 401 }
}

/**
 * The door of a Broker or channel: who they are first, then whether an EventPolicy of those that apply lets them, or, where none
 * applies, the default.
 * @see knative/eventing v1.22 pkg/auth/verifier.go, VerifyRequest
 */
export function createDoors(deps: { oidc: Oidc; policies: Pick<Informer<EventPolicy>, 'get'> }): (receiver: Receiver) => Door {
  const { oidc, policies } = deps
  const filters = new WeakMap<EventPolicy, ReturnType<typeof triggerFilter>>()
  const passes = (policy: EventPolicy, event: CloudEvent): boolean => {
    let filter = filters.get(policy)
    if (!filter) filters.set(policy, (filter = triggerFilter({ filters: policy.spec?.filters ?? [] })))
    return filter.test(event) !== 'fail'
  }

  return (receiver) => {
    if (!oidc.isEnabled()) return OPEN
    const { metadata, status = {} } = receiver
    return (event, credential) => {
      const sender = authenticated(credential, status.address?.audience, oidc)
      if (sender.status !== undefined) return sender.status
      const { subject } = sender
      const applying = (status.policies ?? []).map(({ name }) => policies.get({ namespace: metadata.namespace, name }))
      if (applying.length === 0) return defaultStatus(subject, metadata.namespace ?? '')
      if (applying.includes(undefined)) return 500
      const isLet = applying.some((policy) => isAmong(subject, policy!.status?.from ?? []) && passes(policy!, event))
      return isLet ? undefined : 403
    }
  }

  function defaultStatus(subject: string, namespace: string): 403 | undefined {
    const mode = oidc.defaultMode()
    if (mode === 'Allow-All') return undefined
    return mode === 'Allow-Same-Namespace' && subject.startsWith(`system:serviceaccount:${namespace}:`) ? undefined : 403
  }
}

/** Names are compared without case; an asterisk at the end of one stands for anything. */
function isAmong(subject: string, allowed: readonly string[]): boolean {
  return allowed.some(
    (name) => name.toLowerCase() === subject.toLowerCase() || (name.endsWith('*') && subject.startsWith(name.slice(0, -1))),
  )
}
