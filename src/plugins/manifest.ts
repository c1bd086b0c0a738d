import type { CommandEntry } from '../cli/command-table.js'

/**
 * What a built-in plugin says of itself: enough for `kn`, its help and `kn plugin list` without loading any of its commands. A plugin
 * has one noun, as the executable `kn-<noun>` would; such an executable of the user takes its place.
 */
export interface PluginManifest {
  /** The word after `kn`. */
  noun: string
  /** Other words for it. */
  aliases?: readonly string[]
  /** One line, for the lists of help. */
  summary: string
  /** What kn itself has in its place, or that it has nothing: why this plugin is there. Whole sentences, shown by `kn <noun> --help`. */
  lacks: string
  /** Its commands by the words after the noun, each loaded only when it is run; '' when the noun itself is the command. */
  commands: Readonly<Record<string, CommandEntry>>
}

/** Every command of a plugin by all its words: `traffic show`. */
export function commandsOf({ noun, commands }: PluginManifest): Record<string, CommandEntry> {
  return Object.fromEntries(Object.entries(commands).map(([words, entry]) => [words === '' ? noun : `${noun} ${words}`, entry]))
}

/** The plugin as a file name has it: `kn-traffic`. */
export function pluginName({ noun }: Pick<PluginManifest, 'noun'>): string {
  return `kn-${noun.replaceAll('-', '_')}`
}
