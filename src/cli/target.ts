import { existsSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { UserError } from '../base/user-error.js'
import {
  type Access,
  type AccessOverrides,
  accessFrom,
  emulatorOf,
  inClusterAccess,
  type Kubeconfig,
  readKubeconfigs,
} from '../client/kubeconfig.js'
import type { TargetFlags } from './kn-command.js'
import { readFileIfExists } from './read-file.js'

export interface TargetDeps {
  env: NodeJS.ProcessEnv
  home: string
  /** Makes sure that an instance of the emulator runs; resolves to the path of its kubeconfig. */
  ensureEmulator(instance: string): Promise<{ kubeconfig: string }>
  parseYaml(text: string): unknown | Promise<unknown>
}

/** The context an instance of the emulator has in kubeconfigs: `kn-emulator`, `kn-emulator-<name>`. */
const EMULATOR_CONTEXT = /^kn-emulator(?:-(.+))?$/

/**
 * Which server a command speaks to (docs/architecture.md): the flags, KUBECONFIG, ~/.kube/config, the cluster this runs in, the
 * emulator. The emulator is started only where nothing else was asked for, in any way, and never in CI, unless KN_EMULATOR=1 or its
 * context was chosen by name. Throws a UserError where no server is chosen or the kubeconfig is wrong.
 */
export async function resolveTarget(flags: TargetFlags, deps: TargetDeps): Promise<Access> {
  const { env } = deps
  const overrides = { context: flags.context, cluster: flags.cluster, as: flags.as, asUid: flags['as-uid'], asGroups: flags['as-group'] }
  const config = await readKubeconfigs(kubeconfigPaths(flags, deps), { readFile: readFileIfExists, parseYaml: deps.parseYaml })

  const named = EMULATOR_CONTEXT.exec(flags.context ?? '')
  if (named && !config.contexts.has(flags.context!)) return emulatorAccess(named[1] ?? 'default', overrides, deps)

  const access = accessFrom(config, overrides) ?? inClusterAccess(env, readFileIfExists)
  if (access) return access
  if (!mayStartEmulator(flags, env, config)) throw noKubeconfig(config)
  return emulatorAccess('default', overrides, deps)
}

/** Starts an instance if need be, and how to reach it. */
export async function emulatorAccess(instance: string, overrides: AccessOverrides, deps: TargetDeps): Promise<Access> {
  const { kubeconfig } = await deps.ensureEmulator(instance)
  const config = await readKubeconfigs([kubeconfig], { readFile: readFileIfExists, parseYaml: deps.parseYaml })
  const access = accessFrom(config, { ...overrides, context: undefined, cluster: undefined })
  if (!access) throw new Error(`the emulator's own kubeconfig ${kubeconfig} names no server`)
  return access
}

/** The kubeconfig files that these flags and the environment name. Throws a UserError when the flag's is not there. */
export function kubeconfigPaths({ kubeconfig }: TargetFlags, { env, home }: Pick<TargetDeps, 'env' | 'home'>): string[] {
  if (kubeconfig) {
    if (isThere(kubeconfig)) return [kubeconfig]
    const what =
      kubeconfig.split(delimiter).length > 1
        ? `can not find config file. '${kubeconfig}' looks like a path. Please use the env var KUBECONFIG if you want to check for multiple configuration files`
        : `can not find config file: '${kubeconfig}'`
    throw new UserError({ code: 'kubeconfig-missing', what })
  }
  const listed = env['KUBECONFIG']
  return listed ? listed.split(delimiter).filter(Boolean) : [join(home, '.kube', 'config')]
}

function isThere(path: string): boolean {
  return existsSync(path) && !statSync(path).isDirectory()
}

function mayStartEmulator(flags: TargetFlags, env: NodeJS.ProcessEnv, config: Kubeconfig): boolean {
  if (env['KN_EMULATOR'] === '1') return true
  // An empty one counts: a job whose secret is missing must fail rather than run against something else.
  const wasGiven = [flags.kubeconfig, flags.context, flags.cluster, env['KUBECONFIG']].some((value) => value !== undefined)
  const isCi = !['', '0', 'false', undefined].includes(env['CI'])
  // Clusters are configured and none is current: someone took the choice away on purpose.
  const hasOthers = [...config.contexts.values()].some(({ cluster }) => !emulatorOf(config.clusters.get(cluster ?? '') ?? {}))
  return !wasGiven && !isCi && !hasOthers
}

function noKubeconfig(config: Kubeconfig): UserError {
  const contexts = [...config.contexts.keys()]
  return new UserError({
    code: 'no-kubeconfig',
    what: 'no kubeconfig has been provided, please use a valid configuration to connect to the cluster',
    remedies: [
      ...(contexts.length > 0 ? [`kn --context CONTEXT …, with one of: ${contexts.join(', ')}`] : []),
      'KN_EMULATOR=1 kn …, to use the local cluster inside kn (kn emulator exec does so for a whole job)',
    ],
  })
}
