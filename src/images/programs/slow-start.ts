/** Takes START_DELAY_MS until it listens: shows what waits for readiness. */
import { answerText, print, serve } from '../program.js'

const delayMs = Number(process.env['START_DELAY_MS'] || 5000)

serve((_request, response) => answerText(response, `Ready after ${delayMs} ms\n`), { delayMs })
// After what ends it is in place, so that whoever reads this line can count on that.
print('stdout', `slow-start: listening in ${delayMs} ms`)
