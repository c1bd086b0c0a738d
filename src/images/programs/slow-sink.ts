/** Takes events slowly: shows timeouts of delivery, and that one slow subscriber holds up no other. */
import { createSystemClock } from '../../base/clock.js'
import { nameOf, serveEvents } from '../events.js'
import { print } from '../program.js'

const clock = createSystemClock()
const delayMs = Number(process.env['DELAY_MS'] || 4000)

serveEvents(async ({ event }) => {
  print('stdout', `slow-sink: taking ${nameOf(event)} in ${delayMs} ms`)
  await clock.sleep(delayMs)
  print('stdout', `slow-sink: took ${nameOf(event)}`)
  return { status: 202 }
})
