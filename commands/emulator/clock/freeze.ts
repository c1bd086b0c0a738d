import { KnCommand } from '../../../src/cli/kn-command.js'
import { clockTarget, setClock, standsLine } from '../../../src/cli/nouns/clock.js'
import { instanceFlag } from '../../../src/cli/nouns/emulator.js'

export default class EmulatorClockFreeze extends KnCommand {
  static override summary = "Stop an emulator's time where it is"
  static override description =
    "Stops an emulator's time where it is: windows, back-offs, retention and ages stand still until it is advanced or resumed. Requests, probes and programs go on."
  static override flags = { ...instanceFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorClockFreeze)
    const target = await clockTarget(flags, this.isGiven('name'), this.world)
    const clock = await setClock(await this.connect(target.flags), { mode: 'Frozen' })
    this.log(standsLine(clock, target.instance))
  }
}
