import type { Kind } from '../../apimachinery/kind.js'
import { controllerReference, isControlledBy, type KubeObject, type LabelSelector } from '../../apimachinery/object.js'
import { labelSelectorMatches } from '../../apimachinery/selectors.js'
import { isConflict, isNotFound } from '../../apimachinery/status-error.js'
import type { Client } from '../../client/client.js'

/**
 * Which of these objects belong to `owner`: adopts those without a controller that its selector matches, and lets go of
 * its own that it no longer matches.
 * @see kubernetes/kubernetes v1.35 pkg/controller/controller_ref_manager.go ClaimObject
 */
export async function claim<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  owner: KubeObject & { spec: { selector: LabelSelector } },
  candidates: readonly T[],
): Promise<T[]> {
  const claimed: T[] = []
  for (const candidate of candidates) {
    const { metadata } = candidate
    const isOurs = isControlledBy(candidate, owner)
    // Most candidates are somebody else's, and labels take longer to compare.
    if (!isOurs && metadata.ownerReferences?.some(({ controller }) => controller)) continue
    const matches = labelSelectorMatches(owner.spec.selector, metadata.labels)
    if (isOurs && matches) claimed.push(candidate)
    else if (isOurs)
      await withOwners(
        client,
        kind,
        candidate,
        metadata.ownerReferences!.filter(({ uid }) => uid !== owner.metadata.uid),
      )
    else if (matches && !metadata.deletionTimestamp) {
      const adopted = await withOwners(client, kind, candidate, [...(metadata.ownerReferences ?? []), controllerReference(owner)])
      if (adopted) claimed.push(adopted)
    }
  }
  return claimed
}

async function withOwners<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  object: T,
  ownerReferences: NonNullable<KubeObject['metadata']['ownerReferences']>,
): Promise<T | undefined> {
  try {
    return await client.update(kind, { ...object, metadata: { ...object.metadata, ownerReferences } })
  } catch (error) {
    // Changed or gone since it was listed: its change brings us back.
    if (isConflict(error) || isNotFound(error)) return undefined
    throw error
  }
}
