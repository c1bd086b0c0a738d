import type { ServiceAccountTokens } from '../apiserver/auth/service-account-tokens.js'
import type { Clock } from '../base/clock.js'
import type { Informer } from '../client/informer.js'
import type { Oidc } from '../eventing/oidc.js'
import type { ServiceAccount } from '../kinds/core/serviceaccount/schema.js'
import { authorizationMode, isEnabled, type ReadConfigMap } from '../kinds/eventing-config.js'

/** How long the tokens of senders last, in seconds. @see knative/eventing v1.22 pkg/auth/token_provider.go */
const EXPIRATION_SECONDS = 3600
/** Before they expire, another one is made, in milliseconds. */
const RENEWAL_MS = 5 * 60_000
/** So many are remembered; with more, all are forgotten. */
const MOST_KEPT = 10_000

/**
 * Identities of Eventing's senders: tokens of their ServiceAccounts, as the API server makes and judges them. A token is kept for
 * as long as it is good and its account is the same.
 */
export function createOidc(deps: {
  tokens: ServiceAccountTokens
  serviceAccounts: Pick<Informer<ServiceAccount>, 'get'>
  configMap: ReadConfigMap
  realClock: Pick<Clock, 'now'>
}): Oidc {
  const { tokens, serviceAccounts, configMap, realClock } = deps
  const kept = new Map<string, { token: string; expiresMs: number }>()
  return {
    isEnabled: () => isEnabled(configMap, 'authentication-oidc'),
    defaultMode: () => authorizationMode(configMap),
    async tokenFor(account, audience) {
      const uid = serviceAccounts.get(account)?.metadata.uid
      if (uid === undefined) throw new Error(`could not get a token: serviceaccounts ${JSON.stringify(account.name)} not found`)
      const key = `${uid} ${audience}`
      const known = kept.get(key)
      if (known && realClock.now() < known.expiresMs - RENEWAL_MS) return known.token
      if (kept.size >= MOST_KEPT) kept.clear()
      const made = tokens.issue({ account: { ...account, uid }, audiences: [audience], expirationSeconds: EXPIRATION_SECONDS })
      kept.set(key, made)
      return made.token
    },
    subjectOf: (token, audience) => tokens.accept(token, [audience])?.user.name,
  }
}
