// The two ends of an event's way, written to the socket by hand so that what is measured is what lies between: senders and a sink of
// CloudEvents over HTTP, and NATS' text protocol. One request at a time on each connection; connections do the concurrency.
import { connect, createServer } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')
const LINE_END = Buffer.from('\r\n')
const NOTHING = Buffer.alloc(0)

const connected = (port) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => resolve(socket)).once('error', reject)
  })

/** A connection to a Broker. `send` resolves when it has answered 202; another answer, or none, is an error. */
export async function connectBroker({ port, broker, type = 'bench', bodyBytes }) {
  const socket = await connected(port)
  const body = Buffer.alloc(bodyBytes, 'x')
  let head = ''
  let waiting
  const fail = (error) => waiting?.reject(error)
  socket.setEncoding('latin1').on('data', (text) => {
    head += text
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    const status = head.slice(9, 12)
    head = head.slice(end + 4)
    if (status === '202') waiting.resolve()
    else fail(new Error(`answered ${status}`))
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the connection is closed')))
  return {
    send: (id) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        const text = `POST /default/${broker} HTTP/1.1\r\nHost: broker-ingress.knative-eventing.svc.cluster.local\r\nce-specversion: 1.0\r\nce-id: ${id}\r\nce-source: /bench\r\nce-type: ${type}\r\nContent-Type: text/plain\r\nContent-Length: ${bodyBytes}\r\n\r\n`
        socket.cork()
        socket.write(text, 'latin1')
        socket.write(body)
        socket.uncork()
      }),
    close: () => socket.destroy(),
  }
}

/** A sink on a port of its own: `onEvent` is told the id of each event. While `stalls`, it reads and never answers. */
export async function startSink(onEvent) {
  let stalls = false
  const sockets = new Set()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    let unread = NOTHING
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      unread = unread.length === 0 ? bytes : Buffer.concat([unread, bytes])
      let answers = ''
      for (;;) {
        const end = unread.indexOf(HEAD_END)
        if (end < 0) break
        const head = unread.latin1Slice(0, end).toLowerCase()
        const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0)
        const next = end + HEAD_END.length + length
        if (unread.length < next) break
        unread = unread.subarray(next)
        if (stalls) continue
        onEvent(/\r\nce-id: ([^\r]*)/.exec(head)?.[1])
        answers += 'HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n'
      }
      if (answers) socket.write(answers)
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const drop = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    /** What has been read and not answered by then is broken off. */
    stall(isOn) {
      stalls = isOn
      if (!isOn) drop()
    },
    stop() {
      drop()
      server.close()
    },
  }
}

/** A connection to NATS. @see the client protocol and JetStream's wire API, docs.nats.io */
export async function connectNats({ port }) {
  const socket = await connected(port)
  const subscriptions = new Map()
  const asked = new Map()
  let unread = NOTHING
  let next = 0
  const failures = []
  const inbox = `_INBOX.bench.${process.pid}.${performance.now()}`
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    let rest = unread.length === 0 ? bytes : Buffer.concat([unread, bytes])
    for (;;) {
      const end = rest.indexOf(LINE_END)
      if (end < 0) break
      const line = rest.latin1Slice(0, end)
      let from = end + 2
      if (line.startsWith('MSG ')) {
        const words = line.split(' ')
        const length = Number(words.at(-1))
        if (rest.length < from + length + 2) break
        subscriptions.get(words[2])?.({
          subject: words[1],
          reply: words.length === 5 ? words[3] : undefined,
          data: rest.subarray(from, from + length),
        })
        from += length + 2
      } else if (line === 'PING') socket.write('PONG\r\n')
      else if (line.startsWith('-ERR')) failures.push(line)
      rest = rest.subarray(from)
    }
    unread = rest
  })
  const write = (subject, reply, data) => {
    socket.cork()
    socket.write(`PUB ${subject} ${reply === undefined ? '' : `${reply} `}${data.length}\r\n`, 'latin1')
    socket.write(data)
    socket.write('\r\n')
    socket.uncork()
  }
  const subscribe = (subject, listener) => {
    const id = String(++next)
    subscriptions.set(id, listener)
    socket.write(`SUB ${subject} ${id}\r\n`)
  }
  socket.write('CONNECT {"verbose":false,"pedantic":false}\r\n')
  subscribe(`${inbox}.*`, ({ subject, data }) => {
    asked.get(subject)?.(data)
    asked.delete(subject)
  })
  const ask = (subject, data) =>
    new Promise((resolve) => {
      const reply = `${inbox}.${++next}`
      asked.set(reply, resolve)
      write(subject, reply, data)
    })
  const call = async (subject, request) => {
    const answer = JSON.parse(await ask(subject, Buffer.from(JSON.stringify(request))))
    if (answer.error) throw new Error(`${subject}: ${answer.error.description}`)
    return answer
  }
  return {
    call,
    /** Resolves when the stream has it. */
    async publish(subject, data) {
      const answer = await ask(subject, data)
      if (answer.includes('"error"')) throw new Error(answer.toString())
    },
    subscribe,
    acknowledge: (reply) => write(reply, undefined, Buffer.from('+ACK')),
    failures,
    close: () => socket.destroy(),
  }
}
