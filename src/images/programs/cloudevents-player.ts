/**
 * A page that sends events and shows those that were sent and received.
 *
 * @see ruromero/cloudevents-player: the paths, the variables and the JSON of `/messages` are its own; the page is another
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createSystemClock } from '../../base/clock.js'
import { attributeText, type CloudEvent } from '../../cloudevents/event.js'
import { end, nameOf, receive } from '../events.js'
import { CONTENT_SECURITY_POLICY, PAGE, SCRIPT, STYLE } from '../player/page.js'
import { portFromEnvironment, print, serve } from '../program.js'
import { sendEvent } from '../send.js'

interface Message {
  id: string
  receivedAt: string
  subject: string | null
  eventType: string
  source: string
  extensions: Record<string, unknown>
  data: unknown
  type: 'SENT' | 'RECEIVED' | 'FAILED'
}

const MAX_MESSAGES = 200
const OWN_ATTRIBUTES = new Set(['specversion', 'id', 'type', 'source', 'subject', 'time', 'dataschema', 'schemaurl', 'datacontenttype'])

const env = process.env
const clock = createSystemClock()
/** The newest first. */
let messages: Message[] = []
const followers = new Set<ServerResponse>()
const proxy = env['http_proxy'] ?? ''
const sink = sinkFrom()
print('stdout', `cloudevents-player: sends to ${shownSink()}`)

/** The Broker of this namespace when nothing is said; which one this is stands in the proxy's URL. */
function sinkFrom(): URL {
  if (env['PLAYER_MODE'] === 'LOCAL') return new URL(`http://127.0.0.1:${portFromEnvironment()}/`)
  const given = env['BROKER_URI'] || env['BROKER_URL'] || env['K_SINK']
  if (given && URL.canParse(given)) return new URL(given)
  const namespace = env['BROKER_NAMESPACE'] || (URL.canParse(proxy) && new URL(proxy).username) || 'default'
  const broker = env['BROKER_NAME'] || env['PLAYER_BROKER'] || 'default'
  return new URL(`http://broker-ingress.knative-eventing.svc.cluster.local/${namespace}/${broker}`)
}

function note(event: CloudEvent, type: Message['type']): void {
  const { attributes, data } = event
  const text = (name: string): string => attributeText(attributes.get(name) ?? '')
  const extensions = Object.fromEntries([...attributes].filter(([name]) => !OWN_ATTRIBUTES.has(name)))
  const message: Message = {
    id: text('id'),
    receivedAt: new Date(clock.now()).toISOString(),
    subject: attributes.has('subject') ? text('subject') : null,
    eventType: text('type'),
    source: text('source'),
    extensions,
    data: data === undefined ? null : parsed(data.toString()),
    type,
  }
  messages = [message, ...messages].slice(0, MAX_MESSAGES)
  print('stdout', `cloudevents-player: ${type.toLowerCase()} ${nameOf(event)}`)
  tell()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function tell(): void {
  for (const follower of followers) follower.write('data: changed\n\n')
}

async function send(event: CloudEvent, isStructured: boolean): Promise<void> {
  try {
    const status = await sendEvent(event, sink, { isStructured, proxy })
    if (status >= 400) print('stderr', `cloudevents-player: ${shownSink()} answered ${status}`)
    note(event, status >= 400 ? 'FAILED' : 'SENT')
  } catch (error) {
    print('stderr', `cloudevents-player: ${shownSink()} cannot be reached: ${(error as Error).message}`)
    note(event, 'FAILED')
  }
}

function follow(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  response.write(`retry: 1000\nevent: sink\ndata: ${shownSink()}\n\n`)
  followers.add(response)
  request.socket.once('close', () => followers.delete(response))
}

/** Without the credential that a direct URL carries in its path. */
function shownSink(): string {
  const direct = /^\/to\/[^/]+\/(.*)$/.exec(sink.pathname)?.[1]
  return direct === undefined ? sink.href : `http://${direct}`
}

function list(query: URLSearchParams): readonly Message[] {
  const number = (name: string, byDefault: number): number => Math.max(0, Math.trunc(Number(query.get(name) ?? byDefault)) || 0)
  const [page, size] = [number('page', 0), number('size', 10)]
  return messages.slice(page * size, page * size + size)
}

async function take(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const received = await receive(request)
  if (!('event' in received)) return end(response, 400, `${'problem' in received ? received.problem : received.why}\n`)
  if (path === '/') note(received.event, 'RECEIVED')
  else await send(received.event, received.mode === 'structured')
  end(response, 202)
}

const FILES: Readonly<Record<string, { type: string; text: string }>> = {
  '/': { type: 'text/html; charset=utf-8', text: PAGE },
  '/player.css': { type: 'text/css; charset=utf-8', text: STYLE },
  '/player.js': { type: 'text/javascript; charset=utf-8', text: SCRIPT },
}

function answerFile(response: ServerResponse, { type, text }: { type: string; text: string }): void {
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Content-Security-Policy': CONTENT_SECURITY_POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-cache',
  })
  response.end(text)
}

serve(async (request, response) => {
  const [path = '', query = ''] = request.url!.split('?', 2)
  const method = request.method === 'HEAD' ? 'GET' : request.method
  try {
    if (method === 'POST' && (path === '/' || path === '/messages')) await take(request, response, path)
    else if (method === 'GET' && path === '/messages') {
      const text = JSON.stringify(list(new URLSearchParams(query)))
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text)
    } else if (method === 'GET' && path === '/changes') follow(request, response)
    else if (method === 'GET' && Object.hasOwn(FILES, path)) answerFile(response, FILES[path]!)
    else if (method === 'DELETE' && path === '/messages') {
      messages = []
      tell()
      end(response, 202)
    } else end(response, Object.hasOwn(FILES, path) || path === '/messages' ? 405 : 404)
  } catch {
    // The client has gone.
    response.destroy()
  }
})

// Open streams would keep the program from ending.
process.once('SIGTERM', () => {
  for (const follower of followers) follower.end()
})
