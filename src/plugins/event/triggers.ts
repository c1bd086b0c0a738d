import { StatusError } from '../../apimachinery/status-error.js'
import { UserError } from '../../base/user-error.js'
import type { Client } from '../../client/client.js'
import type { RecordOrigin } from '../../kinds/emulator/eventrecord/schema.js'
import { triggerKind } from '../../kinds/trigger/kind.js'
import type { Trigger } from '../../kinds/trigger/schema.js'
import type { TriggerThere } from './story.js'

/** The Triggers of the Broker that took an event, as they are now; none for a channel. */
export async function triggersOf(client: Client, { kind, namespace, name }: RecordOrigin): Promise<TriggerThere[]> {
  if (kind !== 'Broker') return []
  let triggers: readonly Trigger[]
  try {
    triggers = await client.list(triggerKind, namespace)
  } catch (error) {
    // Who may read the journal need not be allowed to read Triggers.
    const isMissing = error instanceof UserError && error.code === 'api-missing'
    const isForbidden = error instanceof StatusError && error.status.code === 403
    if (isMissing || isForbidden) return []
    throw error
  }
  return triggers
    .filter(({ spec: { broker, brokerRef } }) =>
      brokerRef ? brokerRef.name === name && (brokerRef.namespace ?? namespace) === namespace : broker === name,
    )
    .map(({ metadata, status }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')
      return {
        name: metadata.name,
        isReady: ready?.status === 'True',
        reason: ready?.reason ?? '',
        createdMs: Date.parse(metadata.creationTimestamp ?? ''),
      }
    })
}
