import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { refusals } from '../../apimachinery/status-error.js'
import { createWebSocketConversation, type WebSocketConversation, webSocketHead } from '../http/websocket.js'

/** Takes the connection of an answer for another protocol, behind `head`. */
function taken(response: ServerResponse, head: string): Socket {
  const { socket } = response
  if (!socket) throw refusals.internal('the connection is gone')
  response.statusCode = 101
  response.detachSocket(socket)
  socket.setNoDelay(true)
  socket.write(head)
  return socket
}

/** The connection as a WebSocket with this subprotocol, or with none. Throws 400 for a handshake that is none. */
export function takeWebSocket(
  request: IncomingMessage,
  response: ServerResponse,
  early: Buffer,
  protocol: string | undefined,
): WebSocketConversation {
  const head = webSocketHead(request, response.getHeaders() as Record<string, string>, protocol ?? '')
  return createWebSocketConversation(taken(response, head), early)
}

/** The connection for SPDY, with the one subprotocol that was chosen: kubectl up to 1.27 falls over more than one. */
export function takeSpdy(response: ServerResponse, protocol: string): Socket {
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: SPDY/3.1',
    'Connection: Upgrade',
    `X-Stream-Protocol-Version: ${protocol}`,
    ...Object.entries(response.getHeaders()).flatMap(([name, value]) => [value ?? []].flat().map((one) => `${name}: ${one}`)),
  ]
  return taken(response, `${lines.join('\r\n')}\r\n\r\n`)
}

/** The subprotocols that a client offers for SPDY, in its order: a header line for each, which Node joins. */
export function offeredStreamProtocols({ headers }: Pick<IncomingMessage, 'headers'>): string[] {
  return [headers['x-stream-protocol-version'] ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '')
}

/** The bytes that go through a WebSocket, whatever messages they come in. */
export function bytesOver(socket: WebSocketConversation): Duplex {
  const bytes = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.send(chunk, 'binary', () => done()),
    final(done) {
      socket.end()
      done()
    },
  })
  socket.onMessage((payload) => {
    if (!bytes.push(payload)) socket.pause()
  })
  socket.onClose(() => bytes.destroy())
  return bytes
}
