import { createServer as createHttp1Server } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { refText } from '../apimachinery/object.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { createSeededRandom, type Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import type { EndpointSlice } from '../kinds/core/endpointslice/schema.js'
import type { Pod } from '../kinds/core/pod/schema.js'
import type { CoreService } from '../kinds/core/service/schema.js'
import type { KIngress } from '../kinds/kingress/schema.js'
import type { Revision } from '../kinds/revision/schema.js'
import { createActivator } from './activator.js'
import { serveConnection } from './client-connection.js'
import { createCoreServices } from './core-services.js'
import { createDeadlines } from './deadlines.js'
import type { Entrance, InsideHandler } from './destination.js'
import { createDraining } from './draining.js'
import { createEndpoints } from './endpoints.js'
import { createHeadReader, MAX_HEAD_BYTES } from './http1-heads.js'
import type { Instance } from './instance.js'
import { startNodePorts } from './node-ports.js'
import { createOutbox } from './outbox.js'
import { createPassages } from './passage.js'
import { type Listener, startPortListeners } from './port-listeners.js'
import { readIntoSharedMemory } from './raw-listener.js'
import { createRequestCounts, type RequestCounts } from './request-counts.js'
import { createNoRequestLog, createRequestLog, type RequestLogOptions } from './request-log.js'
import { createRoutes, hostName, type Visibility } from './routes.js'
import { listenSecurely } from './secure-listener.js'
import { frontOfHttp1, frontOfHttp2 } from './stream-front.js'
import { serveStream } from './transit.js'
import { createUpstreamPool } from './upstream.js'

export interface Gateway {
  externalPort: number
  clusterLocalPort: number
  counts: RequestCounts
  /**
   * Resolves when a Pod gets no more requests and has answered those it had, or when the signal is aborted. What the request log
   * says of them is written by then.
   */
  drained(podUid: string, signal: AbortSignal): Promise<void>
  /**
   * Listens with TLS for the hosts that are answered inside this process; others are not found. `contextFor` is asked for each
   * handshake, with the name of the server that the client wants ('' when it says none). Rejects when the port cannot be bound.
   */
  listenSecurely(port: number, contextFor: (serverName: string) => SecureContext | undefined): Promise<Listener>
  /** Closes listeners and connections, in the middle of requests too; resolves when nothing is left. */
  stop(): Promise<void>
}

export interface GatewayOptions {
  informers: {
    kingresses: Informer<KIngress>
    services: Informer<CoreService>
    slices: Informer<EndpointSlice>
    pods: Informer<Pod>
    revisions: Informer<Revision>
  }
  /** Request timeouts and averages are in real time. */
  realClock: Clock
  random: Random
  log: Logger
  /** The address to bind; loopback, unless the user asked for another one. */
  host: string
  /** For hosts that are visible outside; 0 takes any free port. */
  externalPort: number
  /** For the names inside the cluster; 0 takes any free port. */
  clusterLocalPort: number
  /**
   * Who answers inside this process for a host inside the cluster that no route is for; `host` as it came, with port. `isSecure`:
   * the request came with TLS.
   */
  inside?: (host: string, isSecure: boolean) => InsideHandler | undefined
  /** Told once of a node port of a core Service that cannot be listened on; it is tried again until it can. */
  onNodePortTaken?: (service: CoreService, nodePort: number, error: Error) => void
  /** Where the queue-proxies' request logs go, and whether there are any; absent: there are none. */
  requestLog?: Pick<RequestLogOptions, 'configMaps' | 'write'>
}

import { createTurnClock } from './turn-clock.js'

/** The addresses of Services' own ports are always loopback ones. */
const LOOPBACK = '127.0.0.1'
const MAX_STREAMS_PER_CONNECTION = 1000
const HTTP2_IDLE_MS = 600_000
/** A connection whose requests are answered inside is kept that long without one. */
const INSIDE_IDLE_MS = 600_000

/** Routes come first: a Service may have any name. */
function insideOf(entrance: Entrance, host: string): InsideHandler | undefined {
  return entrance.inside && !entrance.find(host) ? entrance.inside(host) : undefined
}

/**
 * The data path of Serving: ingress, activator and queue-proxy in one hop. A request goes this way:
 *
 * 1. a listener takes the connection; `client-connection.ts` reads HTTP/1.1 from it, all else goes to Node's servers (below);
 * 2. `destination.ts`: host → rule → path → weighted split, from the table that `routes.ts` keeps; inside the cluster also a core
 *    Service's name, and from there straight to one of its endpoints (`core-services.ts`);
 * 3. `passage.ts`: answer a probe, count the request, arm its time limits;
 * 4. `activator.ts`: an instance with a free slot, or wait for one in line;
 * 5. `upstream.ts`: a connection to it, and the bytes go both ways (`response-relay.ts`), or over `transit.ts` where HTTP/2 is spoken.
 *
 * Rejects when a main port cannot be bound. The informers stay the caller's.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { informers, host, inside } = options
  const clock = createTurnClock(options.realClock)
  const log = options.log.with({ room: 'gateway' })
  await Promise.all(Object.values(informers).map(({ synced }) => synced))

  // Which of two instances gets a request is no secret: a cheap generator does, and costs the request path no system call.
  const random = createSeededRandom(options.random.bytes(4).readUInt32LE(0))
  const deadlines = createDeadlines(clock)
  const counts = createRequestCounts(clock.now())
  const routes = createRoutes(informers.kingresses)
  const endpoints = createEndpoints(informers.slices, informers.pods)
  const pool = createUpstreamPool({ clock, deadlines })
  const draining = createDraining()
  const requestLog = options.requestLog
    ? createRequestLog({ ...options.requestLog, revisions: informers.revisions, log })
    : createNoRequestLog()
  let isStopping = false
  const onGone = (instance: Instance): void => {
    pool.closeIdle(instance)
    for (const { session } of instance.sessions.splice(0)) {
      if (isStopping) session.destroy()
      else session.close()
    }
  }
  const activator = createActivator({ revisions: informers.revisions, endpoints, counts, draining, random, onGone })
  const coreServices = createCoreServices({ services: informers.services, endpoints, random, clock, onGone })
  const passages = createPassages({ activator, counts, deadlines, requestLog, clock })
  const reader = createHeadReader()
  const outbox = createOutbox()

  /** Which way in a connection took, for the servers of Node that know only the socket, and for those whose sessions hide it. */
  const entrances = new WeakMap<Socket, Entrance>()
  let arriving: Entrance | undefined
  const transitDeps = { routes, passages, random, clock }
  const http1 = createHttp1Server({ maxHeaderSize: MAX_HEAD_BYTES, noDelay: true }, (request, response) => {
    const entrance = entrances.get(request.socket)
    if (!entrance) return void response.destroy()
    const inside = insideOf(entrance, request.headers.host ?? '')
    const front = frontOfHttp1(request, response, { isLast: !inside })
    if (inside) inside(front)
    else serveStream(front, entrance, transitDeps)
  })
  http1.keepAliveTimeout = INSIDE_IDLE_MS
  http1.on('clientError', (_error, socket) => socket.destroy())
  const http2 = createHttp2Server({
    settings: { maxConcurrentStreams: MAX_STREAMS_PER_CONNECTION, maxHeaderListSize: MAX_HEAD_BYTES },
  })
  http2.on('session', (session) => {
    session.on('error', () => session.destroy())
    session.setTimeout(HTTP2_IDLE_MS, () => session.close())
    const entrance = arriving
    session.on('stream', (stream, headers, _flags, raw: string[] = []) => {
      stream.on('error', () => {})
      if (!entrance) return stream.close()
      const front = frontOfHttp2(stream, headers, raw)
      const inside = insideOf(entrance, front.host)
      if (inside) inside(front)
      else serveStream(front, entrance, transitDeps)
    })
  })
  const sockets = new Set<Socket>()
  /** Of connections that read into shared memory: what makes them streams like any other. */
  const becomeOrdinary = new WeakMap<Socket, () => void>()
  const connectionDeps = {
    routes,
    passages,
    pool,
    reader,
    deadlines,
    outbox,
    clock,
    random,
    divert(socket: Socket, entrance: Entrance, protocol: 'http1' | 'http2') {
      entrances.set(socket, entrance)
      becomeOrdinary.get(socket)?.()
      if (protocol === 'http1') {
        http1.emit('connection', socket)
        socket.resume()
      } else {
        // Sessions of Node do not end their side by themselves when the client ends its own.
        socket.allowHalfOpen = false
        arriving = entrance
        http2.emit('connection', socket)
        arriving = undefined
      }
    },
  }
  const accept = (socket: Socket, entrance: Entrance): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // What breaks a connection ends in its close, which is acted upon; without a listener it would end the process.
    socket.on('error', () => {})
    serveConnection(socket, entrance, connectionDeps)
  }

  const listen = (address: string, port: number, entrance: Entrance): Promise<Listener> =>
    new Promise((resolve, reject) => {
      const own = new Set<Socket>()
      const take = (socket: Socket): void => {
        own.add(socket)
        socket.on('close', () => own.delete(socket))
        accept(socket, entrance)
      }
      const server = createServer({ allowHalfOpen: true, noDelay: true }, take)
      server.once('error', reject)
      server.listen({ host: address, port, backlog: 1024 }, () => {
        server.off('error', reject)
        server.on('error', (error) => log.error('listener failed', { port, error }))
        readIntoSharedMemory(server, (socket, ordinary) => {
          becomeOrdinary.set(socket, ordinary)
          take(socket)
        })
        resolve({
          port: (server.address() as AddressInfo).port,
          close() {
            server.close()
            for (const socket of own) socket.destroy()
          },
        })
      })
    })
  const byHost = (visibility: Visibility): Entrance => ({ find: (name) => routes.find(visibility, hostName(name)) })
  const clusterLocalEntrance: Entrance = {
    ...byHost('ClusterLocal'),
    ...(inside && { inside: (name: string) => inside(name, false) }),
    service: coreServices.target,
  }

  const external = await listen(host, options.externalPort, byHost('ExternalIP'))
  const clusterLocal = await listen(host, options.clusterLocalPort, clusterLocalEntrance).catch((error: unknown) => {
    external.close()
    throw error
  })
  const portListeners = startPortListeners({
    routes,
    listen: (port, ingress) => listen(LOOPBACK, port, { find: () => routes.firstExternal(ingress) }),
    log,
  })
  const nodePorts = startNodePorts({
    services: informers.services,
    coreServices,
    clock,
    report(service, nodePort, error) {
      log.warn('cannot listen on a node port', { service: refText(service.metadata), port: nodePort, error: error.message })
      options.onNodePortTaken?.(service, nodePort, error)
    },
    log,
  })

  const secureEntrance: Entrance = { find: () => undefined, ...(inside && { inside: (name: string) => inside(name, true) }) }
  const secureListeners = new Set<Listener>()

  return {
    externalPort: external.port,
    clusterLocalPort: clusterLocal.port,
    counts,
    async listenSecurely(port, contextFor) {
      const listener = await listenSecurely({
        host,
        port,
        contextFor,
        accept: (socket, protocol) => connectionDeps.divert(socket, secureEntrance, protocol),
        track(socket) {
          sockets.add(socket)
          socket.on('close', () => sockets.delete(socket))
        },
        log,
      })
      secureListeners.add(listener)
      return {
        port: listener.port,
        close() {
          secureListeners.delete(listener)
          listener.close()
        },
      }
    },
    async drained(podUid, signal) {
      await draining.drained(podUid, signal)
      requestLog.flush()
    },
    async stop() {
      isStopping = true
      portListeners.stop()
      await nodePorts.stop()
      external.close()
      clusterLocal.close()
      for (const listener of secureListeners) listener.close()
      const closed = [...sockets].map((socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve())))
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
      pool.stop()
      routes.stop()
      endpoints.stop()
      activator.stop()
      coreServices.stop()
      draining.stop()
      requestLog.stop()
      deadlines.stop()
    },
  }
}
