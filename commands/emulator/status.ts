import { Flags } from '@oclif/core'
import { UserError } from '../../src/base/user-error.js'
import { usageError } from '../../src/cli/arguments.js'
import { KnCommand } from '../../src/cli/kn-command.js'
import { instanceFlag, statusLines, statusOf } from '../../src/cli/nouns/emulator.js'

export default class EmulatorStatus extends KnCommand {
  static override summary = 'Show where an emulator listens and whether it runs; fails when it does not run'
  static override flags = { ...instanceFlag, output: Flags.string({ char: 'o', description: 'Output format. One of: json.' }) }

  async run(): Promise<void> {
    const { flags } = await this.parse(EmulatorStatus)
    if (flags.output !== undefined && flags.output !== 'json')
      throw usageError(`invalid value "${flags.output}" for output flag, it takes 'json'`)
    const { runningInstance } = await import('../../src/emulator/instance.js')
    const { instancePaths } = await import('../../src/emulator/paths.js')
    const { readRecord } = await import('../../src/emulator/record.js')
    const paths = instancePaths(flags.name, this.world.env)
    const record = readRecord(paths)
    if (!record) {
      throw new UserError({ code: 'no-instance', what: `there is no emulator '${flags.name}'`, remedies: ['kn emulator start'] })
    }
    const status = statusOf(record, paths, await runningInstance(record, paths))
    if (flags.output === 'json') this.log(JSON.stringify(status, null, 4))
    else for (const line of statusLines(status)) this.log(line)
    if (status.state === 'Stopped') {
      throw new UserError({ code: 'not-running', what: `emulator '${flags.name}' is not running`, remedies: ['kn emulator start'] })
    }
  }
}
