import type { ServiceAccountTokens } from '../auth/service-account-tokens.js'

/** What the control listener tells beside the API itself: version, health, paths, keys. */

export interface VersionInfo {
  major: string
  minor: string
  gitVersion: string
  gitCommit?: string
  gitTreeState?: string
  buildDate?: string
  goVersion?: string
  compiler?: string
  platform?: string
}

export interface PlainDocument {
  contentType: string
  body: string
}

/** Every member that clients decode, so that none of them prints a blank. */
export function versionDocument(version: VersionInfo): PlainDocument {
  const { versions, platform, arch } = process
  const whole: Required<VersionInfo> = {
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node${versions.node}`,
    compiler: 'node',
    platform: `${platform}/${arch === 'x64' ? 'amd64' : arch}`,
    ...version,
  }
  return { contentType: 'application/json', body: JSON.stringify(whole, null, 2) }
}

const HEALTH = /^\/(healthz|livez|readyz)(?:\/(.*))?$/

/** What is checked: a server that answers is well. What goes wrong with a write is told to its writer. */
const CHECKS: readonly string[] = ['ping']

/**
 * `ok`, or the list of checks with `?verbose`, less those that `exclude` names; one check below its own path. Undefined for any
 * other path.
 * @see kubernetes/apiserver v0.35 pkg/server/healthz/healthz.go
 */
export function healthDocument(path: string, query: URLSearchParams): PlainDocument | undefined {
  const [, endpoint, check] = HEALTH.exec(path) ?? []
  if (endpoint === undefined || (check !== undefined && !CHECKS.includes(check))) return undefined
  const contentType = 'text/plain; charset=utf-8'
  if (check !== undefined || !query.has('verbose')) return { contentType, body: 'ok' }
  const excluded = query.getAll('exclude')
  const lines = CHECKS.map((name) => (excluded.includes(name) ? `[+]${name} excluded: ok` : `[+]${name} ok`))
  const strangers = excluded.filter((name) => !CHECKS.includes(name)).map((name) => JSON.stringify(name))
  if (strangers.length > 0) lines.push(`warn: some health checks cannot be excluded: no matches for ${strangers.join(', ')}`)
  return { contentType, body: `${lines.join('\n')}\n${endpoint} check passed\n` }
}

/**
 * What whoever verifies tokens of ServiceAccounts asks for (OpenID Connect discovery); undefined for any other path.
 * `host` is the address the server was reached by, and its keys can be.
 */
export function tokenKeysDocument(path: string, tokens: ServiceAccountTokens, host: string): PlainDocument | undefined {
  if (path === '/.well-known/openid-configuration')
    return { contentType: 'application/json', body: JSON.stringify(tokens.configuration(`https://${host}/openid/v1/jwks`)) }
  return path === '/openid/v1/jwks' ? { contentType: 'application/jwk-set+json', body: JSON.stringify(tokens.keys()) } : undefined
}

/** What `/` lists. */
export function pathsDocument(groupVersions: readonly string[]): PlainDocument {
  const groups = new Set(groupVersions.map((version) => version.split('/')[0]!))
  const paths = [
    '/api',
    '/api/v1',
    '/apis',
    ...[...groups].map((group) => `/apis/${group}`),
    ...groupVersions.map((version) => `/apis/${version}`),
    '/.well-known/openid-configuration',
    '/healthz',
    '/livez',
    '/metrics',
    '/openid/v1/jwks',
    '/openapi/v2',
    '/openapi/v3',
    '/readyz',
    '/version',
  ]
  return { contentType: 'application/json', body: JSON.stringify({ paths: paths.sort() }, null, 2) }
}
