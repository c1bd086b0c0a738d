import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createSystemRandom, type Random } from '../base/random.js'
import { allowedHosts } from './auth/guard.js'
import { createDiscovery } from './discovery.js'
import { following } from './following.js'
import { createRequestHandler, type ListenerTrust } from './http/handler.js'
import { createControlMetrics } from './http/metrics.js'
import { createObjectTexts } from './http/object-text.js'
import type { VersionInfo } from './http/plain-documents.js'
import type { PodLogs } from './http/pod-log.js'
import { createResourceAnswers } from './http/resource-request.js'
import { acceptUpgrades } from './http/upgrades.js'
import { createOpenApi, type VersionDocuments } from './openapi.js'
import type { ApiServer } from './server.js'
import type { PodStreams } from './streams/pod-streams.js'
import type { FindProxyTarget } from './streams/proxy.js'

export type { VersionInfo } from './http/plain-documents.js'
export type { PodLogOptions, PodLogRef, PodLogs } from './http/pod-log.js'

export interface ControlListener {
  /** The port that was bound, also where 0 was asked for. */
  port: number
  /** Takes no more requests, ends watches and logs cleanly, then everything that is still open. */
  stop(): Promise<void>
}

/** Pooled connections of Go and Java clients live 90 s and more: ours must not end first. In milliseconds. */
const KEEP_ALIVE_MS = 120_000
/** How long a client may take over its TLS handshake, in milliseconds. */
const HANDSHAKE_MS = 10_000
/** How long requests may go on once the listener stops, in milliseconds. */
const STOP_GRACE_MS = 1000

/** The same for both listeners. Bodies and watches may take their time; only the head of a request may not. */
const SERVER_OPTIONS = {
  keepAliveTimeout: KEEP_ALIVE_MS,
  headersTimeout: KEEP_ALIVE_MS + 5000,
  requestTimeout: 0,
  // URLs with selectors are long.
  maxHeaderSize: 64 * 1024,
  noDelay: true,
  // Whoever has said all they have to say may close their side and still be answered.
  allowHalfOpen: true,
} as const

/**
 * Puts an API server on a port: HTTPS with the instance's certificate, and, where `socketPath` says so, plain HTTP on a
 * unix socket that only its owner can open. `clock` (virtual) is for ages in tables, `realClock` for everything that waits.
 * Without `podLogs` Pods have no log subresource, without `podStreams` no exec, attach and
 * portforward, and without `findProxyTarget` neither they nor Services have a proxy. Rejects with the system's error when an address cannot be bound.
 */
export async function startControlListener(options: {
  server: ApiServer
  version: VersionInfo
  /** PEM; `ca` issues client certificates. */
  tls: { key: string | Buffer; cert: string | Buffer; ca: string | Buffer }
  /** The instance's bearer token. */
  token: string
  host: string
  /** 0 takes a free one. */
  port: number
  socketPath?: string
  clock: Clock
  realClock: Clock
  log: Logger
  random?: Random
  podLogs?: PodLogs
  podStreams?: PodStreams
  findProxyTarget?: FindProxyTarget
}): Promise<ControlListener> {
  const { server, version, tls, token, host, clock, realClock, log, random = createSystemRandom() } = options
  const metrics = createControlMetrics()
  const streams = new Set<() => void>()
  const documents: VersionDocuments = new Map()
  const handle = createRequestHandler({
    server,
    version,
    token,
    random,
    log,
    discovery: following(() => server.kinds, createDiscovery),
    openApi: following(
      () => server.kinds,
      (kinds) => createOpenApi(kinds, version.gitVersion, documents),
    ),
    metrics,
    answerResource: createResourceAnswers({
      server,
      clock,
      realClock,
      random,
      log,
      texts: createObjectTexts(),
      metrics,
      streams,
      podLogs: options.podLogs,
      podStreams: options.podStreams,
      findProxyTarget: options.findProxyTarget,
    }),
  })

  // The port is only known once it is bound, and no request comes earlier.
  let trust: ListenerTrust = { allowedHosts: new Set(), trusted: false }
  const secure = createTlsServer(
    {
      ...SERVER_OPTIONS,
      ...tls,
      handshakeTimeout: HANDSHAKE_MS,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    },
    ((request, response) => void handle(request, response, trust)) as RequestListener,
  )
  const sockets = new Set<Socket>()
  acceptUpgrades(secure, (request, response) => void handle(request, response, trust))
  answerHalfClosed(secure)
  keepTrack(secure, sockets)
  quieten(secure, log)
  await listen(secure, { host, port: options.port })
  const { port } = secure.address() as AddressInfo
  const extraNames = host.includes(':') ? [`[${host}]`] : [host]
  trust = { allowedHosts: allowedHosts({ port, extraNames }), trusted: false }

  const servers: Server[] = [secure]
  if (options.socketPath) {
    const local: ListenerTrust = { allowedHosts: allowedHosts({ port, extraNames, anyPort: true }), trusted: true }
    const plain = createPlainServer(SERVER_OPTIONS, (request, response) => void handle(request, response, local))
    acceptUpgrades(plain, (request, response) => void handle(request, response, local))
    answerHalfClosed(plain)
    keepTrack(plain, sockets)
    quieten(plain, log)
    try {
      await listenOnSocket(plain, options.socketPath)
    } catch (error) {
      secure.close()
      throw error
    }
    servers.push(plain)
  }

  return {
    port,
    async stop() {
      const closed = Promise.all(servers.map((listener) => new Promise<void>((resolve) => listener.close(() => resolve()))))
      for (const end of [...streams]) end()
      for (const listener of servers) listener.closeIdleConnections()
      const patience = new AbortController()
      await Promise.race([closed, realClock.sleep(STOP_GRACE_MS, patience.signal).catch(() => {})])
      patience.abort()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function listen(server: Server, where: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(where, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Whoever opens the socket has passed its permission: that is the credential, so nobody but the owner may. */
async function listenOnSocket(server: Server, path: string): Promise<void> {
  removeStaleSocket(path)
  await listen(server, { path })
  chmodSync(path, 0o600)
}

/** A killed process leaves its socket behind; only a socket is ever removed. */
function removeStaleSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Node itself loses sight of connections that became WebSockets, and of ones that never get through their TLS handshake. */
function keepTrack(server: Server, sockets: Set<Socket>): void {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
}

/** Node closes both sides when a client closes its own, unless told not to by this property, which its types leave out. */
function answerHalfClosed(server: Server): void {
  Object.assign(server, { httpAllowHalfOpen: true })
}

/** What is wrong with a connection is the client's business: it is told where possible, and never ends this process. */
function quieten(server: Server, log: Logger): void {
  server.on('connection', (socket: Socket) => socket.on('error', () => {}))
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => {}))
  server.on('tlsClientError', (error: Error) => log.debug('a TLS handshake failed', { reason: error.message }))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (socket.destroyed) return
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  })
}
