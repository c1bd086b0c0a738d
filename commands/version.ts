import { Flags } from '@oclif/core'
import { usageError } from '../src/cli/arguments.js'
import { KnCommand } from '../src/cli/kn-command.js'
import { versionInfo, versionText } from '../src/cli/version.js'

export default class Version extends KnCommand {
  static override summary = 'Show the version of this client'
  static override flags = { output: Flags.string({ char: 'o', description: 'Output format. One of: json|yaml.' }) }

  async run(): Promise<void> {
    const { flags } = await this.parse(Version)
    switch (flags.output) {
      case undefined:
      case '':
        return this.print(versionText())
      case 'json':
      case 'JSON':
        return this.print(JSON.stringify(versionInfo(), null, '\t'))
      case 'yaml':
      case 'YAML': {
        const { yamlText } = await import('../src/cli/print/output.js')
        return this.print(await yamlText(versionInfo()))
      }
      default:
        throw usageError(`invalid value for output flag, choose one among 'json' or 'yaml'`)
    }
  }
}
