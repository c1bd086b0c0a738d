import type { Identity } from '../../apimachinery/kind.js'
import { StatusError } from '../../apimachinery/status-error.js'
import type { ResourcePath } from '../paths.js'

/** A call on a resource, as rules see it. Empty texts and absent ones mean the same. */
export interface ResourceAttributes {
  verb: string
  group: string
  resource: string
  subresource?: string | undefined
  /** Absent at the cluster scope, where rules of ClusterRoleBindings alone count. */
  namespace?: string | undefined
  name?: string | undefined
}

/** A call on anything else: `get` on `/metrics`. */
export interface PathAttributes {
  verb: string
  path: string
}

export type Attributes = ResourceAttributes | PathAttributes

const VERB_OF_METHOD: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/**
 * What an HTTP request asks for, before anyone looks at whether it exists: who may not ask learns nothing of what is there.
 * @see kubernetes/apiserver v0.35 pkg/endpoints/request/requestinfo.go
 */
export function requestAttributes(
  method: string,
  path: string,
  resource: ResourcePath | undefined,
  query: Pick<URLSearchParams, 'get'>,
): Attributes {
  if (!resource) return { verb: method.toLowerCase(), path }
  const { group, plural, subresource, name, legacyWatch } = resource
  // A Namespace lies in itself: whoever may see the namespaces of a namespace may see its own.
  const namespace = resource.namespace ?? (group === '' && plural === 'namespaces' ? name : undefined)
  const attributes = { verb: VERB_OF_METHOD[method] ?? method.toLowerCase(), group, resource: plural, subresource, namespace, name }
  if (legacyWatch) return { ...attributes, verb: 'watch', name: name ?? selectedName(query) }
  if (name !== undefined) return attributes
  if (attributes.verb === 'delete') return { ...attributes, verb: 'deletecollection' }
  if (attributes.verb !== 'get') return attributes
  return { ...attributes, verb: isSet(query.get('watch')) ? 'watch' : 'list', name: selectedName(query) }
}

/** The one name that a field selector of a list or watch leaves, so that a rule with resourceNames can allow it. */
function selectedName(query: Pick<URLSearchParams, 'get'>): string | undefined {
  const selector = query.get('fieldSelector') ?? ''
  // Names have nothing to escape, and a comma behind a backslash would only look like the end of a requirement.
  return selector.includes('\\') ? undefined : /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(selector)?.[1]
}

function isSet(value: string | null): boolean {
  return value !== null && value.toLowerCase() !== 'false' && value !== '0'
}

/**
 * The 403 for a call that nothing allows.
 * @see kubernetes/apiserver v0.35 pkg/endpoints/handlers/responsewriters/errors.go
 */
export function forbidden(user: Identity, attributes: Attributes, reason: string): StatusError {
  const why = `${sentence(user, attributes)}${reason ? `: ${reason}` : ''}`
  if ('path' in attributes) return new StatusError({ code: 403, reason: 'Forbidden', message: `forbidden: ${why}`, details: {} })
  const { group, resource, name } = attributes
  const qualified = group ? `${resource}.${group}` : resource
  return new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: `${qualified}${name ? ` ${JSON.stringify(name)}` : ''} is forbidden: ${why}`,
    details: { ...(name && { name }), ...(group && { group }), kind: resource },
  })
}

function sentence(user: Identity, attributes: Attributes): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${attributes.verb}`
  if ('path' in attributes) return `${who} path ${JSON.stringify(attributes.path)}`
  const { group, resource, subresource, namespace } = attributes
  const whole = subresource ? `${resource}/${subresource}` : resource
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope'
  return `${who} resource ${JSON.stringify(whole)} in API group ${JSON.stringify(group)} ${where}`
}
