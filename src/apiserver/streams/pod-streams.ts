import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import type { Verb } from '../../apimachinery/call.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { refusals, StatusError } from '../../apimachinery/status-error.js'
import type { Clock } from '../../base/clock.js'
import { flag } from '../http/options.js'
import { upgradeOf } from '../http/upgrades.js'
import { asksForWebSocket, offeredProtocols } from '../http/websocket.js'
import { bytesOver, offeredStreamProtocols, takeSpdy, takeWebSocket } from './connection.js'
import {
  CHANNEL_PROTOCOLS,
  type ForwardedPod,
  forwardOverChannels,
  forwardOverSpdy,
  PORT_FORWARD_PROTOCOL,
  TUNNEL_PROTOCOL,
} from './port-forward.js'
import {
  commandOverSpdy,
  commandOverWebSocket,
  type ExitStatus,
  type RemoteClient,
  SPDY_COMMAND_PROTOCOLS,
  type WantedStreams,
  WEBSOCKET_COMMAND_PROTOCOLS,
} from './remote-command.js'

/** A command that runs beside a container. */
export interface OpenedProcess {
  stdin: Writable | undefined
  stdout: Readable
  stderr: Readable
  exited: Promise<{ exitCode: number }>
  resize(columns: number, rows: number): void
  kill(): void
}

/** A container as it runs. */
export interface AttachedContainer {
  /** Undefined for one that reads nothing. */
  stdin: Writable | undefined
  /** Whether it ends when the client says nothing more. */
  stdinOnce: boolean
  /** Everything that it writes from now on. Returns what ends this. */
  onOutput(listener: (stream: 'stdout' | 'stderr', bytes: Buffer) => void): () => void
  resize(columns: number, rows: number): void
  exited: Promise<unknown>
}

/** What the streams of Pods lead to. */
export interface PodStreams {
  isRunning(which: { uid: string; container: string }): boolean
  /** Runs a command beside a container. Rejects with an Error that says why it cannot. What it writes is lost unless it is read at once. */
  open(which: { uid: string; container: string }, command: readonly string[], how: { tty: boolean; stdin: boolean }): Promise<OpenedProcess>
  /** The streams of a container; undefined when it does not run. */
  attach(which: { uid: string; container: string }): AttachedContainer | undefined
  /** The loopback port behind a port of a Pod; undefined when it has no such port. */
  portOf(pod: KubeObject, port: number): number | undefined
}

/** The subresources of a Pod that turn their connection into streams. */
export const POD_STREAMS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward'])

interface StreamRequest {
  request: IncomingMessage
  response: ServerResponse
  query: URLSearchParams
  requireVerb(verb: Verb): void
}

interface Pod extends KubeObject {
  spec?: { nodeName?: string; containers?: { name: string }[]; initContainers?: { name: string }[] }
}

/** Output comes at once behind the end of a command, unless something that it started holds it: that is not waited for. */
const OUTPUT_GRACE_MS = 250

/**
 * Answers `exec`, `attach` and `portforward` of a Pod, or throws the StatusError they are refused with; `streams` holds what ends each
 * that is open.
 * @see kubernetes/kubernetes v1.35 pkg/registry/core/pod/rest/subresources.go, pkg/kubelet/server/server.go
 */
export async function answerPodStream(
  asked: StreamRequest,
  object: KubeObject,
  subresource: string,
  deps: { podStreams: PodStreams; clock: Pick<Clock, 'after'>; streams: Set<() => void> },
): Promise<void> {
  const { request, query, requireVerb } = asked
  const pod = object as Pod
  // A WebSocket can only be asked for by GET: it needs the right to create all the same.
  if (request.method === 'GET') requireVerb('create')
  else if (request.method !== 'POST') throw refusals.methodNotAllowed()
  if (!pod.spec?.nodeName) throw refusals.badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
  if (subresource === 'portforward') return forwardPorts(asked, pod, deps)

  const uid = pod.metadata.uid ?? ''
  const container = containerFor(pod, query.get('container') || undefined)
  const wanted: WantedStreams = {
    stdin: flag(query, 'stdin') === true,
    stdout: flag(query, 'stdout') === true,
    stderr: flag(query, 'stderr') === true,
    tty: flag(query, 'tty') === true,
  }
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) throw refusals.badRequest('you must specify at least 1 of stdin, stdout, stderr')
  if (subresource === 'attach') return attach(asked, { uid, container }, wanted, deps)

  const command = query.getAll('command')
  if (command.length === 0) throw refusals.badRequest('you must specify at least one command for the container')
  // A handshake that cannot be is refused before anything is started.
  const protocol = commandProtocol(request)
  if (!deps.podStreams.isRunning({ uid, container })) throw notRunning(container)
  const client = await clientOf(asked, protocol, wanted, deps.clock)
  if (!client) return
  let process: OpenedProcess
  try {
    process = await deps.podStreams.open({ uid, container }, command, { tty: wanted.tty, stdin: wanted.stdin })
  } catch (error) {
    return client.finish(cannotStart(error as Error))
  }
  await relay(process, client, deps)
}

function notRunning(container: string): StatusError {
  return new StatusError({ code: 500, reason: 'InternalError', message: `container not found (${JSON.stringify(container)})` })
}

/** The container that is asked for. Throws 400 as the API server does. */
function containerFor(pod: Pod, asked: string | undefined): string {
  const names = (pod.spec?.containers ?? []).map(({ name }) => name)
  const initNames = (pod.spec?.initContainers ?? []).map(({ name }) => name)
  const { name } = pod.metadata
  if (asked === undefined && names.length !== 1)
    throw refusals.badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`)
  const container = asked ?? names[0]!
  if (!names.includes(container) && !initNames.includes(container))
    throw refusals.badRequest(`container ${container} is not valid for pod ${name}`)
  return container
}

/** What the client wants to speak: how, and which subprotocol. Throws for a request that asks for no upgrade, or for none we know. */
function commandProtocol(request: IncomingMessage): { over: 'websocket' | 'spdy'; protocol: string } {
  if (!upgradeOf(request)) throw refusals.badRequest('Upgrade request required')
  if (asksForWebSocket(request)) {
    const offered = offeredProtocols(request)
    const protocol = offered.length === 0 ? 'channel.k8s.io' : offered.find((each) => WEBSOCKET_COMMAND_PROTOCOLS.has(each))
    if (protocol === undefined) throw refusals.badRequest(`unable to upgrade: none of the subprotocols is supported: ${offered.join(', ')}`)
    return { over: 'websocket', protocol }
  }
  const offered = offeredStreamProtocols(request)
  const protocol = offered.length === 0 ? 'channel.k8s.io' : offered.find((each) => SPDY_COMMAND_PROTOCOLS.has(each))
  if (protocol === undefined) throw noCommonProtocol(offered, [...SPDY_COMMAND_PROTOCOLS])
  return { over: 'spdy', protocol }
}

/** @see kubernetes/apimachinery v0.35 pkg/util/httpstream/httpstream.go, Handshake */
function noCommonProtocol(offered: readonly string[], known: readonly string[]): StatusError {
  const list = (names: readonly string[]): string => `[${names.join(' ')}]`
  return new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: `unable to negotiate protocol: client supports ${list(offered)}, server accepts ${list(known)}`,
  })
}

function clientOf(
  { request, response }: StreamRequest,
  { over, protocol }: { over: 'websocket' | 'spdy'; protocol: string },
  wanted: WantedStreams,
  clock: Pick<Clock, 'after'>,
): RemoteClient | Promise<RemoteClient | undefined> {
  const early = upgradeOf(request)!
  if (over === 'spdy') return commandOverSpdy(takeSpdy(response, protocol), early, protocol, { wanted, clock })
  const isOffered = offeredProtocols(request).includes(protocol)
  return commandOverWebSocket(takeWebSocket(request, response, early, isOffered ? protocol : undefined), protocol, wanted)
}

/** Joins a command to its client until it has ended. */
async function relay(
  process: OpenedProcess,
  client: RemoteClient,
  { clock, streams }: { clock: Pick<Clock, 'after'>; streams: Set<() => void> },
): Promise<void> {
  const { kill } = process
  streams.add(kill)
  client.onClose(kill)
  client.onResize(process.resize)
  if (process.stdin && client.stdin) client.stdin.pipe(process.stdin)
  const ended = [joined(process.stdout, client.stdout), joined(process.stderr, client.stderr)]
  const { exitCode } = await process.exited
  let cancel = (): void => {}
  await Promise.race([Promise.all(ended), new Promise<void>((resolve) => (cancel = clock.after(OUTPUT_GRACE_MS, resolve)))])
  cancel()
  streams.delete(kill)
  client.finish(exitCode === 0 ? SUCCESS : exitedWith(exitCode))
}

/** Resolves when nothing more comes from `output`. */
function joined(output: Readable, to: Writable | undefined): Promise<void> {
  if (to) output.pipe(to, { end: false })
  else output.resume()
  to?.on('error', () => output.resume())
  return new Promise((resolve) => void output.once('close', resolve))
}

const SUCCESS: ExitStatus = { metadata: {}, status: 'Success' }

/** @see kubernetes/kubelet v0.35 pkg/cri/streaming/remotecommand/exec.go */
function exitedWith(exitCode: number): ExitStatus {
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

/** In the words of containerd. */
function cannotStart({ message }: Error): ExitStatus {
  const why = `failed to exec in container: failed to start exec: OCI runtime exec failed: exec failed: unable to start container process: ${message}`
  const whole = `error executing command in container: ${why}`
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${whole}`,
    reason: 'InternalError',
    details: { causes: [{ message: whole }] },
    code: 500,
  }
}

/** What may wait for a client that reads slower than the container writes: nobody holds up a container by looking at it. */
const MOST_WAITING_BYTES = 4 * 1024 * 1024

/** Joins a container to a client until either has ended; the container goes on without it. */
async function attach(
  asked: StreamRequest,
  which: { uid: string; container: string },
  wanted: WantedStreams,
  { podStreams, clock, streams }: { podStreams: PodStreams; clock: Pick<Clock, 'after'>; streams: Set<() => void> },
): Promise<void> {
  const protocol = commandProtocol(asked.request)
  const container = podStreams.attach(which)
  if (!container) throw notRunning(which.container)
  const client = await clientOf(asked, protocol, wanted, clock)
  if (!client) return

  let leave = (): void => {}
  const gone = new Promise<void>((resolve) => (leave = resolve))
  streams.add(leave)
  client.onClose(leave)
  const stop = container.onOutput((stream, bytes) => {
    const to = stream === 'stderr' && !wanted.tty ? client.stderr : client.stdout
    if (!to?.writable) return
    if (to.writableLength + bytes.length <= MOST_WAITING_BYTES) to.write(bytes)
    else leave()
  })
  client.onResize(container.resize)
  if (container.stdin) client.stdin?.pipe(container.stdin, { end: container.stdinOnce })
  else client.stdin?.resume()
  await Promise.race([container.exited, gone])
  stop()
  streams.delete(leave)
  client.stdin?.unpipe()
  client.finish(SUCCESS)
}

function forwardPorts(
  { request, response, query }: StreamRequest,
  pod: Pod,
  { podStreams, streams }: { podStreams: PodStreams; streams: Set<() => void> },
): void {
  const early = upgradeOf(request)
  if (!early) throw refusals.badRequest('Upgrade request required')
  const target: ForwardedPod = { uid: pod.metadata.uid ?? '', portOf: (port) => podStreams.portOf(pod, port) }
  const hold = (session: { onClose(listener: () => void): void; end(): void }): void => {
    const { end } = session
    streams.add(end)
    session.onClose(() => streams.delete(end))
  }
  if (!asksForWebSocket(request)) {
    const offered = offeredStreamProtocols(request)
    if (!offered.includes(PORT_FORWARD_PROTOCOL)) throw noCommonProtocol(offered, [PORT_FORWARD_PROTOCOL])
    return void hold(forwardOverSpdy(takeSpdy(response, PORT_FORWARD_PROTOCOL), early, target))
  }
  const offered = offeredProtocols(request)
  if (offered.includes(TUNNEL_PROTOCOL)) {
    const socket = takeWebSocket(request, response, early, TUNNEL_PROTOCOL)
    return void hold(forwardOverSpdy(bytesOver(socket), Buffer.alloc(0), target))
  }
  const protocol = offered.find((each) => CHANNEL_PROTOCOLS.has(each))
  const ports = query.getAll('ports').flatMap((text) => text.split(',').map(Number))
  if (protocol === undefined) throw refusals.badRequest(`unable to upgrade: none of the subprotocols is supported: ${offered.join(', ')}`)
  if (ports.length === 0 || ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535))
    throw refusals.badRequest('query parameter "ports" is required: each a port number')
  const socket = takeWebSocket(request, response, early, protocol)
  forwardOverChannels(socket, ports, target)
  hold({ onClose: socket.onClose, end: socket.end })
}
