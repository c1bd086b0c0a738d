/** Where a container's environment comes from, as the kubelet puts it together. */
export interface EnvironmentSources {
  /** envFrom, in order, prefixes applied: a later one wins over an earlier one. */
  from?: readonly Readonly<Record<string, string>>[]
  /** env, in order. `verbatim` values come from valueFrom and are not expanded. */
  env?: readonly { name: string; value: string; verbatim?: boolean }[]
  /** Service links: only where nothing else has the name. */
  services?: Readonly<Record<string, string>>
}

/**
 * Replaces `$(NAME)` by the variable of that name; a name that is not in `vars` stays as it was written, `$$` is a single `$`
 * (so `$$(NAME)` is the text `$(NAME)`), and anything else after a `$` is left alone.
 *
 * @see kubernetes/kubernetes v1.35 third_party/forked/golang/expansion/expand.go
 */
export function expandReferences(value: string, vars: Readonly<Record<string, string>>): string {
  return value.replace(/\$(?:\$|\(([^)]*)\))/g, (whole, name: string | undefined) => {
    if (name === undefined) return '$'
    return Object.hasOwn(vars, name) ? vars[name]! : whole
  })
}

/**
 * The environment of one container: envFrom first, then env in its order (each value may refer to what stands before it, to envFrom
 * and to service links), then the service links nobody has overridden.
 *
 * @see kubernetes/kubernetes v1.35 pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables
 */
export function mergeEnvironment({ from = [], env = [], services = {} }: EnvironmentSources): Record<string, string> {
  const merged: Record<string, string> = {}
  for (const source of from) Object.assign(merged, source)
  for (const { name, value, verbatim } of env) merged[name] = verbatim ? value : expandReferences(value, { ...services, ...merged })
  return { ...services, ...merged }
}

/**
 * The same, with the sink that a source or a SinkBinding has injected as a URL that every program reaches: `direct` is given the URL as
 * the object has it. Arguments that refer to it get that one too.
 */
export function withDirectSink(sources: EnvironmentSources, direct: (url: string) => string): EnvironmentSources {
  const env = sources.env?.map((variable) => (variable.name === 'K_SINK' ? { ...variable, value: direct(variable.value) } : variable))
  return { ...sources, ...(env && { env }) }
}

/** Carries the instance's marker, by which its workloads are found again, whatever they did to their process group. */
export const MARKER_VARIABLE = 'KN_LOCAL_INSTANCE'

/** The URL of the workload proxy, for the preload that resolves names inside the cluster in Node's programs. */
export const PROXY_VARIABLE = 'KN_LOCAL_PROXY'
/** What needs no proxy; most programs take `localhost` to mean all names below it too. */
const NO_PROXY = 'localhost,127.0.0.1,::1'

/** What a login without any configuration would have. */
const FALLBACK_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The way of a workload to names inside the cluster. */
export interface WorkloadNetwork {
  /** Of the workload proxy, with its credential. */
  proxyUrl: string
  /** A file that Node's programs load first; absent for programs that have no use for it. */
  preload?: string
}

/**
 * The variables that lead a program to the workload proxy, as far as it brings none of its own: a Pod's `http_proxy` stays what it is,
 * in either case of letters. NODE_OPTIONS of its own keep what they say, behind ours.
 */
function networkEnvironment({ proxyUrl, preload }: WorkloadNetwork, own: Readonly<Record<string, string>>): Record<string, string> {
  const brings = (...names: string[]): boolean => names.some((name) => Object.hasOwn(own, name))
  const bringsProxy = brings('http_proxy', 'HTTP_PROXY')
  const bringsSecure = bringsProxy || brings('https_proxy', 'HTTPS_PROXY')
  return {
    [PROXY_VARIABLE]: proxyUrl,
    ...(!bringsProxy && { http_proxy: proxyUrl, HTTP_PROXY: proxyUrl }),
    ...(!bringsSecure && { https_proxy: proxyUrl, HTTPS_PROXY: proxyUrl }),
    ...(!bringsProxy && !brings('no_proxy', 'NO_PROXY') && { no_proxy: NO_PROXY, NO_PROXY }),
    ...(preload !== undefined && { NODE_OPTIONS: `--require ${quoted(preload)} ${own['NODE_OPTIONS'] ?? ''}`.trimEnd() }),
  }
}

/** As NODE_OPTIONS has it: in double quotes, with a backslash before what ends them. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&')}"`
}

/**
 * The environment a workload's process is started with: what the runtime adds, below the image's, below the container's own; the marker
 * cannot be overridden. Of the host's environment only PATH, LANG and TZ are passed on: no credential, no NODE_OPTIONS, no KUBECONFIG.
 */
export function processEnvironment(options: {
  hostEnv: Readonly<Record<string, string | undefined>>
  image: Readonly<Record<string, string>>
  own: Readonly<Record<string, string>>
  home: string
  temporary: string
  hostname: string
  marker: string
  network?: WorkloadNetwork
}): Record<string, string> {
  const { hostEnv } = options
  const brought = { ...options.image, ...options.own }
  return {
    PATH: hostEnv['PATH'] || FALLBACK_PATH,
    LANG: hostEnv['LANG'] || 'C.UTF-8',
    ...(hostEnv['TZ'] !== undefined && { TZ: hostEnv['TZ'] }),
    HOME: options.home,
    TMPDIR: options.temporary,
    HOSTNAME: options.hostname,
    ...brought,
    ...(options.network && networkEnvironment(options.network, brought)),
    [MARKER_VARIABLE]: options.marker,
  }
}
