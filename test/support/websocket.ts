import type { IncomingHttpHeaders } from 'node:http'
import { request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { Socket } from 'node:net'

export const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

export interface Frame {
  opcode: number
  text: string
}

export interface WebSocketClient {
  /** Of the answer to the handshake. */
  headers: IncomingHttpHeaders
  /** The next frame; undefined when the connection has ended. */
  frame(): Promise<Frame | undefined>
  /** The next text frame as JSON. */
  event(): Promise<{ type: string; object: Record<string, unknown> }>
  /** Sends a masked frame, or bytes as they are. */
  send(opcode: number, payload?: string): void
  socket: Socket
}

/** A handshake that was answered with something else. */
export interface PlainAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** Opens a WebSocket, a byte at a time if need be: what a client library hides is what tests are about. */
export function openWebSocket(options: RequestOptions & { tls?: object }): Promise<WebSocketClient | PlainAnswer> {
  return new Promise((resolve, reject) => {
    const { tls, ...rest } = options
    const asked = { agent: false, ...rest, headers: { ...HANDSHAKE, ...(rest.headers as object) } }
    const request = tls ? tlsRequest({ ...asked, ...tls }) : plainRequest(asked)
    request.on('error', reject)
    request.on('upgrade', (response, socket: Socket, head) => resolve(clientOn(socket, head, response.headers)))
    request.on('response', (response) => {
      let body = ''
      response.on('data', (bytes) => {
        body += bytes
      })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
    })
    request.end()
  })
}

function clientOn(socket: Socket, head: Buffer, headers: IncomingHttpHeaders): WebSocketClient {
  const frames = framesOf(socket, head)
  const frame = async (): Promise<Frame | undefined> => {
    const { done, value } = await frames.next()
    return done ? undefined : value
  }
  return {
    headers,
    frame,
    async event() {
      const { opcode, text } = (await frame()) ?? { opcode: -1, text: '' }
      if (opcode !== 1) throw new Error(`a text frame was expected, not opcode ${opcode}`)
      return JSON.parse(text)
    },
    send(opcode, payload = '') {
      const mask = Buffer.from([1, 2, 3, 4])
      const bytes = Buffer.from(payload).map((byte, index) => byte ^ mask[index & 3]!)
      const long = bytes.length > 125
      const size = long ? [0x80 | 126, bytes.length >> 8, bytes.length & 0xff] : [0x80 | bytes.length]
      socket.write(Buffer.concat([Buffer.from([0x80 | opcode, ...size]), mask, bytes]))
    },
    socket,
  }
}

async function* framesOf(socket: Socket, head: Buffer): AsyncGenerator<Frame, undefined> {
  let bytes = head
  const parsed = (): Frame | undefined => {
    if (bytes.length < 2) return undefined
    const short = bytes[1]!
    const from = short < 126 ? 2 : short === 126 ? 4 : 10
    if (bytes.length < from) return undefined
    const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : bytes.readUInt32BE(6)
    if (bytes.length < from + length) return undefined
    const frame = { opcode: bytes[0]! & 0x0f, text: bytes.toString('utf8', from, from + length) }
    bytes = bytes.subarray(from + length)
    return frame
  }
  for (let next = parsed(); next; next = parsed()) yield next
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk])
    for (let next = parsed(); next; next = parsed()) yield next
  }
  return undefined
}
