import type { AddressInfo, Socket } from 'node:net'
import { createServer, type SecureContext } from 'node:tls'
import type { Logger } from '../base/logger.js'
import type { Listener } from './port-listeners.js'

/** As Eventing's servers ask for it. @see knative/eventing v1.22 pkg/eventingtls/eventingtls.go, DefaultMinTLSVersion */
const OLDEST_TLS = 'TLSv1.2'

/**
 * A listener that ends TLS: what is inside a connection goes to one of Node's servers, HTTP/2 where the client can speak it. Certificates
 * may change while it listens; a connection keeps the one it began with.
 */
export function listenSecurely(options: {
  host: string
  port: number
  /** For the name of the server that the client wants; '' when it says none. Undefined: the handshake fails. */
  contextFor: (serverName: string) => SecureContext | undefined
  accept: (socket: Socket, protocol: 'http1' | 'http2') => void
  /** Told of each connection, before TLS. */
  track: (socket: Socket) => void
  log: Logger
}): Promise<Listener> {
  const { host, contextFor, log } = options
  const own = new Set<Socket>()
  const server = createServer({
    ALPNProtocols: ['h2', 'http/1.1'],
    minVersion: OLDEST_TLS,
    SNICallback: (serverName, done) => done(null, contextFor(serverName)),
  })
  server.on('connection', (socket: Socket) => {
    own.add(socket)
    socket.on('close', () => own.delete(socket))
    // What breaks a connection ends in its close.
    socket.on('error', () => {})
    options.track(socket)
  })
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {})
    options.accept(socket, socket.alpnProtocol === 'h2' ? 'http2' : 'http1')
  })
  server.on('tlsClientError', (error) => log.debug('a handshake failed', { error: error.message }))
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: options.port }, () => {
      server.off('error', reject)
      server.on('error', (error) => log.error('listener failed', { port: options.port, error }))
      resolve({
        port: (server.address() as AddressInfo).port,
        close() {
          server.close()
          for (const socket of own) socket.destroy()
        },
      })
    })
  })
}
