import type { Kind } from '../../apimachinery/kind.js'
import type { KubeObject, ObjectRef } from '../../apimachinery/object.js'
import { isConflict } from '../../apimachinery/status-error.js'
import type { Clock } from '../../base/clock.js'
import type { Client } from '../../client/client.js'
import { usageError } from '../arguments.js'
import { sentences } from '../print/sentences.js'

/** kn tries an update that met another one five times, the waits growing from 20 ms. */
const TRIES = 5
const FIRST_WAIT_MS = 20
const GROWTH = 1.5
const JITTER = 0.1

/**
 * Reads an object, changes it and writes it, again from the start when someone else wrote in between. Throws when it is being
 * deleted, and what the API refuses.
 */
export async function updateObject<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  ref: ObjectRef,
  change: (object: T) => Promise<T> | T,
  { clock, random }: { clock: Clock; random: () => number },
): Promise<{ before: T; after: T }> {
  for (let attempt = 1, waitMs = FIRST_WAIT_MS; ; attempt++, waitMs *= GROWTH) {
    const before = await client.get(kind, ref)
    if (before.metadata.deletionTimestamp) throw usageError(sentences.beingDeleted(kind.singular, ref.name))
    try {
      return { before, after: await client.update(kind, await change(before)) }
    } catch (error) {
      if (!isConflict(error) || attempt === TRIES) throw error
      await clock.sleep(waitMs * (1 + random() * JITTER))
    }
  }
}
