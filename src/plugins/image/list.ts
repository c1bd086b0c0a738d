import { Flags } from '@oclif/core'
import { usageError } from '../../cli/arguments.js'
import { KnCommand } from '../../cli/kn-command.js'

export default class ImageList extends KnCommand {
  static override summary = 'List the images that run on this machine'
  static override description = 'Lists the images that the emulator can run. Any tag of a built-in image means the same program.'
  static override flags = { output: Flags.string({ char: 'o', description: 'Output format. One of: json|wide.' }) }

  async run(): Promise<void> {
    const { flags } = await this.parse(ImageList)
    if (flags.output !== undefined && !['json', 'wide'].includes(flags.output)) {
      throw usageError(`invalid value "${flags.output}" for output flag, choose one among 'json' or 'wide'`)
    }
    const client = await this.connect(flags)
    const { emulatorImageKind } = await import('../../kinds/emulator/image/kind.js')
    const images = await client.list(emulatorImageKind)
    if (flags.output === 'json')
      return this.log(
        JSON.stringify(
          images.map(({ spec }) => spec),
          null,
          4,
        ),
      )
    const { tableText } = await import('../../cli/print/table.js')
    const headers =
      flags.output === 'wide'
        ? ['REPOSITORY', 'TYPE', 'ENVIRONMENT', 'DESCRIPTION', 'DIGEST']
        : ['REPOSITORY', 'TYPE', 'ENVIRONMENT', 'DESCRIPTION']
    const rows = images.map(({ spec }) => {
      const row = [spec.repository, spec.type, spec.environment.map(({ name }) => name).join(','), spec.description]
      return flags.output === 'wide' ? [...row, spec.digest] : row
    })
    this.print(tableText(headers, rows))
  }
}
