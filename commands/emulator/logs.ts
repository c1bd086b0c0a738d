import { Flags } from '@oclif/core'
import { UserError } from '../../src/base/user-error.js'
import { intFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { instanceFlag } from '../../src/cli/nouns/emulator.js'

const POLL_MS = 200

export default class EmulatorLogs extends KnCommand {
  static override summary = "Print an emulator's own log"
  static override flags = {
    ...instanceFlag,
    follow: Flags.boolean({ char: 'f', description: 'Go on printing what is added.' }),
    tail: intFlag({ description: 'Begin with this many of the last lines (default: all).' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorLogs)
    const { instancePaths } = await import('../../src/emulator/paths.js')
    const { closeSync, fstatSync, openSync, readSync } = await import('node:fs')
    const paths = instancePaths(flags.name, this.world.env)
    const open = (): number => {
      try {
        return openSync(paths.log, 'r')
      } catch {
        throw new UserError({
          code: 'no-instance',
          what: `there is no emulator '${flags.name}'`,
          why: `${paths.log} does not exist`,
          remedies: ['kn emulator start'],
        })
      }
    }
    const file = open()
    try {
      const readFrom = (offset: number): Buffer => {
        const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - offset))
        return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, offset))
      }
      const all = readFrom(0)
      this.print(lastLines(all.toString('utf8'), flags.tail))
      for (let offset = all.length; flags.follow; ) {
        await this.world.clock.sleep(POLL_MS)
        const more = readFrom(offset)
        offset += more.length
        this.print(more.toString('utf8'))
      }
    } finally {
      closeSync(file)
    }
  }
}

function lastLines(text: string, count: number | undefined): string {
  if (count === undefined || count < 0) return text
  const lines = text.split('\n')
  return lines.slice(Math.max(0, lines.length - 1 - count)).join('\n')
}
