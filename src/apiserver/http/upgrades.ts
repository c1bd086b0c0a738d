import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { asksForSpdy, asksForWebSocket } from './websocket.js'

/** What came behind the head of a request whose connection may become another protocol's; absent for every other request. */
const earlyBytes = new WeakMap<IncomingMessage, Buffer>()

/** Whether an answer to this request may take over its connection, and with which bytes that have come already. */
export function upgradeOf(request: IncomingMessage): Buffer | undefined {
  return earlyBytes.get(request)
}

/**
 * Takes the requests that ask for another protocol: ones for a WebSocket or SPDY go to `handle` on a connection that may be taken over,
 * all others are answered as if they had not asked, which every server may do.
 */
export function acceptUpgrades(server: Server, handle: (request: IncomingMessage, response: ServerResponse) => void): void {
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!asksForWebSocket(request) && !asksForSpdy(request)) return answerPlainly(server, request, socket, head)
    socket.on('error', () => {})
    earlyBytes.set(request, head)
    const response = new ServerResponse(request)
    // Nobody reads another request from here: a plain answer is the last one.
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.on('finish', () => {
      response.detachSocket(socket)
      socket.end()
      // What else the client sends is nobody's: without a reader its end would never be seen.
      socket.resume()
    })
    handle(request, response)
  })
}

/** Gives a connection back to Node's parser, with the request as it would have come without the wish to upgrade. */
function answerPlainly(server: Server, request: IncomingMessage, socket: Socket, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase()
    if (name !== 'upgrade' && name !== 'connection') lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`)
  }
  socket.removeAllListeners('error')
  // Node reads header values as Latin-1, so that is what gives the same bytes back.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
  socket.resume()
}
