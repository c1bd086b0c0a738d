import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Kind } from '../../../src/apimachinery/kind.js'
import { type KubeObject, refText } from '../../../src/apimachinery/object.js'
import { type Clock, createSystemClock } from '../../../src/base/clock.js'
import { createLogger, createSilentLogger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import type { Informer, InformerChange } from '../../../src/client/informer.js'
import { type Gateway, type GatewayOptions, startGateway } from '../../../src/gateway/gateway.js'
import { endpointSliceKind } from '../../../src/kinds/core/endpointslice/kind.js'
import type { EndpointSlice } from '../../../src/kinds/core/endpointslice/schema.js'
import { podKind } from '../../../src/kinds/core/pod/kind.js'
import { PORTS_ANNOTATION, type Pod } from '../../../src/kinds/core/pod/schema.js'
import { coreServiceKind } from '../../../src/kinds/core/service/kind.js'
import type { CoreService } from '../../../src/kinds/core/service/schema.js'
import { kingressKind } from '../../../src/kinds/kingress/kind.js'
import type { IngressRule, KIngress } from '../../../src/kinds/kingress/schema.js'
import { revisionKind } from '../../../src/kinds/revision/kind.js'
import type { Revision, RevisionSpec } from '../../../src/kinds/revision/schema.js'

export interface FakeInformer<T extends KubeObject> extends Informer<T> {
  put(object: T): void
  remove(object: T): void
}

/** An informer that is fed by hand. */
export function createFakeInformer<T extends KubeObject>(kind: Kind<T>): FakeInformer<T> {
  const objects = new Map<string, T>()
  const listeners = new Set<(change: InformerChange<T>) => void>()
  const tell = (change: InformerChange<T>): void => {
    for (const listener of [...listeners]) listener(change)
  }
  return {
    kind,
    get: (ref) => objects.get(refText(ref)),
    list: () => [...objects.values()],
    labelled: (label, value) => [...objects.values()].filter(({ metadata }) => metadata.labels?.[label] === value),
    onChange(listener) {
      listeners.add(listener)
      for (const object of objects.values()) listener({ type: 'ADDED', object, previous: undefined })
      return () => void listeners.delete(listener)
    },
    synced: Promise.resolve(),
    stop() {},
    put(object) {
      const previous = objects.get(refText(object.metadata))
      objects.set(refText(object.metadata), object)
      tell({ type: previous ? 'MODIFIED' : 'ADDED', object, previous })
    },
    remove(object) {
      const previous = objects.get(refText(object.metadata))
      objects.delete(refText(object.metadata))
      tell({ type: 'DELETED', object, previous })
    },
  }
}

export function createInformers() {
  return {
    kingresses: createFakeInformer<KIngress>(kingressKind),
    services: createFakeInformer<CoreService>(coreServiceKind),
    slices: createFakeInformer<EndpointSlice>(endpointSliceKind),
    pods: createFakeInformer<Pod>(podKind),
    revisions: createFakeInformer<Revision>(revisionKind),
  }
}

export function aRevision(name: string, spec: Partial<RevisionSpec> = {}, annotations: Record<string, string> = {}): Revision {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: { namespace: 'default', name, annotations },
    spec: { containers: [{ name: 'user-container', image: 'hello' }], timeoutSeconds: 300, ...spec },
  }
}

/** One Ingress with a rule per host; by default all traffic to one revision. */
export function aKIngress(name: string, rules: readonly IngressRule[], annotations: Record<string, string> = {}): KIngress {
  return {
    apiVersion: 'networking.internal.knative.dev/v1alpha1',
    kind: 'Ingress',
    metadata: { namespace: 'default', name, annotations, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { rules: [...rules] },
  }
}

export function aRule(host: string, revision: string, options: Partial<IngressRule> & { port?: number } = {}): IngressRule {
  const { port = 80, ...rule } = options
  const appendHeaders = { 'Knative-Serving-Revision': revision, 'Knative-Serving-Namespace': 'default' }
  const split = { serviceNamespace: 'default', serviceName: revision, servicePort: port, percent: 100, appendHeaders }
  return { hosts: [host], visibility: 'ExternalIP', http: { paths: [{ splits: [split] }] }, ...rule }
}

/** Pods of a revision on loopback ports, ready, in one slice of its private Service. */
export function somePods(revision: string, ports: readonly number[], portName = 'http'): { pods: Pod[]; slice: EndpointSlice } {
  const port = portName === 'http2' ? 8013 : 8012
  const pods = ports.map(
    (loopbackPort, index): Pod => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        namespace: 'default',
        name: `${revision}-pod-${index}`,
        uid: `${revision}-uid-${index}`,
        annotations: { [PORTS_ANNOTATION]: JSON.stringify({ 8080: loopbackPort, [port]: loopbackPort }) },
      },
      spec: { containers: [] },
    }),
  )
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      namespace: 'default',
      name: `${revision}-private-abcde`,
      labels: { 'kubernetes.io/service-name': `${revision}-private` },
    },
    addressType: 'IPv4',
    ports: [
      { name: 'http-autometric', port: 9090 },
      { name: portName, port },
    ],
    endpoints: pods.map(({ metadata }, index) => ({
      addresses: [`10.244.0.${index + 1}`],
      conditions: { ready: true },
      targetRef: { kind: 'Pod', namespace: 'default', name: metadata.name },
    })),
  }
  return { pods, slice }
}

export function aCoreService(name: string, spec: CoreService['spec'], owner?: { kind: string; name: string }): CoreService {
  const reference = owner && {
    apiVersion: 'networking.internal.knative.dev/v1alpha1',
    uid: `${owner.name}-uid`,
    controller: true,
    ...owner,
  }
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name, uid: `${name}-uid`, ...(reference && { ownerReferences: [reference] }) },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.7', ...spec },
  }
}

/** A Pod of a Deployment, whose container ports are reached on these loopback ports. */
export function aPlainPod(name: string, address: string, ports: Record<number, number>, declared = Object.keys(ports).map(Number)): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', name, uid: `${name}-uid`, annotations: { [PORTS_ANNOTATION]: JSON.stringify(ports) } },
    spec: { containers: [{ name: 'main', image: 'web', ports: declared.map((containerPort) => ({ containerPort })) }] },
    status: { podIP: address },
  }
}

export function aSlice(service: string, ports: EndpointSlice['ports'], endpoints: EndpointSlice['endpoints']): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name: `${service}-abcde`, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: ports ?? [],
    endpoints,
  }
}

/** What the slice of a Service says of a ready Pod. */
export function endpointOf(pod: Pod, conditions: EndpointSlice['endpoints'][number]['conditions'] = { ready: true }) {
  return { addresses: [pod.status!.podIP!], conditions, targetRef: { kind: 'Pod', namespace: 'default', name: pod.metadata.name } }
}

export type Informers = ReturnType<typeof createInformers>

export interface TestGateway extends Gateway {
  informers: Informers
  warnings: string[]
  /** Makes a revision, routes `<name>.default.localhost` to it, and starts it on these ports. */
  serve(name: string, ports: readonly number[], spec?: Partial<RevisionSpec>, annotations?: Record<string, string>): void
  /** Makes these the ready Pods of a revision. */
  scale(name: string, ports: readonly number[], portName?: string): void
}

export async function startTestGateway({
  clock = createSystemClock(),
  requestLog,
  inside,
  onNodePortTaken,
}: Pick<GatewayOptions, 'requestLog' | 'inside' | 'onNodePortTaken'> & { clock?: Clock } = {}): Promise<TestGateway> {
  const informers = createInformers()
  const warnings: string[] = []
  const gateway = await startGateway({
    informers,
    realClock: clock,
    random: createSeededRandom(7),
    log: createLogger({ clock, write: (line) => warnings.push(line), level: 'warn' }),
    host: '127.0.0.1',
    externalPort: 0,
    clusterLocalPort: 0,
    ...(requestLog && { requestLog }),
    ...(inside && { inside }),
    ...(onNodePortTaken && { onNodePortTaken }),
  })
  onTestFinished(() => gateway.stop())
  const scale: TestGateway['scale'] = (name, ports, portName) => {
    const { pods, slice } = somePods(name, ports, portName)
    for (const pod of pods) informers.pods.put(pod)
    informers.slices.put(slice)
  }
  return {
    ...gateway,
    informers,
    warnings,
    scale,
    serve(name, ports, spec, annotations) {
      informers.revisions.put(aRevision(name, spec, annotations))
      scale(name, ports)
      informers.kingresses.put(aKIngress(name, [aRule(`${name}.default.localhost`, name)]))
    },
  }
}

/** An application on a loopback port, ended with the test. */
export async function startApp(listener: RequestListener): Promise<{ port: number; server: Server }> {
  const server = createServer(listener)
  const port = await listening(server)
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return { port, server }
}

/** An application that speaks bytes. */
export async function startTcpApp(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    onConnection(socket)
  })
  const port = await listening(server)
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  )
  return port
}

export function listening(server: { listen(port: number, host: string, done: () => void): unknown; address(): unknown }): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

export async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

export interface RawClient {
  socket: Socket
  send(text: string): void
  /** Everything received so far. */
  text(): string
  /** Resolves once what was received matches; rejects when the connection ends before. */
  until(pattern: RegExp): Promise<string>
  closed: Promise<string>
}

/** A connection that says exactly what it is told to. */
export function rawClient(port: number, first = ''): RawClient {
  const socket = connect({ port, host: '127.0.0.1' })
  let received = ''
  const waiting = new Set<() => void>()
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1')
    for (const check of [...waiting]) check()
  })
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => void socket.on('close', () => resolve(received)))
  onTestFinished(() => void socket.destroy())
  if (first !== '') socket.write(first, 'latin1')
  return {
    socket,
    send: (text) => void socket.write(text, 'latin1'),
    text: () => received,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!pattern.test(received)) return
          waiting.delete(check)
          resolve(received)
        }
        waiting.add(check)
        void closed.then(() => reject(new Error(`closed before ${pattern}: ${JSON.stringify(received.slice(0, 400))}`)))
        check()
      }),
    closed,
  }
}

export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

/** One request on a connection of its own, answered whole. */
export async function ask(
  port: number,
  host: string,
  path = '/',
  headers: Record<string, string> = {},
  method = 'GET',
  body = '',
): Promise<Answer> {
  const lines = Object.entries({ Host: host, Connection: 'close', ...(body ? { 'Content-Length': String(body.length) } : {}), ...headers })
  const client = rawClient(
    port,
    `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`,
  )
  return answerFrom(await client.closed)
}

export function answerFrom(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [line = '', ...fields] = head.split('\r\n')
  const headers = Object.fromEntries(
    fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 2)]),
  )
  const raw = rest.join('\r\n\r\n')
  const body = headers['transfer-encoding'] === 'chunked' ? dechunked(raw) : raw
  return { status: Number(line.split(' ')[1]), headers, body }
}

function dechunked(text: string): string {
  let body = ''
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, end), 16)
    if (!size) return body
    body += text.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
}

/** A few turns of the event loop, sockets included. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

export const silentLog = createSilentLogger()
