import { UserError } from '../../base/user-error.js'
import { usageError } from '../../cli/arguments.js'
import type { AttributeValue, CloudEvent } from '../../cloudevents/event.js'
import { eventFromJson } from '../../cloudevents/structured.js'
import { attributeName, attributesProblem } from '../../cloudevents/validate.js'
import type { EventRecord } from '../../kinds/emulator/eventrecord/schema.js'
import { payloadOf } from './records.js'

/** What a broker adds to an event that it takes: it would add them again, and one of them counts down. */
const ADDED_BY_BROKERS = ['knativearrivaltime', 'knativebrokerttl']

/** The event of a record as its producer sent it. Throws a UserError where the journal does not have all of it. */
export function eventOf(record: EventRecord): CloudEvent {
  const { attributes, id, origin } = record.spec
  if (!attributes) {
    throw new UserError({
      code: 'payload-not-kept',
      what: `the journal knows what became of event '${id}' (${record.metadata.name}), but not the event itself`,
      why: 'the emulator was killed in the moment in which it was taken',
    })
  }
  const own = Object.entries(attributes).filter(([name]) => origin.kind !== 'Broker' || !ADDED_BY_BROKERS.includes(name))
  const data = payloadOf(record)
  return { attributes: new Map(own), ...(data && { data }) }
}

/**
 * The event with changes of the form NAME=VALUE, where NAME is an attribute or `data`, and an empty VALUE takes it away. Throws a usage
 * error for words of another form, and for changes that leave no event.
 */
export function edited(event: CloudEvent, words: readonly string[]): CloudEvent {
  const attributes = new Map<string, AttributeValue>(event.attributes)
  let { data } = event
  for (const word of words) {
    const at = word.indexOf('=')
    const value = word.slice(at + 1)
    if (at < 1) throw usageError(`--edit takes NAME=VALUE, given ${word}`)
    if (word.slice(0, at) === 'data') {
      data = value === '' ? undefined : Buffer.from(value)
      continue
    }
    const name = attributeName(word.slice(0, at))
    if (name === undefined) throw usageError(`"${word.slice(0, at)}" names no attribute: letters and digits only`)
    if (value === '') attributes.delete(name)
    else attributes.set(name, value)
  }
  const problem = attributesProblem(attributes)
  if (problem) throw usageError(`these changes make no event: ${problem}`)
  return { attributes, ...(data && { data }) }
}

/** The event of a text in the JSON format. Throws a UserError that says what is wrong with it; `where` is its place, for people. */
export function eventFromText(text: string, where: string): CloudEvent {
  const decoded = eventFromJson(Buffer.from(text))
  if ('event' in decoded) return decoded.event
  throw new UserError({ code: 'not-an-event', what: `${where} is no event`, why: decoded.problem })
}
