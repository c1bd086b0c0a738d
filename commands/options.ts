import { KnCommand } from '../src/cli/kn-command.js'

export default class Options extends KnCommand {
  static override summary = 'Print the options that every command takes'
  static override hidden = true

  async run(): Promise<void> {
    await this.parse(Options)
    const { globalOptionsHelp } = await import('../src/cli/print/help.js')
    this.print(globalOptionsHelp(this.world))
  }
}
