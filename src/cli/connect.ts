import { existsSync } from 'node:fs'
import { UserError } from '../base/user-error.js'
import { PROGRAM_VERSION } from '../base/versions.js'
import { type Client, createClient } from '../client/client.js'
import type { Exchange } from '../client/exchange.js'
import { createHttpsTransport } from '../client/https-transport.js'
import { type Access, beyondLightReader, type UserEntry } from '../client/kubeconfig.js'
import { parsePlainYaml } from '../client/plain-yaml.js'
import { createUnixExchange } from '../client/unix-exchange.js'
import type { TargetFlags } from './kn-command.js'
import { readFileIfExists } from './read-file.js'
import { emulatorAccess, resolveTarget, type TargetDeps } from './target.js'
import type { World } from './world.js'

/** A server, chosen; it is contacted by the first call. */
export interface Connected {
  client: Client
  /** Of the context; `default` where it names none. */
  namespace: string
  access: Access
  /** What time it is there, as far as its answers told: an emulator's clock may have been stopped or moved. */
  nowMs(): number
}

interface Route {
  server: string
  exchange: Exchange
  credential: () => Record<string, string>
}

/** Resolves which server these flags mean and makes a client of it. Throws what resolveTarget throws, and UserError for credentials that cannot be had. */
export async function connectTo(flags: TargetFlags, world: World): Promise<Connected> {
  const deps = targetDeps(world)
  const access = await resolveTarget(flags, deps)
  let route = await routeTo(access, world)
  const shown = new Set<string>()
  let aheadMs = 0

  const transport = createHttpsTransport({
    exchange: route.exchange,
    server: route.server,
    userAgent: `kn/v${PROGRAM_VERSION} (${process.platform}/${process.arch})`,
    credential: () => route.credential(),
    impersonation: impersonationOf(access.user),
    onServerTime: (epochMs) => {
      aheadMs = epochMs - world.clock.now()
    },
    ...(flags['log-http'] && { logHttp: (text: string) => world.stderr.write(text) }),
    ...(access.emulator && {
      recover: async () => {
        route = await routeTo(await emulatorAccess(access.emulator!.instance, {}, deps), world)
        return route
      },
    }),
  })
  const client = createClient({
    transport,
    // The credential decides; a network transport does not look at it.
    user: { name: '', groups: [] },
    fieldManager: 'kn',
    onWarning: (text) => {
      if (shown.has(text)) return
      shown.add(text)
      world.stderr.write(`Warning: ${text}\n`)
    },
  })
  return { client, namespace: access.namespace ?? 'default', access, nowMs: () => world.clock.now() + aheadMs }
}

/** What choosing a server needs of the world. */
export function targetDeps(world: World): TargetDeps {
  return {
    env: world.env,
    home: world.home,
    parseYaml: async (text) => {
      const plain = parsePlainYaml(text)
      if (plain !== undefined) return plain
      const { parse } = await import('yaml')
      return parse(text)
    },
    ensureEmulator: async (name) => {
      const [{ ensureRunning }, { createSystemRandom }] = await Promise.all([
        import('../emulator/instance.js'),
        import('../base/random.js'),
      ])
      return ensureRunning({
        name,
        env: world.env,
        clock: world.clock,
        random: createSystemRandom(),
        onStart: () => world.stderr.write(`Starting the local cluster '${name}' (kn emulator stop ends it) ...\n`),
      })
    },
  }
}

async function routeTo(access: Access, world: World): Promise<Route> {
  const server = access.cluster.server!
  const { socket } = access.emulator ?? {}
  if (socket && existsSync(socket)) {
    return { server, exchange: createUnixExchange(socket), credential: headersFrom(access.user) }
  }
  const proxy = access.emulator ? undefined : proxyFor(server, world.env)
  const proxied = proxy && !access.cluster['proxy-url'] ? { ...access, cluster: { ...access.cluster, 'proxy-url': proxy } } : access
  if (beyondLightReader(proxied)) return fullRoute(proxied, world)

  const credential = access.user.exec ? await fromProgram(access, world) : undefined
  const { createHttpsExchange } = await import('../client/https-exchange.js')
  const cert = credential?.clientCertificate ?? pem(access.user, 'client-certificate')
  const key = credential?.clientKey ?? pem(access.user, 'client-key')
  const ca = pem(access.cluster, 'certificate-authority')
  const tls = {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(access.cluster['tls-server-name'] && { serverName: access.cluster['tls-server-name'] }),
    ...(access.cluster['insecure-skip-tls-verify'] && { insecure: true }),
  }
  const token = credential?.token
  return {
    server,
    exchange: createHttpsExchange({ server, tls, clock: world.clock }),
    credential: token ? () => ({ Authorization: `Bearer ${token}` }) : headersFrom(access.user),
  }
}

async function fullRoute(access: Access, world: World): Promise<Route> {
  const [{ createHttpsExchange }, { programFile }, { createRequire }] = await Promise.all([
    import('../client/https-exchange.js'),
    import('../emulator/programs.js'),
    import('node:module'),
  ])
  // A bundle of its own, since the library is many times the size of everything else that kn loads.
  const load = createRequire(import.meta.url)
  const { requestOptionsFor } = load(programFile('client-node.cjs')) as typeof import('../client/client-node.js')
  const { headers, ...requestOptions } = await requestOptionsFor(access)
  const server = access.cluster.server!
  return {
    server,
    exchange: createHttpsExchange({ server, tls: {}, clock: world.clock, requestOptions }),
    credential: () => (headers ?? {}) as Record<string, string>,
  }
}

async function fromProgram({ user, cluster }: Access, world: World) {
  const [{ execCredential }, { runProgramForOutput }] = await Promise.all([import('../client/exec-credential.js'), import('./spawn.js')])
  return execCredential(user.exec!, cluster, {
    env: world.env,
    isTerminal: world.stderr.isTerminal,
    run: runProgramForOutput,
    readFile: readFileIfExists,
  })
}

/** The file of a token is read each time: what mounts it puts a new one there before the old one expires. */
function headersFrom(user: UserEntry): () => Record<string, string> {
  return (): Record<string, string> => {
    const token = (user.tokenFile && readFileIfExists(user.tokenFile)?.trim()) || user.token
    if (token) return { Authorization: `Bearer ${token}` }
    if (!user.username) return {}
    return { Authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}` }
  }
}

type PemName = 'certificate-authority' | 'client-certificate' | 'client-key'

function pem(entry: Partial<Record<PemName | `${PemName}-data`, unknown>>, name: PemName): string | undefined {
  const data = entry[`${name}-data`]
  if (typeof data === 'string' && data !== '') return Buffer.from(data, 'base64').toString()
  const path = entry[name]
  if (typeof path !== 'string' || path === '') return undefined
  const text = readFileIfExists(path)
  if (text !== undefined) return text
  throw new UserError({
    code: 'kubeconfig-invalid',
    what: `invalid configuration: unable to read ${name} ${path} due to open ${path}: no such file or directory`,
  })
}

function impersonationOf(user: UserEntry): Record<string, string | string[]> {
  return {
    ...(user.as && { 'Impersonate-User': user.as }),
    ...(user['as-uid'] && { 'Impersonate-Uid': user['as-uid'] }),
    ...(user['as-groups'] && user['as-groups'].length > 0 && { 'Impersonate-Group': user['as-groups'] }),
    ...Object.fromEntries(
      Object.entries(user['as-user-extra'] ?? {}).map(([key, values]) => [`Impersonate-Extra-${encodeURIComponent(key)}`, values]),
    ),
  }
}

/** The proxy that the environment names for this server, by Go's rules: never for loopback addresses. */
function proxyFor(server: string, env: NodeJS.ProcessEnv): string | undefined {
  const { protocol, hostname, port } = new URL(server)
  const [upper, lower] = protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy']
  const proxy = env[upper] || env[lower]
  if (!proxy || hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')) return undefined
  const isExcepted = (env['NO_PROXY'] || env['no_proxy'] || '').split(',').some((entry) => {
    const [name = '', onlyPort] = entry.trim().split(/:(?=\d+$)/)
    if (onlyPort && onlyPort !== (port || '443')) return false
    return name === '*' || (name !== '' && (hostname === name || hostname.endsWith(name.startsWith('.') ? name : `.${name}`)))
  })
  return isExcepted ? undefined : proxy
}
