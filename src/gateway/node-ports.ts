import { connect, createServer, type Socket } from 'node:net'
import { refText } from '../apimachinery/object.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Informer } from '../client/informer.js'
import type { CoreService, ServicePort } from '../kinds/core/service/schema.js'
import type { CoreServices, ServiceGate } from './core-services.js'
import type { Instance } from './instance.js'

export interface NodePorts {
  /** Closes all ports and breaks off all connections; resolves when nothing is left. */
  stop(): Promise<void>
}

/** The node is this machine, seen from itself. */
const LOOPBACK = '127.0.0.1'
/** A port that someone else has is asked for again after that long, in real time. */
const RETRY_MS = 10_000
/** A connection that nobody takes is offered to at most this many endpoints. */
const MAX_ATTEMPTS = 3

/** One node port of one Service, from when it is asked for until it is not. */
interface Opening {
  isOver: boolean
  isReported: boolean
  close: () => void
}

/**
 * Listens on the node ports of core Services (types NodePort and LoadBalancer) and passes connections on byte for byte, whatever
 * they carry, each to one ready endpoint: kube-proxy's part. A port that is taken is reported once and tried again until it is free.
 * Connections outlive their port, as they do on a cluster. UDP and SCTP are not carried.
 *
 * @see kubernetes/kubernetes v1.35 pkg/proxy/iptables/proxier.go
 */
export function startNodePorts(deps: {
  services: Informer<CoreService>
  coreServices: Pick<CoreServices, 'gate'>
  clock: Clock
  /** Told why a port cannot be listened on. */
  report(service: CoreService, nodePort: number, error: Error): void
  log: Logger
}): NodePorts {
  const { services, clock } = deps
  /** By "namespace/name", then by node port. */
  const opened = new Map<string, Map<number, Opening>>()
  const sockets = new Set<Socket>()

  const follow = (service: string, wanted: ReadonlySet<number>): void => {
    const known = opened.get(service) ?? new Map<number, Opening>()
    for (const [nodePort, opening] of known) {
      if (wanted.has(nodePort)) continue
      known.delete(nodePort)
      opening.isOver = true
      opening.close()
    }
    for (const nodePort of wanted) if (!known.has(nodePort)) known.set(nodePort, open(service, nodePort))
    if (known.size > 0) opened.set(service, known)
    else opened.delete(service)
  }

  const open = (service: string, nodePort: number): Opening => {
    const opening: Opening = { isOver: false, isReported: false, close() {} }
    const attempt = (): void => {
      const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (client) =>
        accept(client, service, nodePort),
      )
      const failed = (error: Error): void => {
        if (opening.isOver) return
        const found = serviceOf(service)
        if (found && !opening.isReported) deps.report(found, nodePort, error)
        opening.isReported = true
        opening.close = clock.after(RETRY_MS, attempt)
      }
      server.once('error', failed)
      server.listen({ host: LOOPBACK, port: nodePort, backlog: 1024 }, () => {
        if (opening.isOver) return void server.close()
        opening.isReported = false
        server.off('error', failed)
        server.on('error', (error) => deps.log.error('listener failed', { port: nodePort, error }))
      })
      opening.close = () => void server.close()
    }
    attempt()
    return opening
  }

  const serviceOf = (service: string): CoreService | undefined => {
    const [namespace, name] = service.split('/') as [string, string]
    return services.get({ namespace, name })
  }

  const accept = (client: Socket, service: string, nodePort: number): void => {
    keep(client)
    const found = serviceOf(service)
    const port = found && nodePortsOf(found).find((each) => each.nodePort === nodePort)
    const gate = found && port && deps.coreServices.gate(found.metadata, port)
    const instance = gate?.enter()
    // What a cluster without endpoints answers too: the connection is refused.
    if (!gate || !instance || instance === 'full') return void client.resetAndDestroy()
    pass(client, gate, instance, 1)
  }

  const pass = (client: Socket, gate: ServiceGate, instance: Instance, attempts: number): void => {
    const upstream = connect({ host: instance.host, port: instance.port, allowHalfOpen: true, noDelay: true })
    let isConnected = false
    keep(upstream)
    const giveUp = (): void => void upstream.destroy()
    client.once('close', giveUp)
    upstream.once('connect', () => {
      isConnected = true
      client.pipe(upstream)
      upstream.pipe(client)
    })
    upstream.once('close', (hadError) => {
      client.off('close', giveUp)
      gate.leave(instance)
      const next = isConnected || client.destroyed || attempts >= MAX_ATTEMPTS ? undefined : gate.enterAnother(undefined, instance)
      if (next) return pass(client, gate, next, attempts + 1)
      if (hadError) client.resetAndDestroy()
      else client.destroySoon()
    })
  }

  const keep = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // What breaks a connection ends in its close; without a listener it would end the process.
    socket.on('error', () => {})
  }

  const unsubscribe = services.onChange(({ type, object }) => {
    const ports = type === 'DELETED' ? [] : nodePortsOf(object).map(({ nodePort }) => nodePort!)
    follow(refText(object.metadata), new Set(ports))
  })

  return {
    async stop() {
      unsubscribe()
      for (const service of [...opened.keys()]) follow(service, new Set())
      const closed = [...sockets].map((socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve())))
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
    },
  }
}

function nodePortsOf({ spec }: CoreService): ServicePort[] {
  if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return []
  return (spec.ports ?? []).filter(({ nodePort, protocol = 'TCP' }) => nodePort && protocol === 'TCP')
}
