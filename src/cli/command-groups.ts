/** A word that only holds sub-commands. */
export interface CommandGroup {
  summary: string
  description?: string
  aliases?: readonly string[]
  /** What stands in the usage line after the group's name. */
  usage?: string
}

/** Groups by their words, `source apiserver` for a nested one. Listed by help only where there is a command in them. */
export const commandGroups: Readonly<Record<string, CommandGroup>> = {
  service: { summary: 'Manage Knative services', aliases: ['ksvc', 'services'] },
  revision: { summary: 'Manage the revisions of services', aliases: ['revisions'] },
  route: { summary: 'Show the routes of services', aliases: ['routes'] },
  emulator: { summary: 'Manage the local cluster inside kn', usage: 'COMMAND' },
  image: { summary: 'Manage the images that local workloads run', aliases: ['images'], usage: 'COMMAND' },
  quickstart: { summary: 'Get started with a cluster', usage: 'COMMAND' },
}

/** What `kn` alone lists, in this order; each word a group or a command at the top. */
export const rootSections: readonly { header: string; words: readonly string[] }[] = [
  { header: 'Serving Commands:', words: ['service', 'revision', 'route', 'domain', 'container'] },
  { header: 'Eventing Commands:', words: ['source', 'broker', 'trigger', 'channel', 'subscription', 'eventtype'] },
  { header: 'Local Commands:', words: ['emulator', 'image', 'quickstart'] },
  { header: 'Other Commands:', words: ['plugin', 'secret', 'completion', 'version'] },
]

export const ROOT_DESCRIPTION = `kn manages Knative Serving and Eventing resources, on a cluster or on the local one inside it.

Find more information about Knative at: https://knative.dev`
