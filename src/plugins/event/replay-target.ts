import { UserError } from '../../base/user-error.js'
import type { Sink } from '../../cli/nouns/sink.js'
import type { Client } from '../../client/client.js'
import type { EventRecord } from '../../kinds/emulator/eventrecord/schema.js'
import { triggerKind } from '../../kinds/trigger/kind.js'
import { addressOf, type Target } from './sink.js'

/** Whether nothing is left to send: one trigger has it, or every one that wanted it. */
export function isDelivered({ status }: EventRecord, trigger: string | undefined): boolean {
  if (trigger === undefined) return status.state === 'Delivered'
  return status.hops.some(({ at, outcome }) => at.kind === 'Trigger' && at.name === trigger && outcome === 'Delivered')
}

const ORIGINS: Readonly<Record<string, { group: string; version: string; plural: string }>> = {
  Broker: { group: 'eventing.knative.dev', version: 'v1', plural: 'brokers' },
  InMemoryChannel: { group: 'messaging.knative.dev', version: 'v1', plural: 'inmemorychannels' },
}

/** Where an event is sent again, and what that is called. Throws what the API refuses, and UserErrors for what has no address. */
export async function replayTarget(
  client: Client,
  { spec: { origin } }: EventRecord,
  { trigger, to, namespace }: { trigger: string | undefined; to: Sink | undefined; namespace: string },
): Promise<Target & { name: string }> {
  if (to !== undefined) {
    const target: Target = 'uri' in to ? { url: to.uri } : await addressOf(client, to, namespace)
    return { ...target, name: target.url }
  }
  if (trigger !== undefined) {
    const { status } = await client.get(triggerKind, { namespace: origin.namespace, name: trigger })
    if (status?.subscriberUri)
      return {
        url: status.subscriberUri,
        caCerts: status.subscriberCACerts,
        name: `the subscriber of trigger '${trigger}', ${status.subscriberUri}`,
      }
    throw new UserError({
      code: 'no-address',
      what: `trigger '${trigger}' in namespace '${origin.namespace}' has no subscriber that could be reached`,
      remedies: [`kn trigger describe ${trigger} -n ${origin.namespace}`],
    })
  }
  const resource = ORIGINS[origin.kind]!
  const target = await addressOf(client, { resource, name: origin.name, namespace: origin.namespace }, namespace)
  return { ...target, name: `${origin.kind} '${origin.name}' in namespace '${origin.namespace}'` }
}
