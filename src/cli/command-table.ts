import type { Command } from '@oclif/core'

export type CommandClass = typeof Command

export interface CommandEntry {
  /** Other last words: `kn service ls`. */
  aliases?: readonly string[]
  /** Not listed by help. */
  hidden?: boolean
  load(): Promise<{ default: unknown }>
}

const ls = ['ls'] as const

/** Every command by its words: the same as the files below commands/, each loaded only when it is run or listed. */
export const commandTable: Readonly<Record<string, CommandEntry>> = {
  'emulator delete': { load: () => import('../../commands/emulator/delete.js') },
  'emulator exec': { load: () => import('../../commands/emulator/exec.js') },
  'emulator logs': { load: () => import('../../commands/emulator/logs.js') },
  'emulator reset': { load: () => import('../../commands/emulator/reset.js') },
  'emulator start': { load: () => import('../../commands/emulator/start.js') },
  'emulator status': { load: () => import('../../commands/emulator/status.js') },
  'emulator stop': { load: () => import('../../commands/emulator/stop.js') },
  'image list': { aliases: ls, load: () => import('../../commands/image/list.js') },
  options: { hidden: true, load: () => import('../../commands/options.js') },
  quickstart: { load: () => import('../../commands/quickstart.js') },
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

/** The class of a command. */
export async function loadCommand(path: string): Promise<CommandClass> {
  return (await commandTable[path]!.load()).default as CommandClass
}
