import { Flags } from '@oclif/core'
import { usageError } from '../../../src/cli/arguments.js'
import { KnCommand } from '../../../src/cli/kn-command.js'
import { clockLines, clockTarget, clockView, readClock } from '../../../src/cli/nouns/clock.js'
import { instanceFlag } from '../../../src/cli/nouns/emulator.js'

export default class EmulatorClockShow extends KnCommand {
  static override summary = 'Show what time it is in an emulator, whether its clock runs, and what it waits for'
  static override flags = { ...instanceFlag, output: Flags.string({ char: 'o', description: 'Output format. One of: json.' }) }

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorClockShow)
    if (flags.output !== undefined && flags.output !== 'json')
      throw usageError(`invalid value "${flags.output}" for output flag, it takes 'json'`)
    const target = await clockTarget(flags, this.isGiven('name'), this.world)
    const view = clockView(await readClock(await this.connect(target.flags)), target.instance)
    if (flags.output === 'json') this.log(JSON.stringify(view, null, 4))
    else for (const line of clockLines(view)) this.log(line)
  }
}
