import { timestampFrom } from './values.js'

/** Strings everywhere but in structured events, whose extensions may be JSON numbers and booleans; those keep their type. */
export type AttributeValue = string | number | boolean

/**
 * A CloudEvent as it travels: nothing is parsed that nobody asks for, and the payload keeps its bytes.
 * @see cloudevents/spec cloudevents/spec.md
 */
export interface CloudEvent {
  /**
   * Context attributes and extensions by their lower-case names; `specversion`, `id`, `source` and `type` are there and not empty.
   * `time` is the text that came, to the nanosecond. `datacontenttype` is here too.
   */
  readonly attributes: ReadonlyMap<string, AttributeValue>
  /** The payload, byte for byte as it came; absent: the event has no data. */
  readonly data?: Buffer
}

/** A value as it stands in a header and as filters compare it: `true`, `42`. */
export function attributeText(value: AttributeValue): string {
  return typeof value === 'string' ? value : String(value)
}

/**
 * The event as a broker or channel hands it on, which has decoded it and encoded it in binary mode: extensions are strings, `time` is
 * in UTC. The same object where nothing changes.
 * @see knative/eventing v1.22 pkg/broker/ingress
 */
export function forwarded(event: CloudEvent): CloudEvent {
  const time = event.attributes.get('time')
  const utc = time === undefined ? undefined : timestampFrom(String(time))
  let isChanged = utc !== undefined && utc !== time
  for (const value of event.attributes.values()) isChanged ||= typeof value !== 'string'
  if (!isChanged) return event
  const attributes = new Map<string, AttributeValue>()
  for (const [name, value] of event.attributes) attributes.set(name, attributeText(value))
  if (utc !== undefined) attributes.set('time', utc)
  return { ...event, attributes }
}
