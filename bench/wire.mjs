// Clients that cost next to nothing, so that what is measured is the server: HTTP/1.1 with keep-alive, and gRPC as etcd speaks it, both
// over TLS and written to the socket by hand. One request at a time on each connection; connections do the concurrency.
import { connect } from 'node:tls'

const HEAD_END = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)

async function connected({ port, ca }, protocol) {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost', ALPNProtocols: [protocol] })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  socket.setNoDelay()
  return socket
}

/** A connection to a Kubernetes API with a bearer token. Answers other than 2xx are errors. */
export async function connectApi({ port, ca, token }) {
  const socket = await connected({ port, ca }, 'http/1.1')
  const common = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nAccept: application/json\r\n`
  let head = NOTHING
  let missing = -1
  let kept = []
  let waiting
  let status = 0
  let onEvents
  let last = 0

  const finish = () => {
    const { resolve, reject } = waiting
    const body = Buffer.concat(kept)
    waiting = undefined
    missing = -1
    head = NOTHING
    kept = []
    if (status >= 200 && status < 300) resolve(body)
    else reject(new Error(`answered ${status}: ${body}`))
  }
  socket.on('data', (bytes) => {
    if (missing < 0) {
      head = head.length === 0 ? bytes : Buffer.concat([head, bytes])
      const end = head.indexOf(HEAD_END)
      if (end < 0) return
      const text = head.latin1Slice(0, end)
      status = Number(text.slice(9, 12))
      bytes = head.subarray(end + HEAD_END.length)
      missing = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? Number.POSITIVE_INFINITY)
      if (missing === Number.POSITIVE_INFINITY) waiting.resolve()
    }
    if (missing === Number.POSITIVE_INFINITY) {
      // The lines of a watch; those of the chunks around them end in CR LF.
      let events = 0
      for (const byte of bytes) {
        if (byte === 0x0a && last !== 0x0d) events++
        last = byte
      }
      if (events > 0) onEvents(events)
      return
    }
    if (waiting.keep) kept.push(bytes)
    missing -= bytes.length
    if (missing === 0) finish()
  })
  socket.on('error', (error) => waiting?.reject(error))

  const send = (method, path, { body, type = 'application/json', keep = false } = {}) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject, keep: keep || method !== 'GET' }
      const entity = body === undefined ? '\r\n' : `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
      socket.write(`${method} ${path} HTTP/1.1\r\n${common}${entity}`)
    })
  return {
    send,
    async json(method, path, body) {
      return JSON.parse(await send(method, path, { body: body && JSON.stringify(body), keep: true }))
    },
    /** `listener` is told how many events have just arrived. Resolves when the answer begins; the connection is only for this then. */
    watch(path, listener) {
      onEvents = listener
      return send('GET', path)
    },
    close: () => socket.destroy(),
  }
}

const [DATA, HEADERS, SETTINGS, PING, GOAWAY, WINDOW_UPDATE] = [0, 1, 4, 6, 7, 8]
const END_STREAM = 1
const END_HEADERS = 4
const ACK = 1
/** How much may come before the window is opened again: all there is to give. */
const WINDOW = 0x7fffffff

const field = (number, bytes) => {
  const length = []
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      length.push(rest)
      break
    }
    length.push((rest & 0x7f) | 0x80)
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}
/** What follows the last key that begins with `prefix`. */
const after = (prefix) => {
  const end = Buffer.from(prefix)
  end[end.length - 1]++
  return end
}

/** A connection to etcd. */
export async function connectEtcd({ port, ca }) {
  const socket = await connected({ port, ca }, 'h2')
  const frame = (type, flags, stream, payload = NOTHING) => {
    const bytes = Buffer.allocUnsafe(9 + payload.length)
    bytes.writeUIntBE(payload.length, 0, 3)
    bytes[3] = type
    bytes[4] = flags
    bytes.writeUInt32BE(stream, 5)
    payload.copy(bytes, 9)
    return bytes
  }
  const number = (value) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  }
  // Header blocks without any state: indexed fields of the static table, and literals that are not indexed.
  const literal = (text) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
  const blockFor = (path) =>
    Buffer.concat([
      Buffer.from([0x83, 0x87, 0x04]),
      literal(path),
      Buffer.from([0x01]),
      literal(`127.0.0.1:${port}`),
      Buffer.from([0x0f, 0x10]),
      literal('application/grpc'),
      Buffer.from([0x00]),
      literal('te'),
      literal('trailers'),
    ])
  const blocks = {
    put: blockFor('/etcdserverpb.KV/Put'),
    range: blockFor('/etcdserverpb.KV/Range'),
    watch: blockFor('/etcdserverpb.Watch/Watch'),
  }

  let unread = NOTHING
  let nextStream = 1
  let waiting
  let received = 0
  let messages = 0
  let onMessage
  const readFrame = (type, flags, payload) => {
    if (type === SETTINGS && !(flags & ACK)) socket.write(frame(SETTINGS, ACK, 0))
    else if (type === PING && !(flags & ACK)) socket.write(frame(PING, ACK, 0, payload))
    else if (type === GOAWAY) waiting?.reject(new Error('etcd ends the connection'))
    else if (type === DATA) {
      messages++
      received += payload.length
      if (received > 1 << 24) {
        socket.write(frame(WINDOW_UPDATE, 0, 0, number(received)))
        received = 0
      }
      onMessage?.()
    }
    if ((type === DATA || type === HEADERS) && flags & END_STREAM && waiting) {
      const { resolve, reject } = waiting
      waiting = undefined
      // A call that fails has trailers and no message.
      if (messages > 0) resolve()
      else reject(new Error('etcd refused the call'))
    }
  }
  socket.on('data', (bytes) => {
    let rest = unread.length === 0 ? bytes : Buffer.concat([unread, bytes])
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3)
      if (rest.length < 9 + length) break
      readFrame(rest[3], rest[4], rest.subarray(9, 9 + length))
      rest = rest.subarray(9 + length)
    }
    unread = rest
  })
  socket.on('error', (error) => waiting?.reject(error))
  const settings = Buffer.concat([Buffer.from([0, 4]), number(WINDOW)])
  socket.write(
    Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      frame(SETTINGS, 0, 0, settings),
      frame(WINDOW_UPDATE, 0, 0, number(WINDOW - 65_535)),
    ]),
  )

  const open = (block, message, flags) => {
    const stream = nextStream
    nextStream += 2
    messages = 0
    const body = Buffer.concat([Buffer.from([0]), number(message.length), message])
    socket.write(Buffer.concat([frame(HEADERS, END_HEADERS, stream, block), frame(DATA, flags, stream, body)]))
  }
  const call = (block, message) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject }
      open(block, message, END_STREAM)
    })
  return {
    put: (key, value) => call(blocks.put, Buffer.concat([field(1, Buffer.from(key)), field(2, value)])),
    get: (key) => call(blocks.range, field(1, Buffer.from(key))),
    list: (prefix) => call(blocks.range, Buffer.concat([field(1, Buffer.from(prefix)), field(2, after(prefix))])),
    /** Resolves when the watch is open; the connection is only for this then. */
    watch: (prefix, listener) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        onMessage = () => {
          waiting = undefined
          onMessage = () => listener(1)
          resolve()
        }
        open(blocks.watch, field(1, Buffer.concat([field(1, Buffer.from(prefix)), field(2, after(prefix))])), 0)
      }),
    close: () => socket.destroy(),
  }
}
