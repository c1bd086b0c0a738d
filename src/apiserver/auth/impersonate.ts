import type { IncomingHttpHeaders } from 'node:http'
import type { Identity } from '../../apimachinery/kind.js'
import { refusals, StatusError } from '../../apimachinery/status-error.js'

const EXTRA = 'impersonate-extra-'

/**
 * The user a request wants to act as (`kubectl --as`), or the real one. Only members of system:masters may act as others.
 * Throws 400 for a group or extra without a user, 403 for anyone else.
 * `headersDistinct` is Node's: every value of a header that was given several times.
 */
export function actingUser(user: Identity, headersDistinct: NodeJS.Dict<string[]>, headers: IncomingHttpHeaders): Identity {
  const name = headers['impersonate-user']
  const extras = Object.keys(headers).filter((header) => header.startsWith(EXTRA))
  const groups = headersDistinct['impersonate-group'] ?? []
  const uid = headers['impersonate-uid']
  if (name === undefined && groups.length === 0 && uid === undefined && extras.length === 0) return user
  if (typeof name !== 'string' || name === '') throw refusals.badRequest('requested to impersonate groups, a uid or extras without a user')
  if (!user.groups.includes('system:masters'))
    throw new StatusError({
      code: 403,
      reason: 'Forbidden',
      message: `users ${JSON.stringify(name)} is forbidden: User ${JSON.stringify(user.name)} cannot impersonate resource "users" in API group "" at the cluster scope`,
      details: { name, kind: 'users' },
    })
  const extra = Object.fromEntries(extras.map((header) => [decoded(header.slice(EXTRA.length)), headersDistinct[header] ?? []]))
  return {
    name,
    groups: impliedGroups(name, groups),
    ...(typeof uid === 'string' && { uid }),
    ...(extras.length > 0 && { extra }),
  }
}

/** Groups that come with a name where none are asked for (apiserver pkg/endpoints/filters/impersonation.go). */
function impliedGroups(name: string, asked: readonly string[]): string[] {
  const account = /^system:serviceaccount:([^:]+):[^:]+$/.exec(name)
  const own = account && asked.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : asked
  return [...new Set([...own, name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'])]
}

/** Keys of extras are percent-encoded, since header names are not free; a broken one is taken as it is. */
function decoded(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}
