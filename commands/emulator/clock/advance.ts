import { Args } from '@oclif/core'
import { UserError } from '../../../src/base/user-error.js'
import { KnCommand } from '../../../src/cli/kn-command.js'
import { clockTarget, readClock, setClock, standsLine, stepFrom } from '../../../src/cli/nouns/clock.js'
import { instanceFlag } from '../../../src/cli/nouns/emulator.js'

export default class EmulatorClockAdvance extends KnCommand {
  static override summary = "Move an emulator's frozen clock on"
  static override description =
    "Moves an emulator's frozen clock on. Everything that is due on the way happens at its own time, in order, and has settled when the command ends."
  static override usage = 'emulator clock advance DURATION'
  static override args = { duration: Args.string({ required: true, description: 'How far, such as 91s, 2m or 1h30m.' }) }
  static override flags = { ...instanceFlag }
  static override examples = ['<%= config.bin %> emulator clock freeze', '<%= config.bin %> emulator clock advance 91s']

  async run(): Promise<void> {
    const { args, flags } = await this.parse(EmulatorClockAdvance)
    const advanceBy = stepFrom(args.duration, `${this.world.bin} ${this.path}`)
    const target = await clockTarget(flags, this.isGiven('name'), this.world)
    const client = await this.connect(target.flags)
    if ((await readClock(client)).spec.mode !== 'Frozen') {
      throw new UserError({
        code: 'clock-not-frozen',
        what: `cannot advance the clock of emulator '${target.instance}'`,
        why: 'it runs, and must be frozen first',
        remedies: [`kn emulator clock freeze${this.isGiven('name') ? ` --name ${target.instance}` : ''}`],
      })
    }
    this.log(standsLine(await setClock(client, { advanceBy }), target.instance))
  }
}
