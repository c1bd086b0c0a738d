/** Answers with what it was asked and what it was given: shows what reaches a service. */
import { isUtf8 } from 'node:buffer'
import { bodyOf, print, serve } from '../program.js'

serve(async (request, response) => {
  const { method, url: path, httpVersion, headers } = request
  print('stdout', `echo: ${method} ${path}`)
  try {
    const bytes = await bodyOf(request)
    const body = isUtf8(bytes) ? { body: bytes.toString('utf8') } : { bodyBase64: bytes.toString('base64') }
    const answer = JSON.stringify({ method, path, httpVersion, headers, ...body, environment: environment() }, null, 2)
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(`${answer}\n`)
  } catch {
    // The client has gone.
    response.destroy()
  }
})

/** But for the credential of the workload proxy, which is no one's who calls. */
function environment(): NodeJS.ProcessEnv {
  const { KN_LOCAL_PROXY: proxy = '', ...others } = process.env
  const secret = URL.canParse(proxy) ? new URL(proxy).password : ''
  if (secret === '') return process.env
  return Object.fromEntries(Object.entries(others).map(([name, value]) => [name, value?.replaceAll(secret, '…')]))
}
