/** Fails: shows retries, back-off and dead letters. */
import { nameOf, receive } from '../events.js'
import { answerText, print, serve } from '../program.js'

const status = Number(process.env['STATUS'] || 500)
const every = Number(process.env['EVERY'] || 1)
let count = 0

serve(async (request, response) => {
  try {
    const received = await receive(request)
    const what = 'event' in received ? nameOf(received.event) : `${request.method} ${request.url}`
    count++
    const answer = count % every === 0 ? status : 200
    print('stdout', `failing: ${answer} for ${what} (request ${count})`)
    if (answer === 200) response.writeHead(200, { 'Content-Length': 0 }).end()
    else answerText(response, `kn.local/failing answers ${answer}\n`, answer)
  } catch {
    // The client has gone.
    response.destroy()
  }
})
