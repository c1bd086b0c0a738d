import { readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { builtInPlugins } from '../../plugins/index.js'
import { type PluginManifest, pluginName } from '../../plugins/manifest.js'
import { isExecutableFile, type PluginPlaces } from '../plugins.js'
import { isOwnCommand } from '../resolve-command.js'

/** A `kn-*` file in the plugin folder or on the PATH. */
interface PluginFile {
  /** `kn-source-my_kind`. */
  name: string
  path: string
  /** `source`, `my-kind`. */
  words: readonly string[]
}

/** What `kn plugin list` found, told as kn tells it. */
export interface PluginFindings {
  errors: readonly string[]
  warnings: readonly string[]
}

/** Where a built-in plugin is said to come from. */
const BUILT_IN = 'built in'

/**
 * The plugins directly below a group ([] is the root) as help lists them: the word, and the path of the file; for a built-in plugin
 * what it is for. A file of the user stands in for the built-in plugin of its noun.
 *
 * @see knative/client pkg/plugin/manager.go, listPluginsHelpMessage
 */
export function pluginsBelow(group: readonly string[], places: PluginPlaces): readonly { word: string; text: string }[] {
  const files = pluginFiles(places)
    .filter(({ words }) => words.length === group.length + 1 && group.every((word, index) => words[index] === word))
    .map(({ words, path }) => ({ word: words.at(-1)!, text: path }))
  const builtIn = group.length > 0 ? [] : builtInPlugins.filter(({ noun }) => !files.some(({ word }) => word === noun))
  const shown = [...files, ...builtIn.map(({ noun, summary }) => ({ word: noun, text: `${summary} (${BUILT_IN})` }))]
  return shown.sort((a, b) => (a.word < b.word ? -1 : 1))
}

/**
 * `kn plugin list`: one line for each plugin, sorted by name, and what is wrong with them. `hasFailed` when there is an error among that.
 *
 * @see knative/client pkg/commands/plugin/list.go
 */
export function pluginListText(places: PluginPlaces, { verbose }: { verbose: boolean }): { text: string; hasFailed: boolean } {
  const files = pluginFiles(places)
  const lines = [
    ...files.map(({ name, path }) => ({ name, line: `- ${name} : ${path}${verbose ? `  (${path})` : ''}` })),
    ...builtInPlugins.map((plugin) => ({ name: pluginName(plugin), line: builtInLine(plugin, files, verbose) })),
  ].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const findings = findingsOf(places, files)
  const text = [
    ...(verbose ? headLines(places) : []),
    ...lines.map(({ line }) => line),
    ...(findings.errors.length + findings.warnings.length > 0 ? [''] : []),
    ...section('ERROR', findings.errors),
    ...section('WARNING', findings.warnings),
  ]
  return { text: text.map((line) => `${line}\n`).join(''), hasFailed: findings.errors.length > 0 }
}

function headLines({ folder, directories: [path] }: PluginPlaces): string[] {
  return [
    'The following plugins are available, using options:',
    `  plugins dir: '${folder}'${statOf(path) === 'ENOENT' ? ' (does not exist)' : ''}`,
    '  lookup plugins in $PATH: true',
    '',
  ]
}

function builtInLine(plugin: PluginManifest, files: readonly PluginFile[], verbose: boolean): string {
  const name = pluginName(plugin)
  const override = files.find((file) => file.name === name)
  const commands = Object.keys(plugin.commands).map((words) => ['kn', plugin.noun, words].filter(Boolean).join(' '))
  return `- ${name} : ${BUILT_IN}${override ? `, overridden by ${override.path}` : ''}${verbose ? `  (${commands.join(', ')})` : ''}`
}

function section(label: string, texts: readonly string[]): string[] {
  if (texts.length === 0) return []
  return [`${label}${texts.length === 1 ? '' : 's'}:`, ...texts.map((text) => `  - ${text}`)]
}

/** Every plugin file that is not shadowed by an equally named one before it, sorted by name. */
function pluginFiles({ directories }: PluginPlaces): PluginFile[] {
  const found = new Map<string, PluginFile>()
  for (const directory of new Set(directories)) {
    for (const name of namesIn(directory)) {
      if (!found.has(name)) found.set(name, { name, path: join(directory, name), words: wordsOf(name) })
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function wordsOf(name: string): string[] {
  return name
    .split('-')
    .slice(1)
    .map((word) => word.replaceAll('_', '-'))
}

/** @see knative/client pkg/plugin/verify.go */
function findingsOf({ directories }: PluginPlaces, files: readonly PluginFile[]): PluginFindings {
  const errors: string[] = []
  const warnings: string[] = []
  const seen = new Map<string, string>()
  for (const directory of new Set(directories)) {
    for (const name of namesIn(directory, (why) => errors.push(`unable to read directory '${directory}' from your plugin path: ${why}`))) {
      const path = join(directory, name)
      const stat = statOf(path)
      if (typeof stat === 'string') {
        errors.push(`cannot stat ${path}: stat ${path}: ${reasonText(stat)}`)
        continue
      }
      if (!stat.isFile()) warnings.push(`${path} is not a file`)
      else if (!isExecutableFile(path)) warnings.push(`${path} is not executable by current user`)
      const first = seen.get(name)
      if (first !== undefined) warnings.push(`${path} is ignored because it is shadowed by an equally named plugin: ${first}`)
      seen.set(name, path)
    }
  }
  for (const { path, words } of files) {
    if (isOwnCommand(words)) errors.push(`${path} overwrites existing built-in command: '${words.join(' ')}'`)
  }
  return { errors, warnings }
}

/** The `kn-*` entries of a directory that are no directories, sorted; none where there is no such directory. */
function namesIn(directory: string, onProblem: (why: string) => void = () => {}): string[] {
  if (directory === '') return []
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.name.startsWith('kn-') && !entry.isDirectory())
      .map(({ name }) => name)
      .sort()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code !== 'ENOENT') onProblem(`open ${directory}: ${reasonText(code)}`)
    return []
  }
}

/** What is at a path, or the code of the error. */
function statOf(path: string): Stats | string {
  try {
    return statSync(path)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? ''
  }
}

function reasonText(code: string): string {
  const texts: Record<string, string> = { ENOENT: 'no such file or directory', ENOTDIR: 'not a directory', EACCES: 'permission denied' }
  return texts[code] ?? code
}
