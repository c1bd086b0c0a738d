import { type Duplex, finished, PassThrough, type Readable, Writable } from 'node:stream'
import type { Clock } from '../../base/clock.js'
import type { WebSocketConversation } from '../http/websocket.js'
import { createSpdySession } from './spdy.js'

/** Which of its streams the client of a command wants. */
export interface WantedStreams {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  tty: boolean
}

/** The client of a command, whatever it speaks. */
export interface RemoteClient {
  /** Ends where the client says that nothing more comes. */
  stdin: Readable | undefined
  stdout: Writable | undefined
  stderr: Writable | undefined
  /** The size of its terminal, in characters, and each new one. */
  onResize(listener: (columns: number, rows: number) => void): void
  /** Told once, whoever ended it. */
  onClose(listener: () => void): void
  /** Ends both outputs, says how it ended, once all of them was sent, and ends the connection. */
  finish(status: ExitStatus): void
}

/** A Status as it is said here: without what the answer to a request has besides. */
export interface ExitStatus {
  metadata: object
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: object
  code?: number
}

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
const RESIZE = 4
/** Of v5: the client has nothing more to say on a channel. */
const CLOSE_CHANNEL = 255

/** What is spoken over WebSockets; the client's order counts. */
export const WEBSOCKET_COMMAND_PROTOCOLS: ReadonlySet<string> = new Set([
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
])
/** And over SPDY. */
export const SPDY_COMMAND_PROTOCOLS: ReadonlySet<string> = new Set([
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
])

/**
 * A client that sends and reads messages whose first byte says which stream they are of: a character in front of base64, in the base64
 * protocols.
 * @see kubernetes/kubelet v0.35 pkg/cri/streaming/remotecommand/websocket.go
 */
export function commandOverWebSocket(socket: WebSocketConversation, protocol: string, wanted: WantedStreams): RemoteClient {
  const isBase64 = protocol.includes('base64')
  const sizes = createSizes()
  const stdin = wanted.stdin ? new PassThrough() : undefined
  const say = (channel: number, bytes: Buffer, said?: () => void): void => {
    if (isBase64) socket.send(Buffer.from(`${channel}${bytes.toString('base64')}`), 'text', said)
    else socket.send(Buffer.concat([Buffer.from([channel]), bytes]), 'binary', said)
  }
  const channelOf = (channel: number): Writable =>
    new Writable({ write: (chunk: Buffer, _encoding, done) => say(channel, chunk, () => done()) })

  stdin?.on('drain', () => socket.resume())
  socket.onMessage((message) => {
    const channel = isBase64 ? (message[0] ?? 0) - 0x30 : message[0]
    const bytes = isBase64 ? Buffer.from(message.subarray(1).toString('latin1'), 'base64') : message.subarray(1)
    if (channel === STDIN && stdin?.writable) {
      if (!stdin.write(bytes)) socket.pause()
    } else if (channel === RESIZE) sizes.read(bytes)
    else if (channel === CLOSE_CHANNEL && bytes[0] === STDIN) stdin?.end()
  })
  socket.onClose(() => stdin?.end())

  const stdout = wanted.stdout ? channelOf(STDOUT) : undefined
  const stderr = wanted.stderr && !wanted.tty ? channelOf(STDERR) : undefined
  // By an empty message a client learns that it is connected.
  say(stdout ? STDOUT : stderr ? STDERR : ERROR, Buffer.alloc(0))
  return {
    stdin,
    stdout,
    stderr,
    onResize: sizes.listen,
    onClose: socket.onClose,
    finish(status) {
      const text = endText(status, protocol)
      void allSaid([stdout, stderr]).then(() => {
        if (text !== '') say(ERROR, Buffer.from(text))
        socket.end()
      })
    },
  }
}

/** How long a client has to open all its streams (kubelet, streamCreationTimeout). */
const STREAMS_WITHIN_MS = 30_000

/**
 * A client that opens a SPDY stream for each; resolves when all are there, or with undefined when they do not come.
 * @see kubernetes/kubelet v0.35 pkg/cri/streaming/remotecommand/httpstream.go
 */
export function commandOverSpdy(
  connection: Duplex,
  early: Buffer,
  protocol: string,
  { wanted, clock }: { wanted: WantedStreams; clock: Pick<Clock, 'after'> },
): Promise<RemoteClient | undefined> {
  const session = createSpdySession(connection, early)
  const tellsSizes = wanted.tty && protocol !== 'channel.k8s.io' && protocol !== 'v2.channel.k8s.io'
  const missing = new Set(['error'])
  if (wanted.stdin) missing.add('stdin')
  if (wanted.stdout) missing.add('stdout')
  if (wanted.stderr && !wanted.tty) missing.add('stderr')
  if (tellsSizes) missing.add('resize')
  const streams = new Map<string, Duplex>()
  const sizes = createSizes()

  return new Promise((resolve) => {
    const cancel = clock.after(STREAMS_WITHIN_MS, () => session.end())
    session.onClose(() => {
      cancel()
      resolve(undefined)
    })
    session.onStream((stream) => {
      const type = stream.headers['streamtype'] ?? ''
      if (!missing.delete(type)) return void stream.destroy()
      streams.set(type, stream)
      if (type === 'resize') stream.on('data', sizes.read)
      // What a client says on the others is only that it will say nothing.
      else if (type !== 'stdin') stream.resume()
      if (missing.size > 0) return
      cancel()
      resolve({
        stdin: streams.get('stdin'),
        stdout: streams.get('stdout'),
        stderr: streams.get('stderr'),
        onResize: sizes.listen,
        onClose: session.onClose,
        finish(status) {
          const outputs = [streams.get('stdout'), streams.get('stderr')]
          void allSaid(outputs).then(() => streams.get('error')!.end(endText(status, protocol), () => session.end()))
        },
      })
    })
  })
}

/** Ends outputs; resolves when everything that was written to them was sent, or nobody is there any more. */
async function allSaid(outputs: readonly (Writable | undefined)[]): Promise<void> {
  const said = (output: Writable): Promise<void> => new Promise((resolve) => finished(output.end(), { readable: false }, () => resolve()))
  await Promise.all(outputs.map((output) => output && said(output)))
}

/** From the fourth version on the end is a Status; before it was a text, and there was none for success. */
function endText(status: ExitStatus, protocol: string): string {
  if (/^v[45]\./.test(protocol)) return JSON.stringify(status)
  return status.status === 'Success' ? '' : (status.message ?? '')
}

/** Sizes of a terminal as they are sent, several at once maybe: `{"Width":80,"Height":24}`. The last one counts. */
function createSizes() {
  let last: [columns: number, rows: number] | undefined
  let told: (columns: number, rows: number) => void = () => {}
  return {
    read(bytes: Buffer): void {
      const text = bytes.toString()
      const [columns, rows] = ['Width', 'Height'].map((name) => Number(new RegExp(`.*"${name}":\\s*(\\d{1,4})\\b`, 'is').exec(text)?.[1]))
      // A terminal that is not shown is 0 by 0.
      if (!columns || !rows) return
      last = [columns, rows]
      told(...last)
    },
    /** Clients tell a size before anyone listens. */
    listen(listener: (columns: number, rows: number) => void): void {
      told = listener
      if (last) listener(...last)
    },
  }
}
