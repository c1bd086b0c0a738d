import { parseArguments, usageError } from './arguments.js'
import { ensureConfigFile } from './config-file.js'
import { globalFlags } from './flags.js'
import { CommandDone, HELP_RULE } from './kn-command.js'
import { findPlugin, type PluginPlaces, pluginPlaces, pluginWords, runPlugin } from './plugins.js'
import { exitCodeFor } from './print/errors.js'
import { noSubCommand, resolveCommand } from './resolve-command.js'
import { OutputClosed, type World } from './world.js'

/** Runs the command of these words with the rest of the command line. A number it resolves to is the exit code. */
export type RunCommand = (path: string, argv: readonly string[]) => Promise<unknown>

/**
 * A whole run of kn: configuration, a plugin if the words name one, else which command, the command, the error if there is one. Resolves
 * to the exit code: 0 done, 1 failed, 70 a bug of ours, or what the command itself says (`emulator exec` hands on its child's). Both
 * entries (the installed bundle and bin/dev.js) come through here and differ only in `run`.
 */
export async function runProgram(argv: readonly string[], world: World, run: RunCommand): Promise<number> {
  try {
    ensureConfigFile(argv, world)
    const line = pluginWords(argv)
    const places = await pluginPlaces(line, world)
    const plugin = findPlugin(line, places)
    return plugin ? await runPlugin(plugin, argv, world) : await dispatch(argv, places, world, run)
  } catch (error) {
    if (error instanceof CommandDone || error instanceof OutputClosed) return 0
    return exitCodeFor(error, world)
  }
}

async function dispatch(argv: readonly string[], places: PluginPlaces, world: World, run: RunCommand): Promise<number> {
  const resolved = resolveCommand(argv, world.bin)
  switch (resolved.found) {
    case 'command': {
      const result = await run(resolved.path, resolved.rest)
      return typeof result === 'number' ? result : 0
    }
    case 'help':
      world.stdout.write(await helpFor(resolved.words, places, world))
      return 0
    default: {
      const path = resolved.found === 'group' ? resolved.path : ''
      const wantsHelp = hasHelpFlag(resolved.rest, path === '' ? world.bin : `${world.bin} ${path}`)
      if (path !== '' && !wantsHelp) throw noSubCommand(path, world.bin)
      const { groupHelp } = await import('./print/help.js')
      world.stdout.write(await groupHelp(path, places, world))
      return 0
    }
  }
}

async function helpFor(words: readonly string[], places: PluginPlaces, world: World): Promise<string> {
  const { commandHelp, groupHelp } = await import('./print/help.js')
  const { loadCommand } = await import('./command-table.js')
  let resolved: ReturnType<typeof resolveCommand>
  try {
    resolved = resolveCommand(words, world.bin)
  } catch {
    return `Unknown help topic ${JSON.stringify(words).replaceAll('"', '`').replaceAll(',', ' ')}\n${await groupHelp('', places, world)}`
  }
  if (resolved.found === 'command') return commandHelp(await loadCommand(resolved.path), resolved.path, world)
  return groupHelp(resolved.found === 'group' ? resolved.path : '', places, world)
}

/** The flags a group itself takes are the global ones. */
function hasHelpFlag(argv: readonly string[], name: string): boolean {
  try {
    return parseArguments({ ...globalFlags, help: HELP_RULE }, argv).given.some((flag) => flag.name === 'help')
  } catch (error) {
    throw usageError(`${(error as Error).message} for '${name}'`)
  }
}
