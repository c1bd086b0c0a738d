import { proxyPathFrom } from './streams/proxy.js'

/** A request's path as the API reads it. */
export interface ResourcePath {
  group: string
  version: string
  plural: string
  namespace?: string
  name?: string
  subresource?: string
  /** `/api/v1/watch/…`, the old way to ask for a watch. */
  legacyWatch?: boolean
}

/** Subresources of a Namespace itself; anything else behind its name is a collection in it. */
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize'])

/**
 * Reads `/api/v1/…` and `/apis/<group>/<version>/…`; undefined for every other path (discovery among them). Throws
 * URIError for a malformed escape.
 */
export function resourcePathFrom(path: string): ResourcePath | undefined {
  // Looked for first, as it is hardly ever there.
  const proxied = path.includes('/proxy') ? proxyPathFrom(path) : undefined
  if (proxied) {
    const { namespace, what, segment } = proxied
    // Whoever may proxy to one of them is asked for the name as it stands in the path, with scheme and port.
    return { group: '', version: 'v1', plural: what, namespace, name: segment, subresource: 'proxy' }
  }
  const written = path.split('/').slice(1)
  // Hardly any path has an escape, and looking for one in each segment takes longer than all the rest.
  const segments = path.includes('%') ? written.map((segment) => decodeURIComponent(segment)) : written
  if (segments.at(-1) === '') segments.pop()
  let group = ''
  let version: string | undefined
  if (segments[0] === 'api') {
    version = segments[1]
    segments.splice(0, 2)
  } else if (segments[0] === 'apis') {
    group = segments[1] ?? ''
    version = segments[2]
    segments.splice(0, 3)
    if (group === '') return undefined
  }
  if (!version || segments.length === 0 || segments.includes('')) return undefined

  const legacyWatch = segments[0] === 'watch'
  if (legacyWatch) segments.shift()
  const [first, second, third] = segments
  if (first === undefined) return undefined
  const isInNamespace =
    first === 'namespaces' && second !== undefined && third !== undefined && !(segments.length === 3 && NAMESPACE_SUBRESOURCES.has(third))
  const at = isInNamespace ? 2 : 0
  // Member after member: made of spreads, each would be an object of a shape of its own to the engine, and slow wherever it is read.
  const found: ResourcePath = { group, version, plural: isInNamespace ? third : first }
  if (legacyWatch) found.legacyWatch = true
  if (isInNamespace) found.namespace = second
  if (segments.length > at + 1) found.name = segments[at + 1]!
  // What lies deeper (proxied paths) has no verb here: the whole rest is an unknown subresource.
  if (segments.length > at + 2) found.subresource = segments.slice(at + 2).join('/')
  return found
}
