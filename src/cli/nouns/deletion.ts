import type { Kind } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { StatusError } from '../../apimachinery/status-error.js'
import type { Clock } from '../../base/clock.js'
import { UserError } from '../../base/user-error.js'
import type { Client } from '../../client/client.js'
import { waitForDeletion } from '../../client/wait.js'
import { usageError } from '../arguments.js'

export interface Deletion<T extends KubeObject> {
  client: Client
  kind: Kind<T>
  namespace: string
  names: readonly string[]
  flags: { wait: boolean; 'wait-timeout': number }
  clock: Clock
  /** Called for each one that is gone (or will be, without --wait). */
  deleted(name: string): void
  /** Why an object must not be deleted; undefined when it may. */
  refuse?(object: T): string | undefined
}

/**
 * Deletes one after another and goes on after an error; throws at the end, with all messages. With --wait in the foreground, until
 * each is gone.
 */
export async function deleteEach<T extends KubeObject>(deletion: Deletion<T>): Promise<void> {
  const failures: Error[] = []
  for (const name of deletion.names) {
    try {
      await deleteOne(deletion, name)
      deletion.deleted(name)
    } catch (error) {
      if (!(error instanceof StatusError || error instanceof UserError)) throw error
      failures.push(error)
    }
  }
  if (failures.length === 1) throw failures[0]
  if (failures.length > 1) throw usageError(failures.map(({ message }) => message).join('\nError: '))
}

async function deleteOne<T extends KubeObject>(
  { client, kind, namespace, flags, clock, refuse }: Deletion<T>,
  name: string,
): Promise<void> {
  const ref = { namespace, name }
  const object = await client.get(kind, ref)
  const refusal = refuse?.(object)
  if (refusal) throw usageError(refusal)
  await client.delete(kind, ref, { propagationPolicy: flags.wait ? 'Foreground' : 'Background' })
  if (flags.wait) {
    await waitForDeletion({ client, kind, ref, clock, timeoutSeconds: flags['wait-timeout'], uid: object.metadata.uid })
  }
}
