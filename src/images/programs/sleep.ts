/** Answers after SLEEP_MS: shows concurrency, queues and timeouts. */
import { createSystemClock } from '../../base/clock.js'
import { answerText, print, serve } from '../program.js'

const clock = createSystemClock()
const sleepMs = Number(process.env['SLEEP_MS'] || 4000)

serve((_request, response) => {
  print('stdout', `sleep: answering in ${sleepMs} ms`)
  clock.after(sleepMs, () => answerText(response, `Slept for ${sleepMs} ms\n`))
})
