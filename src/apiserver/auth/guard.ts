/**
 * Keeps web pages away from an API that listens on loopback: a browser can be made to send requests here (DNS rebinding,
 * cross-site forms and fetches), but it always says to which host and from which site.
 */

/** Names under which the control listener is reached: by people and tools, and by workloads as on a cluster. */
const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]']
const CLUSTER_NAMES: readonly string[] = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc']

export interface GuardRefusal {
  code: 400 | 403
  message: string
}

/**
 * The exact Host values that are let in. `extraNames` are further addresses the listener was told to bind. A port that is
 * the scheme's own may be left out, and on a unix socket (`anyPort`) there is none to name.
 */
export function allowedHosts(options: { port: number; extraNames?: readonly string[]; anyPort?: boolean }): ReadonlySet<string> {
  const hosts = new Set<string>()
  for (const name of [...LOOPBACK_NAMES, ...CLUSTER_NAMES, ...(options.extraNames ?? [])]) {
    hosts.add(`${name.toLowerCase()}:${options.port}`)
    if (options.port === 443 || options.anyPort) hosts.add(name.toLowerCase())
  }
  return hosts
}

/**
 * Judges the headers of a request before anything else is looked at, upgrades included. `rawHeaders` are names and values
 * in turn, as they came in: a repeated Host must not hide behind the first one.
 */
export function guard(rawHeaders: readonly string[], allowed: ReadonlySet<string>): GuardRefusal | undefined {
  let host: string | undefined
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    const value = rawHeaders[index + 1]!.trim()
    if (name === 'host') {
      if (host !== undefined) return { code: 400, message: 'more than one Host header' }
      host = value.toLowerCase()
    } else if (name === 'origin') {
      if (!isOwnOrigin(value.toLowerCase(), allowed) && !isMadeUp(value.toLowerCase(), allowed, rawHeaders))
        return { code: 403, message: 'requests from another origin are not allowed' }
    } else if (name === 'sec-fetch-site') {
      // Only what a browser says about its own pages and about an address typed in; anything else came from elsewhere.
      if (value !== 'same-origin' && value !== 'none') return { code: 403, message: 'cross-site requests are not allowed' }
    }
  }
  if (host === undefined || host === '') return { code: 400, message: 'missing Host header' }
  return allowed.has(host) ? undefined : { code: 403, message: 'the Host header names no address of this server' }
}

/**
 * Whether an origin is what Python's WebSockets say of themselves: our own address, as if it were one without TLS. Only in a handshake
 * that shows a credential, which no page can send: `Sec-` headers are the browser's own, and to a handshake it adds no Authorization.
 */
function isMadeUp(origin: string, allowed: ReadonlySet<string>, rawHeaders: readonly string[]): boolean {
  const has = (wanted: string): boolean => rawHeaders.some((name, index) => index % 2 === 0 && name.toLowerCase() === wanted)
  return isOwnOrigin(origin.replace(/^http:/, 'https:'), allowed) && has('sec-websocket-key') && has('authorization')
}

function isOwnOrigin(origin: string, allowed: ReadonlySet<string>): boolean {
  const scheme = 'https://'
  return origin.startsWith(scheme) && allowed.has(origin.slice(scheme.length))
}
