import type { ServerResponse } from 'node:http'
import type { ApiCall, WatchEvent } from '../../apimachinery/call.js'
import { refusals, StatusError } from '../../apimachinery/status-error.js'
import type { Logger } from '../../base/logger.js'
import type { ApiServer } from '../server.js'

/** Events that may wait for a reader that is slower than the changes; beyond it the watch ends and the reader resumes. */
const MOST_WAITING = 10_000
/** How much is handed to the socket at once. */
const PIECE_CHARACTERS = 64 * 1024

/**
 * Sends a watch as lines of JSON until either side ends it. Objects wait unspelled while the reader is slow, so waiting
 * costs no text. Throws the refusal when there is no watch to send; later errors become an ERROR event.
 * Returns what ends the stream early.
 */
export function streamWatch(options: {
  server: ApiServer
  call: ApiCall
  response: ServerResponse
  textOf: (event: WatchEvent, first: boolean) => string
  log: Logger
}): () => void {
  const { server, call, response, textOf, log } = options
  let waiting: WatchEvent[] = []
  let next = 0
  let most = Number.POSITIVE_INFINITY
  let first = true
  let open = false
  let scheduled = false
  let ended: { error?: unknown } | undefined

  const finish = (): void => {
    stop()
    waiting = []
    next = 0
    if (!response.writableEnded) response.end()
  }
  const pump = (): void => {
    scheduled = false
    if (response.writableEnded || response.destroyed) return
    try {
      while (next < waiting.length && !response.writableNeedDrain) {
        let piece = ''
        while (next < waiting.length && piece.length < PIECE_CHARACTERS) {
          piece += textOf(waiting[next++]!, first)
          first = false
        }
        response.write(piece)
      }
    } catch (error) {
      log.error('a watch event could not be written', { error })
      response.write(textOf(errorEvent(refusals.internal('an event could not be written')), false))
      finish()
      return
    }
    if (next < waiting.length) return
    waiting = []
    next = 0
    if (ended) finish()
  }
  const schedule = (): void => {
    if (!open || scheduled) return
    scheduled = true
    // A commit makes several changes visible at once: they leave in one write.
    queueMicrotask(pump)
  }

  const stop = server.watch(
    call,
    (event) => {
      waiting.push(event)
      if (waiting.length - next > most) {
        log.debug('a watch ends because its reader is too slow', { plural: call.plural })
        return finish()
      }
      schedule()
    },
    (error) => {
      ended = { error }
      if (open && error !== undefined) waiting.push(errorEvent(error))
      schedule()
    },
  )
  if (ended?.error !== undefined) throw ended.error

  // What was there at the start does not count against the reader.
  most = waiting.length + MOST_WAITING
  open = true
  response.on('drain', pump)
  response.on('close', stop)
  response.writeHead(200)
  response.flushHeaders()
  pump()
  return finish
}

function errorEvent(error: unknown): WatchEvent {
  const { status } = error instanceof StatusError ? error : refusals.internal('the watch ended')
  return { type: 'ERROR', object: status }
}
