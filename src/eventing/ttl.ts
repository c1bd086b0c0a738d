import type { CloudEvent } from '../cloudevents/event.js'

/** Counts down with every reply that goes round a broker, so that none circles for ever. */
const TTL = 'knativebrokerttl'
/** What an event begins with. @see knative/eventing v1.22 pkg/broker/ttl.go, ingress_handler.go */
const FIRST_TTL = 255

/** The event as a broker takes it in, its TTL counted down or begun; undefined when it is used up. */
export function takenIn(event: CloudEvent): CloudEvent | undefined {
  const ttl = ttlOf(event)
  const left = ttl === undefined ? FIRST_TTL : ttl - 1
  return left > 0 ? withTtl(event, String(left)) : undefined
}

/** The TTL that came with an event; undefined when there is none, or it is no whole number. */
export function ttlOf(event: CloudEvent): number | undefined {
  const text = String(event.attributes.get(TTL) ?? '')
  return /^[+-]?\d+$/.test(text) ? Number(text) : undefined
}

/** Subscribers do not see it. */
export function withoutTtl(event: CloudEvent): CloudEvent {
  if (!event.attributes.has(TTL)) return event
  const attributes = new Map(event.attributes)
  attributes.delete(TTL)
  return { ...event, attributes }
}

/** A reply carries on with the TTL of what it answers, whatever the subscriber wrote there. */
export function withTtlOf(reply: CloudEvent, answered: CloudEvent): CloudEvent {
  return withTtl(reply, String(answered.attributes.get(TTL) ?? ''))
}

function withTtl(event: CloudEvent, ttl: string): CloudEvent {
  return { ...event, attributes: new Map([...event.attributes, [TTL, ttl]]) }
}
