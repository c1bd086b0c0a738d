import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ApiCall, WatchEvent } from '../../apimachinery/call.js'
import { refusals, StatusError } from '../../apimachinery/status-error.js'
import type { Logger } from '../../base/logger.js'
import { HISTORY_CHANGES } from '../../store/store.js'
import type { ApiServer } from '../server.js'
import { createWebSocketSender, type WebSocketSender, webSocketHead } from './websocket.js'

/**
 * Events that may wait for a reader that is slower than the changes; beyond it the watch ends. What the reader has not seen is
 * then still well inside of the history, so it goes on where it was.
 */
const MOST_WAITING = HISTORY_CHANGES / 2
/** How much is handed to the socket at once. */
const PIECE_CHARACTERS = 64 * 1024

/** Where the events of a watch go. */
export interface WatchOutput {
  /** Sends what comes before the first event, and comes before everything else here. Throws the refusal of a bad handshake. */
  open(): void
  /** The reader is slower than what it is sent. */
  readonly isFull: boolean
  readonly isClosed: boolean
  /** Each of them one event, without a line break. */
  send(events: readonly string[]): void
  onDrain(listener: () => void): void
  onClose(listener: () => void): void
  /** Ends it cleanly behind what was sent. */
  end(): void
}

/** The chunk that was made last: what a hundred watchers are told is made once. */
let lastChunk: { text: string; bytes: Buffer } | undefined

/** @see RFC 9112 section 7.1 */
function chunkOf(text: string): Buffer {
  if (lastChunk?.text === text) return lastChunk.bytes
  const bytes = Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
  lastChunk = { text, bytes }
  return bytes
}

/**
 * Lines of JSON as the body of an answer, in chunks. They go to the connection as they are: Node would write each in three pieces, which
 * with TLS are three records, and a change has many watchers.
 */
export function lineOutput(request: IncomingMessage, response: ServerResponse): WatchOutput {
  /** The connection, once it is this answer's and takes chunks. */
  const connection = (): Socket | undefined =>
    response.headersSent && response.chunkedEncoding && response.writableLength === 0 ? (response.socket ?? undefined) : undefined
  return {
    open() {
      onHalfClose(request, response, () => response.end())
      response.setHeader('Content-Type', 'application/json')
      response.writeHead(200)
      response.flushHeaders()
    },
    get isFull() {
      return response.writableNeedDrain || response.socket?.writableNeedDrain === true
    },
    get isClosed() {
      return response.writableEnded || response.destroyed
    },
    send(events) {
      const text = `${events.join('\n')}\n`
      const socket = connection()
      if (socket) socket.write(chunkOf(text))
      else response.write(text)
    },
    onDrain(listener) {
      const { socket } = response
      response.on('drain', listener)
      socket?.on('drain', listener)
      // The connection may be kept for other watches.
      response.on('close', () => socket?.off('drain', listener))
    },
    onClose: (listener) => void response.on('close', listener),
    end() {
      if (!response.writableEnded) response.end()
    },
  }
}

/**
 * Tells when the sender of a request closes its side while the answer still goes on. Whoever waits for what may never come has
 * gone by that, since a connection that is only half closed says nothing more until it is written to.
 */
export function onHalfClose({ socket }: IncomingMessage, response: ServerResponse, listener: () => void): void {
  socket.once('end', listener)
  // The connection may be kept for other requests.
  response.on('close', () => socket.off('end', listener))
}

/**
 * One text frame for each event on the connection of `response`, which becomes a WebSocket. `early` is what came behind the head.
 * @see kubernetes/apiserver v0.35 pkg/endpoints/handlers/watch.go, HandleWS
 */
export function webSocketOutput(request: IncomingMessage, response: ServerResponse, early: Buffer): WatchOutput {
  let sender: WebSocketSender | undefined
  return {
    open() {
      const head = webSocketHead(request, response.getHeaders() as Record<string, string>)
      const { socket } = response
      if (!socket) throw refusals.internal('the connection is gone')
      response.statusCode = 101
      response.detachSocket(socket)
      socket.write(head)
      sender = createWebSocketSender(socket, early)
    },
    get isFull() {
      return sender?.isFull === true
    },
    get isClosed() {
      return sender?.isClosed === true
    },
    send: (events) => sender?.send(events),
    onDrain: (listener) => sender?.onDrain(listener),
    onClose: (listener) => sender?.onClose(listener),
    end: () => sender?.end(),
  }
}

/**
 * Sends a watch until either side ends it. Objects wait unspelled while the reader is slow, so waiting costs no text. Throws
 * the refusal when there is no watch to send; later errors become an ERROR event. Returns what ends the stream early.
 */
export function streamWatch(options: {
  server: ApiServer
  call: ApiCall
  output: WatchOutput
  textOf: (event: WatchEvent, first: boolean) => string
  log: Logger
}): () => void {
  const { server, call, output, textOf, log } = options
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
    output.end()
  }
  const pump = (): void => {
    scheduled = false
    if (output.isClosed) return
    try {
      while (next < waiting.length && !output.isFull) {
        const piece: string[] = []
        for (let characters = 0; next < waiting.length && characters < PIECE_CHARACTERS; first = false) {
          const text = textOf(waiting[next++]!, first)
          piece.push(text)
          characters += text.length
        }
        output.send(piece)
      }
    } catch (error) {
      log.error('a watch event could not be written', { error })
      output.send([textOf(errorEvent(refusals.internal('an event could not be written')), false)])
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
  try {
    output.open()
  } catch (error) {
    stop()
    throw error
  }
  output.onDrain(pump)
  output.onClose(stop)
  pump()
  return finish
}

function errorEvent(error: unknown): WatchEvent {
  const { status } = error instanceof StatusError ? error : refusals.internal('the watch ended')
  return { type: 'ERROR', object: status }
}
