import { usageError } from '../../src/cli/arguments.js'
import { verboseFlag } from '../../src/cli/flags.js'
import { KnCommand } from '../../src/cli/kn-command.js'

export default class PluginList extends KnCommand {
  static override summary = 'List plugins'
  static override description =
    `Lists the plugins that kn finds: executables whose names begin with "kn-", in the plugin folder and then on the PATH, and those that are built in.

A plugin kn-my_noun is run by 'kn my-noun'. One of yours takes the place of a built-in plugin of the same noun.`
  static override flags = { ...verboseFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(PluginList)
    const { pluginPlaces, pluginWords } = await import('../../src/cli/plugins.js')
    const { pluginListText } = await import('../../src/cli/nouns/plugin.js')
    const { text, hasFailed } = pluginListText(await pluginPlaces(pluginWords(this.argv), this.world), flags)
    this.print(text)
    if (hasFailed) throw usageError('plugin validation errors')
  }
}
