/** Replies to each event with another: shows replies, and chains of Triggers. */
import { randomUUID } from 'node:crypto'
import { createSystemClock } from '../../base/clock.js'
import { timestampFrom } from '../../cloudevents/values.js'
import { nameOf, serveEvents } from '../events.js'
import { print } from '../program.js'

const clock = createSystemClock()
const replyType = process.env['REPLY_TYPE'] || 'dev.kn-local.transformed'
const replySource = process.env['REPLY_SOURCE'] || '/kn.local/transformer'
const append = process.env['APPEND'] ?? ''

serveEvents(({ event }) => {
  const attributes = new Map(event.attributes)
    .set('id', randomUUID())
    .set('type', replyType)
    .set('source', replySource)
    .set('time', timestampFrom(new Date(clock.now()).toISOString())!)
  const data = withAppended(event.data ?? Buffer.alloc(0))
  print('stdout', `transformer: ${nameOf(event)} becomes ${nameOf({ attributes })}`)
  return { reply: { attributes, ...(data.length > 0 && { data }) } }
})

/** The members of a JSON object go into a JSON object; all else goes behind the data. */
function withAppended(data: Buffer): Buffer {
  if (append === '') return data
  const [one, other] = [objectOf(data.toString()), objectOf(append)]
  return one && other ? Buffer.from(JSON.stringify(Object.assign(one, other))) : Buffer.concat([data, Buffer.from(append)])
}

function objectOf(json: string): object | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
