import { createHash } from 'node:crypto'
import { controllerReference, type Draft, isControlledBy, type KubeObject, type LabelSelector } from '../../../apimachinery/object.js'
import { isAlreadyExists, isNotFound } from '../../../apimachinery/status-error.js'
import type { Client } from '../../../client/client.js'
import { asJson, isSameJson } from '../../../controller/same-json.js'
import { claim } from '../claim.js'
import type { PodTemplateSpec } from '../pod/schema.js'
import { controllerRevisionKind } from './kind.js'
import type { ControllerRevision } from './schema.js'

const SAFE_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'
/** How much of the owner's name a revision's name keeps (pkg/controller/history ControllerRevisionName). */
const LONGEST_PREFIX = 223

/** Something whose templates are kept as ControllerRevisions. */
type Remembered = KubeObject & { spec: { selector: LabelSelector; template: PodTemplateSpec; revisionHistoryLimit?: number } }

/** The revisions of an owner, the oldest first. */
export async function revisionsOf(client: Client, owner: Remembered): Promise<ControllerRevision[]> {
  const all = await client.list(controllerRevisionKind, owner.metadata.namespace)
  // Claimed by the selector, as Pods are: those of an owner that was deleted without its dependents come back to the next.
  return (await claim(client, controllerRevisionKind, owner, all)).sort(byRevision)
}

/**
 * The revision of the present template: a new one, or an old one that becomes the newest because its template came back.
 * `collisions` counts names that were taken; it goes up with each that is found to be.
 * @see kubernetes/kubernetes v1.35 pkg/controller/statefulset/stateful_set_control.go getStatefulSetRevisions
 */
export async function presentRevision(
  client: Client,
  owner: Remembered,
  known: readonly ControllerRevision[],
  options: { hashLabel: string; collisions: number; annotations?: Record<string, string> },
): Promise<{ revision: ControllerRevision; collisions: number }> {
  const data = { spec: { template: { ...owner.spec.template, $patch: 'replace' as const } } }
  const newest = Math.max(0, ...known.map(({ revision }) => revision)) + 1
  const found = [...known].reverse().find((revision) => isSameJson(revision.data, data))
  if (found && found.revision === newest - 1) return { revision: found, collisions: options.collisions }
  if (found)
    return { revision: await client.update(controllerRevisionKind, { ...found, revision: newest }), collisions: options.collisions }
  for (let { collisions } = options; ; collisions++) {
    const hash = hashOf(data, collisions)
    const { name, namespace } = owner.metadata
    const draft = asJson({
      metadata: {
        name: `${name.slice(0, LONGEST_PREFIX)}-${hash}`,
        namespace,
        labels: { ...owner.spec.template.metadata?.labels, [options.hashLabel]: hash },
        annotations: options.annotations,
        ownerReferences: [controllerReference(owner)],
      },
      data,
      revision: newest,
    }) as Draft<ControllerRevision>
    try {
      return { revision: await client.create(controllerRevisionKind, draft), collisions }
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      const present = await client.find(controllerRevisionKind, { namespace, name: draft.metadata.name! })
      if (present && isControlledBy(present, owner) && isSameJson(present.data, data)) return { revision: present, collisions }
    }
  }
}

/** Forgets the oldest revisions beyond the limit; those that are `live` (their Pods exist, or they are wanted) do not count. */
export async function forgetOldRevisions(
  client: Client,
  owner: Remembered,
  known: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
): Promise<void> {
  const idle = known.filter((revision) => !isLive(revision))
  const excess = idle.slice(0, Math.max(0, idle.length - (owner.spec.revisionHistoryLimit ?? 10)))
  for (const { metadata } of excess) {
    await client.delete(controllerRevisionKind, metadata).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}

/** The template that a revision keeps. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const { $patch: _, ...template } = data!.spec!.template!
  return template as PodTemplateSpec
}

function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  if (a.revision !== b.revision) return a.revision - b.revision
  const [first, second] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (first !== second) return first < second ? -1 : 1
  return a.metadata.name < b.metadata.name ? -1 : 1
}

/** Letters and digits that no word is made of, as upstream's SafeEncodeString gives (the hash itself is our own). */
function hashOf(data: object, collisions: number): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(data))
    .update(collisions > 0 ? String(collisions) : '')
    .digest()
  return [...String(digest.readUInt32BE(0))].map((digit) => SAFE_LETTERS[digit.charCodeAt(0) % SAFE_LETTERS.length]).join('')
}
