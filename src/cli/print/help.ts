import { commandGroups, ROOT_DESCRIPTION, rootSections } from '../command-groups.js'
import { type CommandClass, commandTable, loadCommand } from '../command-table.js'
import { globalFlags, HIDDEN_NEGATIONS } from '../flags.js'
import { pluginsBelow } from '../nouns/plugin.js'
import type { PluginPlaces } from '../plugins.js'
import { childrenOf } from '../resolve-command.js'
import type { World } from '../world.js'

type HelpWorld = Pick<World, 'bin' | 'stdout'>

/** A flag as help looks at it; oclif's definitions have this shape. */
interface HelpFlag {
  type: 'boolean' | 'option'
  char?: string
  description?: string
  summary?: string
  default?: unknown
  helpValue?: string | readonly string[]
  multiple?: boolean
  delimiter?: string
  allowNo?: boolean
  hidden?: boolean
}

/** The help of one command, in the layout of kn: what it does, usage, aliases, examples, options, hints. */
export function commandHelp(command: CommandClass, path: string, world: HelpWorld): string {
  const { bin } = world
  const sections = [
    (command.description ?? command.summary ?? '').trim(),
    `Usage:\n  ${usageLine(command, path, bin)}`,
    aliasSection(path.split(' ').pop()!, commandTable[path]?.aliases),
    exampleSection(command, path, bin),
    optionsSection(command.flags as Record<string, HelpFlag> | undefined, world),
    OPTIONS_HINT(bin),
  ]
  return `${sections.filter(Boolean).join('\n\n')}\n`
}

/** The help of a group, or of the whole program for ''. Loads the commands it lists, for their summaries, and looks for plugins. */
export async function groupHelp(path: string, places: PluginPlaces, world: HelpWorld): Promise<string> {
  const { bin } = world
  const group = commandGroups[path]
  const sections =
    path === ''
      ? [ROOT_DESCRIPTION, ...(await rootSectionTexts())]
      : [
          group?.description ?? group?.summary ?? '',
          `Usage:\n  ${[bin, path, group?.usage].filter(Boolean).join(' ')} [options]`,
          aliasSection(path.split(' ').pop()!, group?.aliases),
          await listSection('Available Commands:', path, childrenOf(path)),
        ]
  sections.push(wordList('Plugins:', pluginsBelow(path === '' ? [] : path.split(' '), places)))
  const name = path === '' ? bin : `${bin} ${path}`
  const hints = `Use "${name} [command] --help" for more information about a command.\n${OPTIONS_HINT(bin)}`
  return `${[...sections, hints].filter(Boolean).join('\n\n')}\n`
}

/** What `kn options` prints: the flags of every command. */
export function globalOptionsHelp(world: HelpWorld): string {
  const lines = flagLines(globalFlags as Record<string, HelpFlag>, world.stdout.columns)
  return `The following options can be passed to any command:\n\n${lines}\n`
}

const OPTIONS_HINT = (bin: string): string => `Use "${bin} options" for a list of global command-line options (applies to all commands).`

async function rootSectionTexts(): Promise<string[]> {
  const present = new Set(childrenOf(''))
  const texts = await Promise.all(
    rootSections.map(({ header, words }) =>
      listSection(
        header,
        '',
        words.filter((word) => present.has(word)),
      ),
    ),
  )
  return texts.filter(Boolean)
}

async function listSection(header: string, path: string, words: readonly string[]): Promise<string> {
  const shown = words.filter((word) => !commandTable[path === '' ? word : `${path} ${word}`]?.hidden)
  const entries = await Promise.all(
    shown.map(async (word) => {
      const full = path === '' ? word : `${path} ${word}`
      const text = commandGroups[full]?.summary ?? (commandTable[full] ? ((await loadCommand(full)).summary ?? '') : '')
      return { word, text }
    }),
  )
  return wordList(header, entries)
}

/** Words with what they stand for, aligned; '' for none. */
function wordList(header: string, entries: readonly { word: string; text: string }[]): string {
  const width = Math.max(11, ...entries.map(({ word }) => word.length))
  const lines = entries.map(({ word, text }) => `  ${word.padEnd(width)} ${text}`)
  return lines.length === 0 ? '' : [header, ...lines].join('\n')
}

function usageLine(command: CommandClass, path: string, bin: string): string {
  const usage = Array.isArray(command.usage) ? command.usage[0] : command.usage
  const names = Object.entries(command.args ?? {}).map(([name, { required, multiple }]) => {
    const text = multiple ? `${name.toUpperCase()} [${name.toUpperCase()} ...]` : name.toUpperCase()
    return required ? text : `[${text}]`
  })
  const own = usage?.startsWith(`${path} `) ? usage.slice(path.length + 1) : usage
  const line = [bin, path, own ?? names.join(' ')].filter(Boolean).join(' ')
  return line.includes('[') && own?.includes(' -- ') ? line : `${line} [options]`
}

function aliasSection(name: string, aliases: readonly string[] | undefined): string {
  return aliases && aliases.length > 0 ? `Aliases:\n  ${[name, ...aliases].join(', ')}` : ''
}

function exampleSection(command: CommandClass, path: string, bin: string): string {
  const examples = command.examples ?? []
  if (examples.length === 0) return ''
  const fill = (text: string): string => text.replaceAll(/<%=\s*config\.bin\s*%>/g, bin).replaceAll(/<%=\s*command\.id\s*%>/g, path)
  const texts = examples.map((example) =>
    typeof example === 'string'
      ? `  ${fill(example)}`
      : `  # ${fill(example.description)}\n  ${fill(example.command).replaceAll('\n', '\n  ')}`,
  )
  return `Examples:\n${texts.join('\n\n')}`
}

function optionsSection(flags: Record<string, HelpFlag> | undefined, world: HelpWorld): string {
  const lines = flagLines(flags ?? {}, world.stdout.columns)
  return lines === '' ? '' : `Options:\n${lines}`
}

/**
 * Flags as kn's flag library lists them: sorted by name, descriptions in one column, wrapped to the terminal's width.
 * @see spf13/pflag v1 flag.go, FlagUsagesWrapped
 */
function flagLines(flags: Readonly<Record<string, HelpFlag>>, columns: number | undefined): string {
  const rows = Object.entries(flags)
    .flatMap(([name, flag]) => [[name, flag] as const, ...negation(name, flag)])
    .filter(([, flag]) => !flag.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, flag]) => {
      const letter = flag.char ? `  -${flag.char}, ` : '      '
      const kind = valueName(flag)
      return { left: `${letter}--${name}${kind && ` ${kind}`}`, text: `${flag.description ?? flag.summary ?? ''}${defaultText(flag)}` }
    })
  const indent = Math.max(0, ...rows.map(({ left }) => left.length)) + 3
  return rows.map(({ left, text }) => `${left.padEnd(indent)}${wrapped(text, indent, columns)}`).join('\n')
}

function negation(name: string, flag: HelpFlag): [string, HelpFlag][] {
  if (!flag.allowNo || HIDDEN_NEGATIONS.has(name)) return []
  const description = (flag.description ?? '').replace(/^(\p{Lu})/u, (letter) => letter.toLowerCase())
  return [[`no-${name}`, { type: 'boolean', description: `Do not ${description}`, default: flag.default !== true }]]
}

function valueName(flag: HelpFlag): string {
  if (flag.type === 'boolean') return ''
  const given = typeof flag.helpValue === 'string' ? flag.helpValue : flag.helpValue?.[0]
  return given ?? (flag.multiple ? (flag.delimiter ? 'strings' : 'stringArray') : 'string')
}

function defaultText(flag: HelpFlag): string {
  const value = flag.default
  if (value === undefined || value === false || value === '' || value === 0 || typeof value === 'function' || Array.isArray(value))
    return ''
  return ` (default ${typeof value === 'string' ? JSON.stringify(value) : value})`
}

function wrapped(text: string, indent: number, columns: number | undefined): string {
  const width = (columns ?? 0) - indent
  if (width < 24) return text
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`)
}
