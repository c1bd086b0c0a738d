import type { Kind } from '../apimachinery/kind.js'
import type { KubeObject } from '../apimachinery/object.js'
import type { Client } from '../client/client.js'

/**
 * Whether the stranger of this name is what an owner of the same kind and name left behind when it was deleted, as happens
 * when something is deleted and made anew at once. The garbage collector is about to take it away, and that wakes the new
 * owner: no conflict to tell anyone about.
 */
export async function isLeftover<T extends KubeObject>(client: Client, kind: Kind<T>, owner: KubeObject, name: string): Promise<boolean> {
  const stranger = await client.find(kind, { namespace: owner.metadata.namespace, name })
  // Gone between two looks: as good as a leftover.
  if (!stranger) return true
  return (
    stranger.metadata.ownerReferences?.some(
      (reference) =>
        reference.controller === true &&
        reference.kind === owner.kind &&
        reference.name === owner.metadata.name &&
        reference.uid !== owner.metadata.uid,
    ) ?? false
  )
}
