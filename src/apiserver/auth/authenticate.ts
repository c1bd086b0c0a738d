import { hash, timingSafeEqual } from 'node:crypto'
import type { Identity } from '../../apimachinery/kind.js'

/** Who the instance's own credential stands for: what kubeconfig files of new clusters call their administrator. */
export const INSTANCE_ADMIN: Identity = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }

/** What a TLS client showed about itself. */
export interface ClientCertificate {
  /** Whether it was issued by the instance's CA and is valid now. */
  verified: boolean
  /** CN: the user's name. */
  commonName: string
  /** O: the user's groups. */
  organizations: readonly string[]
}

export type Authentication = { user: Identity } | { anonymous: true } | { refused: true }

/**
 * Says who is asking, in the API server's order: client certificate, bearer token (the administrator's, or one that
 * `accountFor` knows), nobody. A credential that is shown but wrong is refused at once; it never falls back to anonymous.
 */
export function authenticate(
  shown: { authorization: string | undefined; certificate: ClientCertificate | undefined },
  instance: { token: string; accountFor?: (token: string) => Identity | undefined },
): Authentication {
  const { authorization, certificate } = shown
  if (certificate) {
    if (!certificate.verified || certificate.commonName === '') return { refused: true }
    return { user: { name: certificate.commonName, groups: withAuthenticated(certificate.organizations) } }
  }
  if (authorization === undefined) return { anonymous: true }
  const token = /^bearer +([^\s]+) *$/i.exec(authorization)?.[1]
  if (token === undefined) return { refused: true }
  if (isSameSecret(token, instance.token)) return { user: INSTANCE_ADMIN }
  const account = instance.accountFor?.(token)
  return account ? { user: account } : { refused: true }
}

/** Paths that anyone on this machine may read: enough to see that a server is there and well. */
export function isPublicPath(path: string): boolean {
  return /^\/(version|healthz|livez|readyz)(\/|$)/.test(path)
}

function withAuthenticated(groups: readonly string[]): string[] {
  return [...new Set([...groups, 'system:authenticated'])]
}

/** Compares digests, so that neither content nor length shows in the time it takes. */
export function isSameSecret(shown: string, real: string): boolean {
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer')
  return real !== '' && timingSafeEqual(digest(shown), digest(real))
}
