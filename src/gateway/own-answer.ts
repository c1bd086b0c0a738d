import { STATUS_CODES } from 'node:http'
import type { Refusal } from './passage.js'
import type { ProbeAnswer } from './probe.js'

/** What the gateway answers by itself, a probe's hash included. */
export type OwnAnswer = Refusal & Pick<ProbeAnswer, 'hash'>

/** Headers and body of an answer of our own, as Go's http.Error and plain writes would make them. Names in lower case. */
export function ownAnswer({ body, isError, hash }: OwnAnswer, nowMs: number): { headers: [name: string, value: string][]; text: string } {
  const text = isError ? `${body}\n` : body
  const headers: [string, string][] = [
    ['content-length', String(Buffer.byteLength(text))],
    ['date', new Date(nowMs).toUTCString()],
  ]
  if (text !== '') headers.push(['content-type', 'text/plain; charset=utf-8'])
  if (isError) headers.push(['x-content-type-options', 'nosniff'])
  if (hash !== undefined) headers.push(['k-network-hash', hash])
  return { headers, text }
}

/** The same as a response of HTTP/1.1. */
export function ownResponse(answer: OwnAnswer, request: { isHead: boolean; isOld: boolean; closes: boolean }, nowMs: number): string {
  const { headers, text } = ownAnswer(answer, nowMs)
  if (request.closes) headers.push(['Connection', 'close'])
  else if (request.isOld) headers.push(['Connection', 'keep-alive'])
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${lines}\r\n${request.isHead ? '' : text}`
}
