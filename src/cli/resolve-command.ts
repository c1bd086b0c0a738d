import { builtInPlugins } from '../plugins/index.js'
import { usageError } from './arguments.js'
import { commandGroups, rootSections } from './command-groups.js'
import { commandTable, ownCommands } from './command-table.js'

/** Where the words of a command line lead. `rest` is what is left of it for the command to parse. */
export type Resolved =
  | { found: 'command'; path: string; rest: readonly string[] }
  | { found: 'group'; path: string; rest: readonly string[] }
  /** `kn` alone, or with flags only. */
  | { found: 'root'; rest: readonly string[] }
  /** `kn help X Y`. */
  | { found: 'help'; words: readonly string[] }

/** The flags that need no value, as far as is known before the command is. */
const SWITCHES: ReadonlySet<string> = new Set(['--help', '--log-http', '--no-log-http', '-h'])

/**
 * Finds the command a command line names. Flags may stand before and between its words; one that is not known here counts
 * the next word as its value. Throws kn's errors for words that lead nowhere.
 *
 * @see spf13/cobra v1 command.go, Find and stripFlags
 */
export function resolveCommand(argv: readonly string[], bin: string): Resolved {
  let path = ''
  let rest = [...argv]
  for (;;) {
    const at = nextWord(rest)
    if (at < 0) return path === '' ? { found: 'root', rest } : { found: 'group', path, rest }
    const word = rest[at]!
    if (path === '' && word === 'help') return { found: 'help', words: rest.slice(at + 1).filter((text) => !text.startsWith('-')) }
    const next = child(path, word)
    if (!next) throw unknownWord(path, word, bin)
    rest = [...rest.slice(0, at), ...rest.slice(at + 1)]
    path = next
    if (commandTable[path]) return { found: 'command', path, rest }
  }
}

/**
 * Whether these words name one of kn's own commands (whatever follows it) or groups, by name or alias. A word that a group does not know
 * makes them no command: it may be added. What built-in plugins bring is not kn's own.
 */
export function isOwnCommand(words: readonly string[]): boolean {
  let path = ''
  for (const word of words) {
    const next = path === '' && word === 'help' ? word : child(path, word)
    if (!next) return false
    if (next === 'help' || ownCommands[next]) return true
    path = next
  }
  return childrenOf(path).length > 0 && !builtInPlugins.some(({ noun }) => path === noun || path.startsWith(`${noun} `))
}

/** Children of a group ('' is the root) by their last words, sorted: commands, and groups that hold some. */
export function childrenOf(path: string): readonly string[] {
  const prefix = path === '' ? '' : `${path} `
  const words = Object.keys(commandTable)
    .filter((candidate) => candidate.startsWith(prefix))
    .map((candidate) => candidate.slice(prefix.length).split(' ')[0]!)
  return [...new Set(words)].sort()
}

/** The error of a group without a sub-command. */
export function noSubCommand(path: string, bin: string): Error {
  return usageError(`no sub-command given for '${bin} ${path}'. Available sub-commands: ${childrenOf(path).join(', ')}`)
}

/** The full words of a child of `path` that `word` names, by its name or an alias. */
function child(path: string, word: string): string | undefined {
  const full = path === '' ? word : `${path} ${word}`
  if (commandTable[full] || isGroup(full)) return full
  return childrenOf(path)
    .map((name) => (path === '' ? name : `${path} ${name}`))
    .find((candidate) => (commandTable[candidate]?.aliases ?? commandGroups[candidate]?.aliases)?.includes(word))
}

function isGroup(path: string): boolean {
  return Object.hasOwn(commandGroups, path) && childrenOf(path).length > 0
}

/** Index of the first word that is neither a flag nor a flag's value, or -1. */
function nextWord(argv: readonly string[]): number {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === '--') return -1
    if (!word.startsWith('-')) {
      if (word !== '') return at
    } else if (!word.includes('=') && !SWITCHES.has(word) && (word.startsWith('--') || word.length === 2)) {
      at++
    }
  }
  return -1
}

function unknownWord(path: string, word: string, bin: string): Error {
  if (path !== '')
    return usageError(`unknown sub-command '${word}' for '${bin} ${path}'. Available sub-commands: ${childrenOf(path).join(', ')}`)
  const near = suggestions(word)
  const hint = near.length > 0 ? `\n\nDid you mean this?\n${near.map((name) => `\t${name}\n`).join('')}` : ''
  return usageError(`unknown command "${word}" for "${bin}"${hint}`)
}

/** Top words at an edit distance of at most 2, or that begin with what was typed. */
function suggestions(typed: string): readonly string[] {
  const listed = new Set([...rootSections.flatMap(({ words }) => words), ...builtInPlugins.map(({ noun }) => noun)])
  return childrenOf('').filter(
    (name) => listed.has(name) && (name.startsWith(typed.toLowerCase()) || editDistance(typed.toLowerCase(), name) <= 2),
  )
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const change = previous[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(change, previous[column]! + 1, current[column - 1]! + 1))
    }
    previous = current
  }
  return previous[to.length]!
}
