import { dirname, isAbsolute, join } from 'node:path'
import { UserError } from '../base/user-error.js'

/** By this extension of a cluster entry a context is known to be an emulator. */
export const EMULATOR_EXTENSION = 'kn-local.dev/emulator'

export interface ClusterEntry {
  server?: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
  'tls-server-name'?: string
  'proxy-url'?: string
  extensions?: { name: string; extension?: unknown }[]
}

/** How to obtain a credential by running a program (client.authentication.k8s.io). */
export interface ExecEntry {
  apiVersion?: string
  command: string
  args?: string[]
  env?: { name: string; value: string }[]
  installHint?: string
  provideClusterInfo?: boolean
  interactiveMode?: 'Never' | 'IfAvailable' | 'Always'
}

export interface UserEntry {
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  token?: string
  tokenFile?: string
  username?: string
  password?: string
  as?: string
  'as-uid'?: string
  'as-groups'?: string[]
  'as-user-extra'?: Record<string, string[]>
  'auth-provider'?: { name: string; config?: Record<string, string> }
  exec?: ExecEntry
}

export interface ContextEntry {
  cluster?: string
  user?: string
  namespace?: string
}

/** Several kubeconfig files seen as one. Paths in the entries are absolute. */
export interface Kubeconfig {
  currentContext: string
  clusters: ReadonlyMap<string, ClusterEntry>
  users: ReadonlyMap<string, UserEntry>
  contexts: ReadonlyMap<string, ContextEntry>
}

/** What the flags of a command put in the place of the kubeconfig's own choice. */
export interface AccessOverrides {
  context?: string | undefined
  cluster?: string | undefined
  as?: string | undefined
  asUid?: string | undefined
  asGroups?: readonly string[] | undefined
}

/** One server and how to speak to it, before any file it names is read. */
export interface Access {
  /** '' when no context chose this server. */
  context: string
  namespace: string | undefined
  cluster: ClusterEntry
  user: UserEntry
  /** Present when this server is an emulator: which instance, and its unix socket. */
  emulator?: { instance: string; socket?: string }
}

export interface KubeconfigDeps {
  /** The text of a file, undefined when there is none; any other failure throws. */
  readFile(path: string): string | undefined
  /** Reads YAML; asked only for what is not JSON. */
  parseYaml(text: string): unknown | Promise<unknown>
}

interface KubeconfigFile {
  'current-context'?: string
  clusters?: { name: string; cluster?: ClusterEntry }[] | null
  users?: { name: string; user?: UserEntry }[] | null
  contexts?: { name: string; context?: ContextEntry }[] | null
}

/**
 * Reads and merges kubeconfig files in the order given: the first file that names an entry or a current context wins, and
 * missing files are passed over. Throws a UserError for one that cannot be read as a kubeconfig.
 *
 * @see k8s.io/client-go tools/clientcmd/loader.go
 */
export async function readKubeconfigs(paths: readonly string[], deps: KubeconfigDeps): Promise<Kubeconfig> {
  const clusters = new Map<string, ClusterEntry>()
  const users = new Map<string, UserEntry>()
  const contexts = new Map<string, ContextEntry>()
  let currentContext = ''
  for (const path of paths) {
    const file = await readOne(path, deps)
    if (!file) continue
    const directory = dirname(path)
    currentContext ||= file['current-context'] ?? ''
    for (const { name, cluster } of file.clusters ?? [])
      addFirst(clusters, name, absolute(cluster ?? {}, ['certificate-authority'], directory))
    for (const { name, user } of file.users ?? []) {
      const entry = absolute(user ?? {}, ['client-certificate', 'client-key', 'tokenFile'], directory)
      // A command with a slash is a path beside the file; a bare name is looked up on the PATH.
      if (entry.exec?.command?.includes('/')) entry.exec = absolute(entry.exec, ['command'], directory)
      addFirst(users, name, entry)
    }
    for (const { name, context } of file.contexts ?? []) addFirst(contexts, name, context ?? {})
  }
  return { currentContext, clusters, users, contexts }
}

/**
 * The server that a kubeconfig and the flags of a command choose; undefined when they choose none. Throws a UserError in
 * client-go's words when a context, cluster or user that is named does not exist.
 */
export function accessFrom(config: Kubeconfig, overrides: AccessOverrides = {}): Access | undefined {
  const fail = (what: string, remedies: readonly string[] = []): never => {
    throw new UserError({ code: 'kubeconfig-invalid', what, remedies })
  }
  const contextName = overrides.context || config.currentContext
  const context = config.contexts.get(contextName)
  if (contextName && !context) {
    const known = [...config.contexts.keys()]
    const remedies = known.length > 0 ? [`choose one of: ${known.join(', ')}`] : []
    fail(
      overrides.context ? `context "${contextName}" does not exist` : `context was not found for specified context: ${contextName}`,
      remedies,
    )
  }
  const clusterName = overrides.cluster || context?.cluster || ''
  if (!clusterName) return undefined
  const cluster = config.clusters.get(clusterName) ?? fail(`cluster "${clusterName}" does not exist`)
  const userName = context?.user ?? ''
  const user = userName ? (config.users.get(userName) ?? fail(`auth info "${userName}" does not exist`)) : {}
  if (!cluster.server) fail(`invalid configuration: no server found for cluster "${clusterName}"`)
  const emulator = emulatorOf(cluster)
  return {
    context: contextName,
    namespace: context?.namespace || undefined,
    cluster,
    user: {
      ...user,
      ...(overrides.as && { as: overrides.as }),
      ...(overrides.asUid && { 'as-uid': overrides.asUid }),
      ...(overrides.asGroups && overrides.asGroups.length > 0 && { 'as-groups': [...overrides.asGroups] }),
    },
    ...(emulator && { emulator }),
  }
}

/** Which emulator a cluster entry stands for, by our extension; undefined for any other cluster. */
export function emulatorOf(cluster: ClusterEntry): { instance: string; socket?: string } | undefined {
  const found = cluster.extensions?.find(({ name }) => name === EMULATOR_EXTENSION)?.extension as
    | { instance?: unknown; socket?: unknown }
    | undefined
  if (typeof found?.instance !== 'string') return undefined
  return { instance: found.instance, ...(typeof found.socket === 'string' && { socket: found.socket }) }
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The server of the Pod this program runs in; undefined outside of one. Throws what reading its files throws. */
export function inClusterAccess(env: NodeJS.ProcessEnv, readFile: KubeconfigDeps['readFile']): Access | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  if (!host || !port || readFile(`${SERVICE_ACCOUNT}/token`) === undefined) return undefined
  return {
    context: '',
    namespace: readFile(`${SERVICE_ACCOUNT}/namespace`)?.trim() || undefined,
    cluster: {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      'certificate-authority': `${SERVICE_ACCOUNT}/ca.crt`,
    },
    user: { tokenFile: `${SERVICE_ACCOUNT}/token` },
  }
}

/**
 * Why this access needs the full Kubernetes client library; undefined when the light reader covers it. What it covers:
 * certificates, tokens, passwords and credential programs.
 */
export function beyondLightReader({ cluster, user }: Access): string | undefined {
  if (cluster['proxy-url']) return 'proxy-url'
  if (user['auth-provider']) return `auth-provider ${user['auth-provider'].name}`
  return undefined
}

async function readOne(path: string, deps: KubeconfigDeps): Promise<KubeconfigFile | undefined> {
  const fail = (error: unknown): never => {
    const why = (error as Error).message.split('\n')[0] ?? ''
    throw new UserError({ code: 'kubeconfig-unreadable', what: `error loading config file "${path}"`, why, cause: error })
  }
  let text: string | undefined
  try {
    text = deps.readFile(path)
  } catch (error) {
    fail(error)
  }
  if (!text?.trim()) return undefined
  let file: unknown
  try {
    file = jsonOf(text) ?? (await deps.parseYaml(text))
  } catch (error) {
    fail(error)
  }
  if (file === null || file === undefined) return undefined
  if (typeof file !== 'object' || Array.isArray(file)) fail(new Error('it is not a kubeconfig'))
  return file as KubeconfigFile
}

/** The emulator writes its own kubeconfigs as JSON, which is YAML, so that reading them needs no YAML parser. */
function jsonOf(text: string): unknown {
  if (!/^\s*\{/.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function addFirst<T>(entries: Map<string, T>, name: string, entry: T): void {
  if (!entries.has(name)) entries.set(name, entry)
}

function absolute<T extends object>(entry: T, names: readonly (keyof T)[], directory: string): T {
  const changed = { ...entry }
  for (const name of names) {
    const path = entry[name]
    if (typeof path === 'string' && path !== '' && !isAbsolute(path)) changed[name] = join(directory, path) as T[keyof T]
  }
  return changed
}
