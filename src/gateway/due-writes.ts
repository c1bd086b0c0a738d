import type { Socket } from 'node:net'
import type { Outbox } from './outbox.js'
import type { Upstream } from './upstream.js'

/** What one connection has to write at the end of this turn. Whatever is written at once comes behind it: flush first. */
export interface DueWrites {
  /** To the application. */
  request(text: string): void
  /** To the client, behind what is due already. */
  response(text: string): void
  flushRequest(): void
  flushResponse(): void
  flush(): void
  /** The application is not to have it any more. */
  forgetRequest(): void
}

/** `upstream` tells the connection to the application of the moment; it is paused while the client does not take what it is sent. */
export function createDueWrites(outbox: Outbox, client: Socket, upstream: () => Upstream | undefined): DueWrites {
  let dueRequest = ''
  let dueResponse = ''
  let isDue = false

  const flushRequest = (): void => {
    const text = dueRequest
    dueRequest = ''
    if (text !== '') upstream()?.socket.write(text, 'latin1')
  }
  const flushResponse = (): void => {
    const text = dueResponse
    dueResponse = ''
    if (text !== '' && client.writable && !client.write(text, 'latin1') && client.writableLength > 0) upstream()?.socket.pause()
  }
  const flush = (): void => {
    isDue = false
    flushRequest()
    flushResponse()
  }
  const later = (): void => {
    if (isDue) return
    isDue = true
    outbox.later(flush)
  }
  return {
    request(text) {
      dueRequest = text
      later()
    },
    response(text) {
      dueResponse += text
      later()
    },
    flushRequest,
    flushResponse,
    flush,
    forgetRequest() {
      dueRequest = ''
    },
  }
}
