import type { Command } from '@oclif/core'
import { builtInPlugins } from '../plugins/index.js'
import { commandsOf } from '../plugins/manifest.js'

export type CommandClass = typeof Command

export interface CommandEntry {
  /** Other last words: `kn service ls`. */
  aliases?: readonly string[]
  /** Not listed by help. */
  hidden?: boolean
  load(): Promise<{ default: unknown }>
}

const ls = ['ls'] as const

/** kn's own commands by their words: the same as the files below commands/, each loaded only when it is run or listed. */
export const ownCommands: Readonly<Record<string, CommandEntry>> = {
  'emulator clock advance': { load: () => import('../../commands/emulator/clock/advance.js') },
  'emulator clock freeze': { load: () => import('../../commands/emulator/clock/freeze.js') },
  'emulator clock resume': { load: () => import('../../commands/emulator/clock/resume.js') },
  'emulator clock show': { load: () => import('../../commands/emulator/clock/show.js') },
  'emulator delete': { load: () => import('../../commands/emulator/delete.js') },
  'emulator exec': { load: () => import('../../commands/emulator/exec.js') },
  'emulator logs': { load: () => import('../../commands/emulator/logs.js') },
  'emulator reset': { load: () => import('../../commands/emulator/reset.js') },
  'emulator start': { load: () => import('../../commands/emulator/start.js') },
  'emulator status': { load: () => import('../../commands/emulator/status.js') },
  'emulator stop': { load: () => import('../../commands/emulator/stop.js') },
  options: { hidden: true, load: () => import('../../commands/options.js') },
  'plugin list': { aliases: ls, load: () => import('../../commands/plugin/list.js') },
  'revision delete': { load: () => import('../../commands/revision/delete.js') },
  'revision describe': { load: () => import('../../commands/revision/describe.js') },
  'revision list': { aliases: ls, load: () => import('../../commands/revision/list.js') },
  'route describe': { load: () => import('../../commands/route/describe.js') },
  'route list': { aliases: ls, load: () => import('../../commands/route/list.js') },
  'service create': { load: () => import('../../commands/service/create.js') },
  'service delete': { load: () => import('../../commands/service/delete.js') },
  'service describe': { load: () => import('../../commands/service/describe.js') },
  'service list': { aliases: ls, load: () => import('../../commands/service/list.js') },
  'service update': { load: () => import('../../commands/service/update.js') },
  version: { load: () => import('../../commands/version.js') },
}

/** Every command by its words, those of the built-in plugins too. */
export const commandTable: Readonly<Record<string, CommandEntry>> = Object.assign({}, ownCommands, ...builtInPlugins.map(commandsOf))

/** The class of a command. */
export async function loadCommand(path: string): Promise<CommandClass> {
  return (await commandTable[path]!.load()).default as CommandClass
}
