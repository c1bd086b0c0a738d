import type { Kind } from '../apimachinery/kind.js'
import { controllerReference, type Draft, isControlledBy, type KubeObject, type OwnerReference } from '../apimachinery/object.js'
import { isAlreadyExists } from '../apimachinery/status-error.js'
import type { Client } from '../client/client.js'
import { asJson, isSameJson } from './same-json.js'

export interface OwnedResult<T extends KubeObject> {
  /** The child as it is stored now. */
  object: T
  result: 'created' | 'updated' | 'unchanged'
}

/**
 * Makes sure that a child exists and is as wanted: creates it with `owner` as its controller, or changes it where it
 * differs. `change` gets the existing child and returns it as it should be; absent: everything in the draft but metadata
 * (spec, data …) replaces what is there, and the draft's labels and annotations are added to the existing ones.
 *
 * Returns undefined when a child of that name exists that `owner` does not control: nothing is touched then. Throws what
 * the server says, a conflict included.
 */
export async function ensureOwned<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  owner: KubeObject,
  draft: Draft<T>,
  options: { change?: (existing: T) => T; existing?: T | undefined } = {},
): Promise<OwnedResult<T> | undefined> {
  const ref = { namespace: draft.metadata.namespace ?? owner.metadata.namespace, name: draft.metadata.name! }
  const existing = options.existing ?? (await client.find(kind, ref)) ?? (await createOwned(client, kind, owner, draft, ref))
  if ('created' in existing) return { object: existing.created, result: 'created' }
  if (!isControlledBy(existing, owner)) return undefined
  const wanted = asJson((options.change ?? ((object: T) => withDraft(object, draft)))(existing))
  if (isSameJson(wanted, existing)) return { object: existing, result: 'unchanged' }
  return { object: await client.update(kind, wanted), result: 'updated' }
}

/** The metadata of a child: the draft's own, with `owner` as its one controller. */
export function ownedBy<M extends { ownerReferences?: OwnerReference[] }>(
  owner: KubeObject,
  metadata: M,
): M & { ownerReferences: OwnerReference[] } {
  const others = metadata.ownerReferences?.filter((reference) => reference.uid !== owner.metadata.uid) ?? []
  return { ...metadata, ownerReferences: [...others, controllerReference(owner)] }
}

async function createOwned<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  owner: KubeObject,
  draft: Draft<T>,
  ref: { namespace?: string | undefined; name: string },
): Promise<T | { created: T }> {
  const { namespace, name } = ref
  const metadata = ownedBy(owner, { ...draft.metadata, name, ...(namespace && { namespace }) })
  try {
    return { created: await client.create(kind, asJson({ ...draft, metadata }) as Draft<T>) }
  } catch (error) {
    // Made since we looked, by an earlier try of ours or by someone else.
    if (isAlreadyExists(error)) return client.get(kind, ref)
    throw error
  }
}

function withDraft<T extends KubeObject>(existing: T, draft: Draft<T>): T {
  const { metadata, status: _, ...fields } = draft
  return {
    ...existing,
    ...fields,
    metadata: {
      ...existing.metadata,
      ...(metadata.labels && { labels: { ...existing.metadata.labels, ...metadata.labels } }),
      ...(metadata.annotations && { annotations: { ...existing.metadata.annotations, ...metadata.annotations } }),
    },
  } as T
}
