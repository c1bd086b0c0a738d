/** Answers with what it was asked and what it was given: shows what reaches a service. */
import { isUtf8 } from 'node:buffer'
import { bodyOf, print, serve } from '../program.js'

serve(async (request, response) => {
  const { method, url: path, httpVersion, headers } = request
  print('stdout', `echo: ${method} ${path}`)
  try {
    const bytes = await bodyOf(request)
    const body = isUtf8(bytes) ? { body: bytes.toString('utf8') } : { bodyBase64: bytes.toString('base64') }
    const answer = JSON.stringify({ method, path, httpVersion, headers, ...body, environment: process.env }, null, 2)
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(`${answer}\n`)
  } catch {
    // The client has gone.
    response.destroy()
  }
})
