import { createHash } from 'node:crypto'
import type { KubeObject } from '../apimachinery/object.js'
import { StatusError } from '../apimachinery/status-error.js'
import type { Logger } from '../base/logger.js'
import type { Client } from '../client/client.js'
import type { CloudEvent } from '../cloudevents/event.js'
import { eventTypeV1beta3Kind } from '../kinds/eventtype/kind.js'

/** What an EventType refers to and goes away with. */
export type EventTypeOwner = Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>

/** Names remembered, so that an event of a type that is known costs nothing. */
const MAX_KNOWN = 10_000

/**
 * EventTypes that make themselves from the events that pass. Returns what is told of each event; it makes an EventType in the
 * background, once: one that is there already stays as it is.
 * @see knative/eventing v1.22 pkg/eventtype/eventtypes_autohandler.go
 */
export function createEventTypes(deps: {
  client: Client
  /** The flag eventtype-auto-create of config-features, as it is now. */
  isEnabled: () => boolean
  busy: (work: Promise<unknown>) => void
  log: Logger
}): (owner: EventTypeOwner, event: CloudEvent) => void {
  const { client, isEnabled, busy, log } = deps
  const known = new Set<string>()

  const create = async (name: string, { apiVersion, kind, metadata }: EventTypeOwner, event: CloudEvent): Promise<void> => {
    const { namespace = '', uid = '' } = metadata
    const value = (attribute: string): string => String(event.attributes.get(attribute) ?? '')
    const given = (attribute: string, text: string) => ({ name: attribute, required: true, ...(text !== '' && { value: text }) })
    try {
      await client.create(eventTypeV1beta3Kind, {
        metadata: { name, namespace, ownerReferences: [{ apiVersion, kind, name: metadata.name, uid }] },
        spec: {
          reference: { apiVersion, kind, namespace, name: metadata.name },
          description: 'Event Type auto-created by controller',
          attributes: [
            given('type', value('type')),
            given('source', value('source')),
            given('schemadata', value('dataschema')),
            given('specversion', value('specversion')),
            { name: 'id', required: true },
          ],
        },
      })
    } catch (error) {
      if (error instanceof StatusError && error.status.reason === 'AlreadyExists') return
      known.delete(`${namespace}/${name}`)
      log.warn('an EventType could not be created', { name, namespace, error })
    }
  }

  return (owner, event) => {
    if (!isEnabled()) return
    const name = eventTypeName(owner, event)
    const key = `${owner.metadata.namespace}/${name}`
    if (known.has(key)) return
    if (known.size >= MAX_KNOWN) known.clear()
    known.add(key)
    busy(create(name, owner, event))
  }
}

/** @see knative/eventing v1.22 pkg/eventtype/eventtypes_autohandler.go, generateEventTypeName */
function eventTypeName({ metadata }: EventTypeOwner, { attributes }: CloudEvent): string {
  const { namespace = '', name } = metadata
  const hash = createHash('md5')
    .update(`${attributes.get('type')}${attributes.get('source')}${namespace}${name}`)
    .digest('hex')
  return dnsName(`et-${name}-${hash}`)
}

/** As a DNS-1123 subdomain. @see knative/eventing v1.22 pkg/utils/utils.go, ToDNS1123Subdomain */
function dnsName(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '')
    .replace(/^[-.]+|[-.]+$/g, '')
}
