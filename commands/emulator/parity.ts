import { Flags } from '@oclif/core'
import { usageError } from '../../src/cli/arguments.js'
import { KnCommand } from '../../src/cli/kn-command.js'

export default class EmulatorParity extends KnCommand {
  static override summary = "Show what becomes of each field of Knative's kinds in an emulator"
  static override description =
    `Shows, for each field of Knative's kinds, what an emulator does with it: it is enforced as on a cluster; stored, without any effect; or refused, at the latest by a status that says why.

A row that ends in .* stands for everything below. No emulator has to run.`
  static override flags = {
    kind: Flags.string({ description: 'Show one kind: its name, or any name that kubectl takes for it.' }),
    output: Flags.string({ char: 'o', description: 'Output format. One of: json. Lists every field by itself.' }),
  }
  static override examples = ['<%= config.bin %> emulator parity --kind trigger', '<%= config.bin %> emulator parity -o json']

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorParity)
    if (flags.output !== undefined && flags.output !== 'json')
      throw usageError(`invalid value "${flags.output}" for output flag, it takes 'json'`)
    const { kindParities } = await import('../../src/kinds/parity.js')
    const { parityOf, parityRows, paritySummary, parityView } = await import('../../src/cli/nouns/parity.js')
    const parities = parityOf(kindParities, flags.kind)
    if (parities.length === 0) {
      const known = [...new Set(kindParities.map(({ kind }) => kind.kind))].join(', ')
      throw usageError(`unknown kind "${flags.kind}", it takes one of: ${known}`)
    }
    if (flags.output === 'json') return this.log(JSON.stringify(parityView(parities), null, 4))
    const { tableText } = await import('../../src/cli/print/table.js')
    this.print(tableText(['Kind', 'Field', 'State', 'Note'], parityRows(parities)))
    this.log('')
    this.log(paritySummary(parities))
  }
}
