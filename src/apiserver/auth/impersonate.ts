import type { IncomingHttpHeaders } from 'node:http'
import type { Identity } from '../../apimachinery/kind.js'
import { refusals } from '../../apimachinery/status-error.js'
import { forbidden, type ResourceAttributes } from './attributes.js'
import type { Authorizer } from './authorizer.js'

const EXTRA = 'impersonate-extra-'
const AUTHENTICATION_GROUP = 'authentication.k8s.io'
const AUTHENTICATED = 'system:authenticated'
const UNAUTHENTICATED = 'system:unauthenticated'

/**
 * The user a request wants to act as (`kubectl --as`), or the real one. Each of the name, the groups, the uid and the
 * extras needs the verb `impersonate`. Throws 400 for a group or extra without a user, 403 for what is not allowed.
 * `headersDistinct` is Node's: every value of a header that was given several times.
 * @see kubernetes/apiserver v0.35 pkg/endpoints/filters/impersonation/impersonation.go
 */
export function actingUser(
  user: Identity,
  headersDistinct: NodeJS.Dict<string[]>,
  headers: IncomingHttpHeaders,
  { authorize }: Pick<Authorizer, 'authorize'>,
): Identity {
  const name = headers['impersonate-user']
  const extras = Object.keys(headers).filter((header) => header.startsWith(EXTRA))
  const groups = headersDistinct['impersonate-group'] ?? []
  const uid = headers['impersonate-uid']
  if (name === undefined && groups.length === 0 && uid === undefined && extras.length === 0) return user
  if (typeof name !== 'string' || name === '') throw refusals.badRequest('requested to impersonate groups, a uid or extras without a user')

  const extra = Object.fromEntries(extras.map((header) => [decoded(header.slice(EXTRA.length)), headersDistinct[header] ?? []]))
  const account = serviceAccountFrom(name)
  const require = (asked: Omit<ResourceAttributes, 'verb'>): void => {
    const attributes = { verb: 'impersonate', ...asked }
    const { allowed, reason } = authorize(user, attributes)
    if (!allowed) throw forbidden(user, attributes, reason)
  }
  if (account) require({ group: '', resource: 'serviceaccounts', ...account })
  else require({ group: '', resource: 'users', name })
  for (const group of groups) require({ group: '', resource: 'groups', name: group })
  for (const [key, values] of Object.entries(extra))
    for (const value of values) require({ group: AUTHENTICATION_GROUP, resource: 'userextras', subresource: key, name: value })
  if (typeof uid === 'string') require({ group: AUTHENTICATION_GROUP, resource: 'uids', name: uid })

  return {
    name,
    groups: impliedGroups(name, groups.length === 0 && account ? serviceAccountGroups(account.namespace) : groups),
    ...(typeof uid === 'string' && { uid }),
    ...(extras.length > 0 && { extra }),
  }
}

/** Groups that every ServiceAccount of a namespace is in. */
export function serviceAccountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
}

function serviceAccountFrom(name: string): { namespace: string; name: string } | undefined {
  const [, namespace, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name) ?? []
  return namespace && account ? { namespace, name: account } : undefined
}

/** Whoever acts as a named user is authenticated, as the anonymous one is not. */
function impliedGroups(name: string, asked: readonly string[]): string[] {
  const wholeOf = (group: string): string[] => [...new Set([...asked, group])]
  if (name === 'system:anonymous') return wholeOf(UNAUTHENTICATED)
  return asked.includes(UNAUTHENTICATED) ? [...new Set(asked)] : wholeOf(AUTHENTICATED)
}

/** Keys of extras are percent-encoded, since header names are not free; a broken one is taken as it is. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
