import { usageError } from './arguments.js'
import { configFilePath, lowerCased, readSettings } from './config-file.js'
import type { ResourceName } from './nouns/sink.js'
import type { World } from './world.js'

/**
 * The prefixes for sinks that kn's configuration adds or gives another meaning: `eventing.sink-mappings`, once just `sink`. Throws a usage
 * error for one that cannot be read.
 *
 * @see knative/client pkg/config/config.go, parseSinkMappings
 */
export async function sinkMappings(
  configFlag: string | undefined,
  world: Pick<World, 'env' | 'home' | 'stderr'>,
): Promise<ReadonlyMap<string, ResourceName>> {
  const path = configFlag || configFilePath([], world)
  const eventing = lowerCased((await readSettings(path, 'eventing'))?.['eventing'])['sink-mappings']
  const found = eventing ?? (await readSettings(path, 'sink'))?.['sink'] ?? []
  const mappings = new Map<string, ResourceName>()
  for (const entry of Array.isArray(found) ? found : [found]) {
    if (typeof entry !== 'object' || entry === null) {
      throw usageError(`error while parsing sink mappings in configuration file ${path}: expected a map, got ${JSON.stringify(entry)}`)
    }
    const { prefix, group, version, resource } = lowerCased(entry)
    mappings.set(text(prefix), { group: text(group), version: text(version), plural: text(resource) })
  }
  return mappings
}

function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}
