import { connect } from 'node:net'
import { Duplex, finished, PassThrough, Writable } from 'node:stream'
import type { WebSocketConversation } from '../http/websocket.js'
import { createSpdySession } from './spdy.js'

/** What is offered for SPDY, bare or inside of a WebSocket. */
export const PORT_FORWARD_PROTOCOL = 'portforward.k8s.io'
export const TUNNEL_PROTOCOL = `SPDY/3.1+${PORT_FORWARD_PROTOCOL}`
export const CHANNEL_PROTOCOLS: ReadonlySet<string> = new Set(['v5.channel.k8s.io', 'v4.channel.k8s.io'])

const LOOPBACK = '127.0.0.1'

/** Where forwarded connections go. */
export interface ForwardedPod {
  uid: string
  /** The loopback port behind a port of the Pod; undefined when it has no such port. */
  portOf(port: number): number | undefined
}

/** Joins `data` to a port of the Pod. When there is nothing to connect to, `onProblem` is told in a kubelet's words. */
function forward(pod: ForwardedPod, port: number, data: Duplex, onProblem: (text: string) => void): void {
  const refused = (why: string): void => {
    const where = `failed to connect to localhost:${port} inside namespace ${JSON.stringify(pod.uid)}`
    onProblem(`error forwarding port ${port} to pod ${pod.uid}, uid : ${where}, IPv4: dial tcp4 ${LOOPBACK}:${port}: connect: ${why}`)
    data.destroy()
  }
  data.on('error', () => {})
  const loopback = pod.portOf(port)
  if (loopback === undefined) return void refused('connection refused')
  const other = connect({ host: LOOPBACK, port: loopback, allowHalfOpen: true, noDelay: true })
  let isConnected = false
  other.once('connect', () => {
    isConnected = true
    data.pipe(other)
    other.pipe(data)
  })
  other.on('error', (error: NodeJS.ErrnoException) => {
    if (isConnected) data.destroy()
    else refused(error.code === 'ECONNREFUSED' ? 'connection refused' : error.message)
  })
  data.on('close', () => other.destroy())
}

/**
 * For each connection the client opens two streams with one requestid: `error`, then `data`, both with the port.
 * @see kubernetes/kubelet v0.35 pkg/cri/streaming/portforward/httpstream.go
 */
export function forwardOverSpdy(
  connection: Duplex,
  early: Buffer,
  pod: ForwardedPod,
): { onClose(listener: () => void): void; end(): void } {
  const session = createSpdySession(connection, early)
  const errors = new Map<string, Duplex>()
  session.onStream((stream) => {
    const { streamtype, port = '', requestid = '' } = stream.headers
    if (streamtype === 'error') {
      // The client half-closes it at once.
      stream.resume()
      errors.set(requestid, stream)
      stream.on('close', () => errors.delete(requestid))
      return
    }
    const error = errors.get(requestid)
    if (streamtype !== 'data' || !error) return void stream.destroy()
    stream.on('close', () => error.end())
    forward(pod, Number(port), stream, (text) => error.end(text))
  })
  return session
}

/**
 * For clients that name their ports ahead: of each port a channel for data and one for errors, both beginning with its number. It is over
 * when the Pod has nothing more to say on any.
 * @see kubernetes/kubelet v0.35 pkg/cri/streaming/portforward/websocket.go
 */
export function forwardOverChannels(socket: WebSocketConversation, ports: readonly number[], pod: ForwardedPod): void {
  const say = (channel: number, bytes: Buffer, said?: () => void): void =>
    socket.send(Buffer.concat([Buffer.from([channel]), bytes]), 'binary', said)
  let open = ports.length
  const inputs = ports.map((port, index) => {
    const [dataChannel, errorChannel] = [2 * index, 2 * index + 1]
    const number = Buffer.alloc(2)
    number.writeUInt16LE(port)
    say(dataChannel, number)
    say(errorChannel, number)
    const input = new PassThrough()
    input.on('drain', () => socket.resume())
    const output = new Writable({ write: (chunk: Buffer, _encoding, done) => say(dataChannel, chunk, () => done()) })
    const data = Duplex.from({ readable: input, writable: output })
    socket.onClose(() => data.destroy())
    finished(data, { readable: false }, () => {
      if (--open === 0) socket.end()
    })
    forward(pod, port, data, (text) => say(errorChannel, Buffer.from(text)))
    return input
  })
  socket.onMessage((message) => {
    const channel = message[0] ?? 1
    const input = channel % 2 === 0 ? inputs[channel / 2] : undefined
    if (input?.writable && !input.write(message.subarray(1))) socket.pause()
  })
}
