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
  'broker create': { load: () => import('../../commands/broker/create.js') },
  'broker delete': { load: () => import('../../commands/broker/delete.js') },
  'broker describe': { load: () => import('../../commands/broker/describe.js') },
  'broker list': { aliases: ls, load: () => import('../../commands/broker/list.js') },
  'broker update': { load: () => import('../../commands/broker/update.js') },
  'emulator clock advance': { load: () => import('../../commands/emulator/clock/advance.js') },
  'emulator clock freeze': { load: () => import('../../commands/emulator/clock/freeze.js') },
  'emulator clock resume': { load: () => import('../../commands/emulator/clock/resume.js') },
  'emulator clock show': { load: () => import('../../commands/emulator/clock/show.js') },
  'emulator delete': { load: () => import('../../commands/emulator/delete.js') },
  'emulator exec': { load: () => import('../../commands/emulator/exec.js') },
  'emulator logs': { load: () => import('../../commands/emulator/logs.js') },
  'emulator parity': { load: () => import('../../commands/emulator/parity.js') },
  'emulator reset': { load: () => import('../../commands/emulator/reset.js') },
  'emulator start': { load: () => import('../../commands/emulator/start.js') },
  'emulator status': { load: () => import('../../commands/emulator/status.js') },
  'emulator stop': { load: () => import('../../commands/emulator/stop.js') },
  'eventtype create': { load: () => import('../../commands/eventtype/create.js') },
  'eventtype delete': { load: () => import('../../commands/eventtype/delete.js') },
  'eventtype describe': { load: () => import('../../commands/eventtype/describe.js') },
  'eventtype list': { aliases: ls, load: () => import('../../commands/eventtype/list.js') },
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
  'trigger create': { load: () => import('../../commands/trigger/create.js') },
  'trigger delete': { load: () => import('../../commands/trigger/delete.js') },
  'trigger describe': { load: () => import('../../commands/trigger/describe.js') },
  'trigger list': { aliases: ls, load: () => import('../../commands/trigger/list.js') },
  'trigger update': { load: () => import('../../commands/trigger/update.js') },
  version: { load: () => import('../../commands/version.js') },
}

/** Every command by its words, those of the built-in plugins too. */
export const commandTable: Readonly<Record<string, CommandEntry>> = Object.assign({}, ownCommands, ...builtInPlugins.map(commandsOf))

/** The class of a command. */
export async function loadCommand(path: string): Promise<CommandClass> {
  return (await commandTable[path]!.load()).default as CommandClass
}
