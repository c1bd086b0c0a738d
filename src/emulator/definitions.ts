import type { CustomResourceDefinition } from '../apimachinery/custom-resource.js'
import { deepEqual } from '../apimachinery/json.js'
import type { ServedKind } from '../apimachinery/kind.js'
import type { Draft } from '../apimachinery/object.js'
import { KNATIVE_EVENTING_VERSION, KNATIVE_SERVING_VERSION } from '../base/versions.js'
import type { Client } from '../client/client.js'
import { customResourceDefinitionKind } from '../kinds/core/customresourcedefinition/kind.js'
import { ownDefinitionNames, ownDefinitions } from '../kinds/core/customresourcedefinition/own.js'

/**
 * Makes sure that the definitions of the kinds that the program serves itself are there, and say what this program's version
 * of them says. `client` acts as their writer.
 */
export async function publishDefinitions(client: Client, kinds: readonly ServedKind[]): Promise<void> {
  const versions = { serving: KNATIVE_SERVING_VERSION, eventing: KNATIVE_EVENTING_VERSION }
  await Promise.all(ownDefinitions(kinds, versions).map((draft) => publish(client, draft)))
}

/** Whether there is a definition of each of our kinds, as after any start but the first of a version that has more of them. */
export async function areDefinitionsThere(client: Client, kinds: readonly ServedKind[]): Promise<boolean> {
  const present = new Set((await client.list(customResourceDefinitionKind)).map(({ metadata }) => metadata.name))
  return ownDefinitionNames(kinds).every((name) => present.has(name))
}

async function publish(client: Client, draft: Draft<CustomResourceDefinition>): Promise<void> {
  const { name, labels, annotations } = draft.metadata
  const present = await client.find(customResourceDefinitionKind, { name: name! })
  if (!present) {
    await client.create(customResourceDefinitionKind, draft)
    return
  }
  const next: CustomResourceDefinition = {
    ...present,
    metadata: {
      ...present.metadata,
      labels: { ...present.metadata.labels, ...labels },
      annotations: { ...present.metadata.annotations, ...annotations },
    },
    spec: draft.spec,
  }
  if (!deepEqual(next, present)) await client.update(customResourceDefinitionKind, next)
}
