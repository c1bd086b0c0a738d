import { createHash } from 'node:crypto'
import type { Identity } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Clock } from '../../base/clock.js'
import { type Random, uuid } from '../../base/random.js'
import type { Store } from '../../store/store.js'
import { serviceAccountGroups } from './impersonate.js'
import { createJwtKey } from './jwt.js'

/** Who signs tokens, and what they are for when nobody says otherwise: the name clusters give their API server. */
export const ISSUER = 'https://kubernetes.default.svc.cluster.local'
/** Who signs tokens that live in Secrets (kubernetes pkg/serviceaccount/legacy.go). */
const SECRET_ISSUER = 'kubernetes/serviceaccount'
const SECRET_CLAIM = 'kubernetes.io/serviceaccount'

export interface Reference {
  name: string
  uid: string
}

/** What a bound token ends with, at the latest. */
export interface BoundTo {
  pod?: Reference
  secret?: Reference
  node?: Reference
}

export interface Accepted {
  user: Identity
  /** Those of the wanted audiences that the token is for. */
  audiences: readonly string[]
}

export interface ServiceAccountTokens {
  issue(request: {
    account: Reference & { namespace: string }
    audiences: readonly string[]
    /** Seconds from now, on the real clock. */
    expirationSeconds: number
    boundTo?: BoundTo
  }): { token: string; expiresMs: number }
  /** A token without an end for a Secret of type kubernetes.io/service-account-token; it lasts as long as the Secret holds it. */
  issueForSecret(account: Reference & { namespace: string }, secretName: string): string
  /**
   * Who shows this token: undefined unless it was signed here, is for one of the audiences, has not expired, and its
   * ServiceAccount and what it is bound to are the ones it was made for.
   */
  accept(token: string, audiences: readonly string[]): Accepted | undefined
  /** The public key for whoever verifies tokens themselves (RFC 7517), and where it is found (OpenID Connect discovery). */
  keys(): object
  configuration(keysUrl: string): object
}

interface BoundClaims extends BoundTo {
  namespace: string
  serviceaccount: Reference
}

interface Claims {
  iss?: unknown
  sub?: unknown
  aud?: unknown
  exp?: unknown
  nbf?: unknown
  jti?: unknown
  'kubernetes.io'?: BoundClaims
  [claim: string]: unknown
}

/** So many tokens are remembered as signed here; with more, all are forgotten. Verifying one takes about 0.1 ms. */
const MOST_VERIFIED = 500
/** How long after its deletion was due an object still counts, in milliseconds (pkg/serviceaccount/claims.go): clocks differ. */
const DELETION_LEEWAY_MS = 60_000

/**
 * Signs and checks the tokens of ServiceAccounts. `clock` is the virtual domain, in which objects are deleted; `realClock`
 * is what tokens expire by.
 * @see kubernetes/kubernetes v1.35 pkg/serviceaccount/claims.go, jwt.go
 */
export function createServiceAccountTokens(options: {
  store: Store
  /** P-256 private key, PKCS #8 in PEM. */
  key: string
  clock: Clock
  realClock: Clock
  random: Random
}): ServiceAccountTokens {
  const { store, clock, realClock, random } = options
  const key = createJwtKey(options.key)
  const verified = new Map<string, Claims>()

  const claimsOf = (token: string): Claims | undefined => {
    // Not the token itself: a dump of memory is no place to look for credentials.
    const digest = createHash('sha256').update(token).digest('base64')
    const known = verified.get(digest)
    if (known) return known
    const claims = key.verify(token)
    if (!claims) return undefined
    if (verified.size >= MOST_VERIFIED) verified.clear()
    verified.set(digest, claims)
    return claims
  }

  const isThere = (resource: string, namespace: string | undefined, { name, uid }: Reference): KubeObject | undefined => {
    const found = store.get({ resource, name, ...(namespace !== undefined && { namespace }) })
    if (!found || found.metadata.uid !== uid) return undefined
    const { deletionTimestamp } = found.metadata
    return deletionTimestamp && Date.parse(deletionTimestamp) < clock.now() - DELETION_LEEWAY_MS ? undefined : found
  }

  const userOf = (namespace: string, account: Reference, extra: Record<string, readonly string[]> = {}): Identity => ({
    name: `system:serviceaccount:${namespace}:${account.name}`,
    uid: account.uid,
    groups: [...serviceAccountGroups(namespace), 'system:authenticated'],
    ...(Object.keys(extra).length > 0 && { extra }),
  })

  const acceptBound = (claims: Claims, wanted: readonly string[]): Accepted | undefined => {
    const { sub, aud, exp, nbf, jti, 'kubernetes.io': bound } = claims
    const nowS = realClock.now() / 1000
    if (!bound || typeof exp !== 'number' || nowS >= exp || (typeof nbf === 'number' && nowS < nbf - 1)) return undefined
    const audiences = wanted.filter((audience) => (Array.isArray(aud) ? aud : [aud]).includes(audience))
    if (audiences.length === 0) return undefined
    const { namespace, serviceaccount, pod, secret, node } = bound
    if (sub !== `system:serviceaccount:${namespace}:${serviceaccount.name}`) return undefined
    if (!isThere('serviceaccounts', namespace, serviceaccount)) return undefined
    if (secret && !isThere('secrets', namespace, secret)) return undefined
    if (pod && !isThere('pods', namespace, pod)) return undefined
    // The node of a Pod's token is told for information; only a token that is bound to nothing else ends with it.
    if (node && !pod && !isThere('nodes', undefined, node)) return undefined
    const extra = {
      ...(typeof jti === 'string' && { 'authentication.kubernetes.io/credential-id': [`JTI=${jti}`] }),
      ...(pod && { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] }),
      ...(node && { 'authentication.kubernetes.io/node-name': [node.name], 'authentication.kubernetes.io/node-uid': [node.uid] }),
    }
    return { user: userOf(namespace, serviceaccount, extra), audiences }
  }

  const acceptFromSecret = (claims: Claims, token: string, wanted: readonly string[]): Accepted | undefined => {
    const text = (name: string): string => String(claims[`${SECRET_CLAIM}/${name}`] ?? '')
    const namespace = text('namespace')
    const account = { name: text('service-account.name'), uid: text('service-account.uid') }
    const secret = store.get({ resource: 'secrets', namespace, name: text('secret.name') }) as
      | (KubeObject & { data?: Record<string, string> })
      | undefined
    if (!secret || secret.metadata.deletionTimestamp) return undefined
    if (Buffer.from(secret.data?.['token'] ?? '', 'base64').toString() !== token) return undefined
    // Such tokens name no audience: they are for the API server alone.
    if (!wanted.includes(ISSUER) || !isThere('serviceaccounts', namespace, account)) return undefined
    return { user: userOf(namespace, account), audiences: [ISSUER] }
  }

  return {
    issue({ account, audiences, expirationSeconds, boundTo = {} }) {
      const nowS = Math.floor(realClock.now() / 1000)
      const { namespace, name, uid } = account
      const token = key.sign({
        aud: audiences,
        exp: nowS + expirationSeconds,
        iat: nowS,
        iss: ISSUER,
        jti: uuid(random),
        'kubernetes.io': { namespace, ...boundTo, serviceaccount: { name, uid } } satisfies BoundClaims,
        nbf: nowS,
        sub: `system:serviceaccount:${namespace}:${name}`,
      })
      return { token, expiresMs: (nowS + expirationSeconds) * 1000 }
    },
    issueForSecret: ({ namespace, name, uid }, secretName) =>
      key.sign({
        iss: SECRET_ISSUER,
        [`${SECRET_CLAIM}/namespace`]: namespace,
        [`${SECRET_CLAIM}/secret.name`]: secretName,
        [`${SECRET_CLAIM}/service-account.name`]: name,
        [`${SECRET_CLAIM}/service-account.uid`]: uid,
        sub: `system:serviceaccount:${namespace}:${name}`,
      }),
    accept(token, audiences) {
      const claims = claimsOf(token)
      if (claims?.iss === ISSUER) return acceptBound(claims, audiences)
      return claims?.iss === SECRET_ISSUER ? acceptFromSecret(claims, token, audiences) : undefined
    },
    keys: () => ({ keys: [key.publicJwk()] }),
    configuration: (keysUrl) => ({
      issuer: ISSUER,
      jwks_uri: keysUrl,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    }),
  }
}
