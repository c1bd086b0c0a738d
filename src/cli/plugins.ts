import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import { UserError } from '../base/user-error.js'
import { usageError } from './arguments.js'
import { configFilePath, lowerCased, readSettings } from './config-file.js'
import { globalFlags } from './flags.js'
import { isOwnCommand } from './resolve-command.js'
import type { World } from './world.js'

/** A `kn-*` executable that a command line names. */
export interface ExecutablePlugin {
  path: string
  /** The words of the command line that name it. */
  words: readonly string[]
}

/** Where `kn-*` executables are looked for. */
export interface PluginPlaces {
  /** The plugin folder as the user wrote it. */
  folder: string
  /** The same with `~` filled in, then the directories of the PATH, as they are there. */
  directories: readonly [string, ...string[]]
}

/** What a command line says about plugins. */
export interface PluginLine {
  words: readonly string[]
  folder: string | undefined
  config: string | undefined
}

type PluginWorld = Pick<World, 'env' | 'home' | 'stderr'>

/** A longer file name cannot exist. */
const LONGEST_NAME = 255

/**
 * The words of a command line that can name a plugin, by the rules by which kn looks for them: only the global flags are known, and
 * any other flag takes the word after it along unless that looks like a flag. Besides, the last `--plugins-dir` and `--config`.
 *
 * @see knative/client cmd/kn/main.go, stripFlags; spf13/pflag v1 flag.go, stripUnknownFlagValue
 */
export function pluginWords(argv: readonly string[]): PluginLine {
  const line = argv.filter((word) => word !== '-h' && word !== '--help')
  const words: string[] = []
  let folder: string | undefined
  let config: string | undefined
  const afterUnknownValue = (at: number): number => (at < line.length && !line[at]!.startsWith('-') ? at + 1 : at)
  for (let at = 0; at < line.length; ) {
    const word = line[at++]!
    if (word === '--') {
      words.push(...line.slice(at))
      break
    }
    if (word.startsWith('--')) {
      const equals = word.indexOf('=')
      const name = equals < 0 ? word.slice(2) : word.slice(2, equals)
      const type = globalFlagType(name)
      if (type === 'option') {
        const value = equals < 0 ? line[at++] : word.slice(equals + 1)
        if (name === 'plugins-dir') folder = value
        else if (name === 'config') config = value
      } else if (type === undefined && equals < 0) {
        at = afterUnknownValue(at)
      }
    } else if (word.length > 1 && word.startsWith('-')) {
      // No global flag has a letter, so each of them is an unknown flag of its own.
      for (let letter = 1; letter < word.length; letter++) {
        if (word[letter + 1] === '=' && letter + 2 < word.length) break
        at = afterUnknownValue(at)
      }
    } else {
      words.push(word)
    }
  }
  return { words, folder, config }
}

function globalFlagType(name: string): 'boolean' | 'option' | undefined {
  const flag = (globalFlags as Record<string, { type: 'boolean' | 'option'; allowNo?: boolean }>)[name]
  if (flag) return flag.type
  return name === 'no-log-http' ? 'boolean' : undefined
}

/**
 * Where plugins are looked for: `--plugins-dir`, else what the configuration says (`plugins.directory`, once `plugins-dir`), else `plugins`
 * beside the configuration; then the PATH. Throws a usage error for a configuration that is no YAML.
 *
 * @see knative/client pkg/config/config.go, PluginsDir
 */
export async function pluginPlaces(line: Pick<PluginLine, 'folder' | 'config'>, world: PluginWorld): Promise<PluginPlaces> {
  const usual = configFilePath([], world)
  const folder = line.folder || (await configuredFolder(line.config || usual)) || join(dirname(usual), 'plugins')
  const path = folder === '~' || folder.startsWith('~/') ? join(world.home, folder.slice(1)) : folder
  return { folder, directories: [path, ...(world.env['PATH'] ?? '').split(':')] }
}

async function configuredFolder(path: string): Promise<string | undefined> {
  const settings = await readSettings(path, 'plugins')
  if (!settings) return undefined
  const found = lowerCased(settings['plugins'])['directory'] ?? settings['plugins-dir']
  return typeof found === 'string' ? found : undefined
}

/**
 * The executable that a command line names, if there is one: for the longest sequence of its words first, in the plugin folder, where
 * existing is enough, then on the PATH. One of the user's comes before a built-in plugin of the same words. Looks at single
 * files only, never through directories: it is on the way of every command. Throws a usage error when the executable has
 * the words of one of kn's own commands or groups.
 *
 * @see knative/client pkg/plugin/manager.go, findMostSpecificPluginInPath; cmd/kn/main.go, validatePlugin
 */
export function findPlugin({ words }: Pick<PluginLine, 'words'>, { directories }: PluginPlaces): ExecutablePlugin | undefined {
  const separator = words.findIndex((word) => word.includes('/'))
  for (let count = separator < 0 ? words.length : separator; count > 0; count--) {
    const named = words.slice(0, count)
    const path = findFile(fileNameOf(named), directories)
    if (path === undefined) continue
    if (isOwnCommand(named)) throw usageError(`plugin ${path} is overriding built-in command '${named.join(' ')}' which is not allowed`)
    return { path, words: named }
  }
  return undefined
}

/** `kn-source-my_kind` for `source my-kind`. */
function fileNameOf(words: readonly string[]): string {
  return `kn-${words.map((word) => word.replaceAll('-', '_')).join('-')}`
}

function findFile(name: string, [folder, ...searchPath]: PluginPlaces['directories']): string | undefined {
  if (Buffer.byteLength(name) > LONGEST_NAME) return undefined
  const own = `${folder}/${name}`
  if (existsSync(own)) return own
  for (const directory of searchPath) {
    const path = `${directory || '.'}/${name}`
    if (!existsSync(path) || !isExecutableFile(path)) continue
    // As Go does, so that nobody runs what happens to lie in the current directory.
    if (!isAbsolute(path)) {
      throw usageError(`error for looking up ${name} in path: exec: "${name}": cannot run executable found relative to current directory`)
    }
    return path
  }
  return undefined
}

/** Whether the current user may run this file. */
export function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * What a plugin gets of the command line: everything but the first occurrence of each of its words, so global flags that were written
 * before them too.
 *
 * @see knative/client cmd/kn/main.go, argsWithoutCommands
 */
export function pluginArguments(argv: readonly string[], words: readonly string[]): string[] {
  let next = 0
  return argv.filter((word) => {
    if (next >= words.length || word !== words[next]) return true
    next++
    return false
  })
}

/**
 * Runs a plugin on our own streams and environment, and resolves to the exit code of kn: 0, or 1 after a line about how the plugin
 * ended; 130 when it was interrupted.
 */
export async function runPlugin(plugin: ExecutablePlugin, argv: readonly string[], world: Pick<World, 'env' | 'stderr'>): Promise<number> {
  const { runAttached } = await import('./spawn.js')
  try {
    const { exitCode, signal } = await runAttached([plugin.path, ...pluginArguments(argv, plugin.words)], world.env)
    if (exitCode === 0) return 0
    if (signal === 'SIGINT') return 130
    world.stderr.write(`Error: ${signal ? `signal: ${SIGNAL_TEXTS[signal] ?? signal}` : `exit status ${exitCode}`}\n`)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const { code, message } = error.cause as NodeJS.ErrnoException
    world.stderr.write(`Error: fork/exec ${plugin.path}: ${START_TEXTS[code ?? ''] ?? message}\n`)
  }
  return 1
}

/** As Go names what may keep a program from starting, and what may end it. */
const START_TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'exec format error',
  E2BIG: 'argument list too long',
}
const SIGNAL_TEXTS: Partial<Record<NodeJS.Signals, string>> = {
  SIGHUP: 'hangup',
  SIGQUIT: 'quit',
  SIGABRT: 'aborted',
  SIGKILL: 'killed',
  SIGSEGV: 'segmentation fault',
  SIGPIPE: 'broken pipe',
  SIGTERM: 'terminated',
}
