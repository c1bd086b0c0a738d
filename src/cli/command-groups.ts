import { builtInPlugins } from '../plugins/index.js'

/** A word that only holds sub-commands. */
export interface CommandGroup {
  summary: string
  description?: string
  aliases?: readonly string[]
  /** What stands in the usage line after the group's name. */
  usage?: string
}

const ownGroups: Readonly<Record<string, CommandGroup>> = {
  service: { summary: 'Manage Knative services', aliases: ['ksvc', 'services'] },
  revision: { summary: 'Manage the revisions of services', aliases: ['revisions'] },
  route: { summary: 'Show the routes of services', aliases: ['routes'] },
  broker: { summary: 'Manage message brokers', aliases: ['brokers'] },
  trigger: { summary: 'Manage event triggers', aliases: ['triggers'] },
  eventtype: { summary: 'Manage event types', aliases: ['eventtypes'] },
  emulator: { summary: 'Manage the local cluster inside kn', usage: 'COMMAND' },
  'emulator clock': { summary: "Stop, move and resume an emulator's time", usage: 'COMMAND' },
  plugin: { summary: 'Manage kn plugins', aliases: ['plugins'] },
}

const pluginGroups = builtInPlugins
  .filter(({ commands }) => !commands[''])
  .map(({ noun, summary, lacks, aliases }): [string, CommandGroup] => [
    noun,
    { summary, description: `${summary}.\n\n${lacks}`, usage: 'COMMAND', ...(aliases && { aliases }) },
  ])

/** Groups by their words, `source apiserver` for a nested one. Listed by help only where there is a command in them. */
export const commandGroups: Readonly<Record<string, CommandGroup>> = { ...ownGroups, ...Object.fromEntries(pluginGroups) }

/** What `kn` alone lists, in this order; each word a group or a command at the top. */
export const rootSections: readonly { header: string; words: readonly string[] }[] = [
  { header: 'Serving Commands:', words: ['service', 'revision', 'route', 'domain', 'container'] },
  { header: 'Eventing Commands:', words: ['source', 'broker', 'trigger', 'channel', 'subscription', 'eventtype'] },
  { header: 'Local Commands:', words: ['emulator'] },
  { header: 'Other Commands:', words: ['plugin', 'secret', 'completion', 'version'] },
]

export const ROOT_DESCRIPTION = `kn manages Knative Serving and Eventing resources, on a cluster or on the local one inside it.

Find more information about Knative at: https://knative.dev`
