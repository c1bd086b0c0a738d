/** @see knative/eventing v1.22 cmd/appender */
import { createSystemClock } from '../../base/clock.js'
import type { CloudEvent } from '../../cloudevents/event.js'
import { isJsonContent, NO_TIME, timestampFrom } from '../../cloudevents/values.js'
import { serveEvents } from '../events.js'
import { printAsGo } from '../program.js'

interface Payload {
  id: number
  message: string
}

const message = process.env['MESSAGE'] ?? 'boring default msg, change me with env[MESSAGE]'
const type = process.env['TYPE'] ?? ''
const clock = createSystemClock()

printAsGo(`listening on 8080, appending ${JSON.stringify(message)} to events`)
serveEvents(({ event }) => {
  const payload = payloadOf(event)
  if (typeof payload === 'string') {
    printAsGo(`Got error while unmarshalling data: ${payload}`)
    return { status: 400 }
  }
  printAsGo('Received a new event: ')
  printAsGo(lineOf(event, payload))
  const appended = { ...payload, message: payload.message + message }
  const attributes = new Map(event.attributes).set('datacontenttype', 'application/json')
  if (type !== '') attributes.set('type', type)
  const reply = { attributes, data: Buffer.from(goJson(appended)) }
  printAsGo('Transform the event to: ')
  printAsGo(lineOf(reply, appended))
  // The SDK's client gives a time to events that have none.
  if (!attributes.has('time')) attributes.set('time', timestampFrom(new Date(clock.now()).toISOString())!)
  return { reply }
})

/** The two members that it knows; all others are lost, as in the original. A string says why the data is no such thing. */
function payloadOf({ attributes, data }: CloudEvent): Payload | string {
  const payload: Payload = { id: 0, message: '' }
  if (data === undefined) return payload
  const contentType = attributes.get('datacontenttype')
  if (!isJsonContent(contentType === undefined ? undefined : String(contentType))) return `data of ${contentType} is not JSON`
  let value: unknown
  try {
    value = JSON.parse(data.toString())
  } catch (error) {
    return (error as Error).message
  }
  if (value === null) return payload
  if (typeof value !== 'object' || Array.isArray(value)) return 'the data is no JSON object'
  for (const [name, member] of Object.entries(value)) {
    const known = name.toLowerCase()
    if (member === null) continue
    if (known === 'id') {
      if (!Number.isInteger(member)) return 'id is no integer'
      payload.id = member as number
    } else if (known === 'message') {
      if (typeof member !== 'string') return 'message is no string'
      payload.message = member
    }
  }
  return payload
}

/** As Go prints it: `[time] source type: &{Sequence:0 Message:text}`. */
function lineOf({ attributes }: CloudEvent, { id, message: text }: Payload): string {
  const time = timestampFrom(String(attributes.get('time') ?? '')) ?? NO_TIME
  const moment = `${time.slice(0, -1).replace('T', ' ')} +0000 UTC`
  return `[${moment}] ${attributes.get('source')} ${attributes.get('type')}: &{Sequence:${id} Message:${text}}`
}

/** Go escapes these in JSON. */
function goJson(value: Payload): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
