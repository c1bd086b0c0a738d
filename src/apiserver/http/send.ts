import type { ServerResponse } from 'node:http'
import type { Status } from '../../apimachinery/status-error.js'
import type { DocumentAnswer } from '../generated-document.js'
import { statusText } from './representation.js'

/** Sends a whole body. */
export function sendText(response: ServerResponse, code: number, body: string, contentType: string): void {
  const size = Buffer.byteLength(body)
  response.writeHead(code, { 'Content-Type': contentType, 'Content-Length': size })
  // Node puts the headers in front of a text, in its encoding: as UTF-8 it would encode warnings, which are that already, once
  // more. ASCII is Latin-1 too, and is not copied.
  if (size === body.length) response.end(body, 'latin1')
  else response.end(Buffer.from(body))
}

/** Sends a generated document, or says that the client's copy of it is still good. */
export function sendDocument(response: ServerResponse, { status, headers, body }: DocumentAnswer): void {
  response.writeHead(status, { ...headers, ...(status !== 304 && { 'Content-Length': body.length }) })
  response.end(body)
}

/** Answers with a Status, or cuts the connection when the answer had already begun. */
export function refuse(response: ServerResponse, status: Status): void {
  if (response.destroyed) return
  if (response.headersSent) {
    response.destroy()
    return
  }
  const retryAfterSeconds = status.details?.retryAfterSeconds
  if (retryAfterSeconds) response.setHeader('Retry-After', retryAfterSeconds)
  // The rest of a body that is too large is not read, so the connection cannot be used again.
  if (status.code === 413) response.setHeader('Connection', 'close')
  sendText(response, status.code ?? 500, statusText(status), 'application/json')
}
