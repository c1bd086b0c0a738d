import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CloudEvent } from '../cloudevents/event.js'
import { type Decoded, decodeMessage, encodeBinary } from '../cloudevents/http.js'
import { bodyOf, serve } from './program.js'

/** What the programs that take events share. */

/** An event that came, and how. */
export interface ReceivedEvent {
  readonly event: CloudEvent
  readonly mode: 'binary' | 'structured'
  /** The request's body as it came: in binary mode the event's data. */
  readonly body: Buffer
}

/** What becomes of an event: another event, or a status; nothing means 200. */
export type EventAnswer = { reply: CloudEvent } | { status: number; text?: string } | undefined

/**
 * Serves as a program does that was written with Knative's SDK: events are taken on every path, GET, DELETE and OPTIONS get a 405, what
 * claims to be no event a 415, what is a broken one a 400 that says why. A reply is sent in binary mode.
 *
 * @see cloudevents/sdk-go v2/protocol/http/protocol.go, ServeHTTP
 */
export function serveEvents(
  handle: (received: ReceivedEvent) => EventAnswer | Promise<EventAnswer>,
  options: { /** Answered with 204. */ healthPath?: string } = {},
): void {
  serve(async (request, response) => {
    if (options.healthPath !== undefined && request.url === options.healthPath) return end(response, 204)
    if (['GET', 'DELETE', 'OPTIONS'].includes(request.method!)) return end(response, 405)
    try {
      const received = await receive(request)
      if ('none' in received) return end(response, 415)
      if ('problem' in received) return end(response, 400, `${received.problem}\n`)
      const answer = await handle(received)
      if (answer === undefined) return end(response, 200)
      if ('status' in answer) return end(response, answer.status, answer.text)
      const { headers, body } = encodeBinary(answer.reply)
      response.writeHead(200, [...headers.flat(), 'Content-Length', String(body.length)]).end(body)
    } catch {
      // The client has gone.
      response.destroy()
    }
  })
}

/** The event that a request carries. Rejects when the client goes away. */
export async function receive(request: IncomingMessage): Promise<ReceivedEvent | Exclude<Decoded, { event: CloudEvent }>> {
  const body = await bodyOf(request)
  const decoded = decodeMessage(request.rawHeaders, body)
  return 'event' in decoded ? { ...decoded, body } : decoded
}

/** An answer without an event. */
export function end(response: ServerResponse, status: number, text = ''): void {
  const type = text === '' ? {} : { 'Content-Type': 'text/plain' }
  response.writeHead(status, { ...type, ...(status !== 204 && { 'Content-Length': Buffer.byteLength(text) }) }).end(text)
}

/** How a program's log names an event. */
export function nameOf({ attributes }: CloudEvent): string {
  return `event ${attributes.get('id')} of type ${attributes.get('type')}`
}
