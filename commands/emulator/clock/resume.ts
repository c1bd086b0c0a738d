import { KnCommand } from '../../../src/cli/kn-command.js'
import { clockTarget, setClock, standsLine } from '../../../src/cli/nouns/clock.js'
import { instanceFlag } from '../../../src/cli/nouns/emulator.js'

export default class EmulatorClockResume extends KnCommand {
  static override summary = "Let an emulator's time go on from where it stands"
  static override flags = { ...instanceFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorClockResume)
    const target = await clockTarget(flags, this.isGiven('name'), this.world)
    const clock = await setClock(await this.connect(target.flags), { mode: 'Real' })
    this.log(standsLine(clock, target.instance))
  }
}
