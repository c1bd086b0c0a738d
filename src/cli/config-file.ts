import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { usageError } from './arguments.js'
import { readFileIfExists } from './read-file.js'
import type { World } from './world.js'

/** What a new configuration file says: every setting, as comments. */
const TEMPLATE = `# Settings of kn. Every line is a comment: remove the leading # of what you want to change.

# Plugins
#plugins:
#  # Where kn looks for plugins, besides the PATH
#  directory: ~/.config/kn/plugins

# Eventing
#eventing:
#  # More prefixes for --sink, or other meanings of the built-in ones
#  sink-mappings:
#  - prefix: mysvc
#    group: ""
#    version: v1
#    resource: services
#  # More short names for --type of channels
#  channel-type-mappings:
#  - alias: mychannel
#    group: messaging.example.com
#    version: v1
#    kind: MyChannel

# Annotations and labels that --profile adds to a service
#profiles:
#  myprofile:
#    annotations:
#    - name: example.com/annotation
#      value: "true"
#    labels:
#    - name: example.com/label
#      value: "true"
`

type ConfigWorld = Pick<World, 'env' | 'home' | 'stderr'>

/** Where the configuration is: --config, the deprecated ~/.kn if it is there, else below the XDG configuration home. */
export function configFilePath(argv: readonly string[], world: ConfigWorld): string {
  const given = configFlag(argv)
  if (given) return given
  const deprecated = join(world.home, '.kn')
  return existsSync(deprecated) ? join(deprecated, 'config.yaml') : join(configHome(world), 'config.yaml')
}

/**
 * Writes the template where no configuration is yet, as kn does on every run, and warns about the deprecated directory.
 * A directory that cannot be written is no error: kn then goes on without.
 */
export function ensureConfigFile(argv: readonly string[], world: ConfigWorld): void {
  const path = configFilePath(argv, world)
  if (!configFlag(argv) && path === join(world.home, '.kn', 'config.yaml')) {
    world.stderr.write(
      `WARNING: deprecated kn config directory '${dirname(path)}' detected. Please move your configuration to '${configHome(world)}'\n`,
    )
  }
  if (existsSync(path)) return
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o775 })
    writeFileSync(path, TEMPLATE, { flag: 'wx', mode: 0o600 })
  } catch {
    // Read-only home directories are usual in CI.
  }
}

/**
 * What a configuration says, or undefined where it says nothing of the settings that begin with `word`, in which case it is not even parsed:
 * nearly all are nothing but comments. Throws a usage error for a configuration that is no YAML.
 */
export async function readSettings(path: string, word: string): Promise<Record<string, unknown> | undefined> {
  const text = configText(path)
  if (text === undefined || !new RegExp(`^[\\s{"']*${word}`, 'im').test(text)) return undefined
  const { parsePlainYaml } = await import('../client/plain-yaml.js')
  return lowerCased(parsePlainYaml(text) ?? (await wholeYaml(text)))
}

/** kn's configuration library does not tell upper from lower case in keys. */
export function lowerCased(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toLowerCase(), item]))
}

function configText(path: string): string | undefined {
  try {
    return readFileIfExists(path)
  } catch {
    // As in kn, which goes on without a configuration that it cannot read.
    return undefined
  }
}

async function wholeYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml')
  try {
    return parse(text)
  } catch (error) {
    throw usageError(`While parsing config: yaml: ${(error as Error).message}`)
  }
}

function configHome({ env, home }: ConfigWorld): string {
  return join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'kn')
}

function configFlag(argv: readonly string[]): string | undefined {
  let found: string | undefined
  for (const [at, word] of argv.entries()) {
    if (word === '--') break
    if (word === '--config') found = argv[at + 1]
    else if (word.startsWith('--config=')) found = word.slice('--config='.length)
  }
  return found || undefined
}
