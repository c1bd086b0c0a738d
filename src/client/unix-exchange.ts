import { createConnection } from 'node:net'
import type { Exchange, HttpRequest, Receiver } from './exchange.js'

/**
 * Requests over a unix socket, each on a connection of its own. The emulator listens on one beside its TLS port for programs of the same
 * user; this is the shortest way for `kn`, since neither TLS nor Node's HTTP client has to be loaded. Only meant for that server.
 */
export function createUnixExchange(socketPath: string): Exchange {
  return (request, receiver) => {
    const socket = createConnection({ path: socketPath })
    const parser = createResponseParser(receiver)
    let isOver = false
    const finish = (error?: Error): void => {
      if (isOver) return
      isOver = true
      socket.destroy()
      receiver.end(error)
    }
    socket.on('data', (chunk) => {
      if (isOver) return
      try {
        if (parser.feed(chunk)) finish()
      } catch (error) {
        finish(error as Error)
      }
    })
    socket.on('end', () => finish(parser.isCompleteAtEnd() ? undefined : new Error('unexpected EOF')))
    socket.on('error', finish)
    socket.write(requestBytes(request))
    return () => {
      isOver = true
      socket.destroy()
    }
  }
}

function requestBytes({ method, path, headers, body }: HttpRequest): Buffer {
  let head = `${method} ${path} HTTP/1.1\r\nConnection: close\r\n`
  for (const [name, value] of Object.entries(headers)) {
    for (const one of typeof value === 'string' ? [value] : value) {
      if (/[\r\n\0]/.test(one)) throw new Error(`the value of the header ${name} contains a line break`)
      head += `${name}: ${one}\r\n`
    }
  }
  if (body) head += `Content-Length: ${body.length}\r\n`
  const bytes = Buffer.from(`${head}\r\n`)
  return body ? Buffer.concat([bytes, body]) : bytes
}

interface ResponseParser {
  /** Takes bytes off the wire; true once the answer is complete. Throws when they are no HTTP/1.1 answer. */
  feed(chunk: Buffer): boolean
  /** Whether the end of the connection is a proper end of the answer. */
  isCompleteAtEnd(): boolean
}

const MOST_HEAD_BYTES = 256 * 1024
const EMPTY = Buffer.alloc(0)

function createResponseParser(receiver: Receiver): ResponseParser {
  let state: 'head' | 'length' | 'untilEnd' | 'chunkSize' | 'chunk' | 'chunkEnd' | 'trailer' | 'done' = 'head'
  let pending: Buffer = EMPTY
  let leftBytes = 0

  /** The next line without its end, or undefined while it is not all here. */
  const line = (): string | undefined => {
    const at = pending.indexOf('\r\n')
    if (at < 0) return undefined
    const text = pending.toString('latin1', 0, at)
    pending = pending.subarray(at + 2)
    return text
  }
  const readHead = (): boolean => {
    const end = pending.indexOf('\r\n\r\n')
    if (end < 0) {
      if (pending.length > MOST_HEAD_BYTES) throw new Error('malformed HTTP response: its header does not end')
      return false
    }
    const [statusLine, ...fields] = pending.toString('latin1', 0, end).split('\r\n')
    pending = pending.subarray(end + 4)
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine!)?.[1])
    if (!status) throw new Error('malformed HTTP response')
    if (status < 200) return true
    const headers: Record<string, string[]> = {}
    for (const field of fields) {
      const colon = field.indexOf(':')
      if (colon < 1) throw new Error('malformed HTTP response: a header without a colon')
      ;(headers[field.slice(0, colon).toLowerCase()] ??= []).push(field.slice(colon + 1).trim())
    }
    receiver.head(status, headers)
    const length = headers['content-length']?.[0]
    if (headers['transfer-encoding']?.at(-1)?.toLowerCase() === 'chunked') {
      state = 'chunkSize'
    } else if (status === 204 || status === 304) {
      state = 'done'
    } else if (length !== undefined) {
      if (!/^\d+$/.test(length)) throw new Error('malformed HTTP response: a bad Content-Length')
      leftBytes = Number(length)
      state = leftBytes === 0 ? 'done' : 'length'
    } else {
      state = 'untilEnd'
    }
    return true
  }
  const take = (next: typeof state): boolean => {
    if (pending.length === 0) return false
    const part = pending.subarray(0, leftBytes)
    pending = pending.subarray(part.length)
    leftBytes -= part.length
    receiver.data(part)
    if (leftBytes === 0) state = next
    return true
  }
  /** Does what the bytes at hand allow; false when more are needed. */
  const step = (): boolean => {
    switch (state) {
      case 'head':
        return readHead()
      case 'length':
        return take('done')
      case 'untilEnd':
        if (pending.length === 0) return false
        receiver.data(pending)
        pending = EMPTY
        return false
      case 'chunkSize': {
        const text = line()
        if (text === undefined) return false
        const size = /^([\da-fA-F]+)\s*(?:;|$)/.exec(text)?.[1]
        if (!size) throw new Error('malformed HTTP response: a bad chunk')
        leftBytes = Number.parseInt(size, 16)
        state = leftBytes === 0 ? 'trailer' : 'chunk'
        return true
      }
      case 'chunk':
        return take('chunkEnd')
      case 'chunkEnd': {
        const text = line()
        if (text === undefined) return false
        if (text !== '') throw new Error('malformed HTTP response: a bad chunk')
        state = 'chunkSize'
        return true
      }
      case 'trailer': {
        const text = line()
        if (text === undefined) return false
        if (text === '') state = 'done'
        return true
      }
      default:
        return false
    }
  }

  return {
    feed(chunk) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      while (step());
      return state === 'done'
    },
    isCompleteAtEnd: () => state === 'done' || state === 'untilEnd',
  }
}
