// An event's way through a Broker, from the sender's request to the subscriber's, every event on disk before its 202; beside NATS
// JetStream with files in the same run (nats-server on the PATH, or unpacked below .cache/nats; from 2.10 on it syncs each message, too).
// Then what a log of many events costs a start, and what a sink that stalls costs in memory.
// Usage: npm run bench:eventing [-- --quick]
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, median, percentile, root, row, startEmulator } from './emulator.mjs'
import { connectBroker, connectNats, startSink } from './event-wire.mjs'
import { connectApi } from './wire.mjs'

const quick = process.argv.includes('--quick')
const rounds = quick ? 1 : 3
const CONNECTIONS = 50
const SMALL = 1024
const LARGE = 64 * 1024
const EVENTS = quick ? 1000 : 10_000
const BACKLOG = Number(process.env.KN_BENCH_BACKLOG ?? (quick ? 10_000 : 1_000_000))

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const perSecond = (value) => (value >= 10_000 ? `${(value / 1000).toFixed(1)}k/s` : `${value.toFixed(0)}/s`)
const milliseconds = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`
const residentMb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

async function eventually(probe, what, timeoutMs = 600_000) {
  const deadlineMs = performance.now() + timeoutMs
  for (;;) {
    const found = await probe()
    if (found) return found
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await pause(20)
  }
}

/** Calls `send(sender, number)` for `count` numbers, shared by the senders, each one at a time; with `rate`, not sooner than its schedule. */
async function sendAll(senders, count, send, rate) {
  const startedMs = performance.now()
  let next = 0
  await Promise.all(
    senders.map(async (sender) => {
      while (next < count) {
        const number = next++
        const dueMs = rate === undefined ? 0 : startedMs + (number * 1000) / rate
        while (performance.now() < dueMs) await pause(Math.max(0, dueMs - performance.now() - 0.5))
        await send(sender, number)
      }
    }),
  )
  return performance.now() - startedMs
}

/** What arrives at the sinks, by the run that an event's id names. */
function createArrivals() {
  let current
  return {
    tell(id = '') {
      const [run, number] = id.split('-')
      if (!current || run !== current.run) return
      current.took.push(performance.now() - current.sentMs[Number(number)])
      current.arrived()
      if (current.took.length === current.expected) current.done()
    },
    begin(run, expected) {
      const sentMs = []
      const took = []
      current = { run, expected, sentMs, took }
      const first = new Promise((arrived) => {
        current.arrived = arrived
      })
      const all = new Promise((done) => {
        current.done = done
      })
      if (expected === 0) current.done()
      return { sentMs, took, first, all }
    },
  }
}
const arrivals = createArrivals()
let run = 0

/** Sends events through a broker until all have arrived as often as they should. */
async function through({ port, broker, bodyBytes, count, copies, rate }) {
  const name = `r${++run}`
  const { sentMs, took, all } = arrivals.begin(name, count * copies)
  const senders = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectBroker({ port, broker, bodyBytes })))
  const startedMs = performance.now()
  const acceptedMs = await sendAll(
    senders,
    count,
    (sender, number) => {
      sentMs[number] = performance.now()
      return sender.send(`${name}-${number}`)
    },
    rate,
  )
  await all
  const totalMs = performance.now() - startedMs
  for (const sender of senders) sender.close()
  took.sort((a, b) => a - b)
  return {
    accepted: (count * 1000) / acceptedMs,
    delivered: (count * 1000) / totalMs,
    p50: percentile(took, 0.5),
    p99: percentile(took, 0.99),
  }
}

/** As fast as it goes; then at half that rate, for how long an event takes when it does not wait behind others. */
async function measure(options) {
  const { delivered } = await through(options)
  const { p50, p99 } = await through({ ...options, count: Math.max(100, Math.floor(options.count / 4)), rate: delivered / 2 })
  return { delivered, p50, p99 }
}

async function startNats() {
  const program = [
    'nats-server',
    join(root, '.cache', 'nats', 'nats-server'),
    join(root, '.cache', 'nats', 'usr', 'sbin', 'nats-server'),
  ].find((path) => !spawnSync(path, ['--version']).error)
  if (!program) return undefined
  const directory = mkdtempSync(join(tmpdir(), 'kn-nats-'))
  const port = 20000 + Math.floor(Math.random() * 10000)
  const config = join(directory, 'nats.conf')
  const text = (sync) => `host: 127.0.0.1\nport: ${port}\njetstream { store_dir: "${directory}/data"${sync} }\n`
  writeFileSync(config, text(', sync_interval: always'))
  // Before 2.10 it does not know the setting.
  const syncs = spawnSync(program, ['-t', '-c', config]).status === 0
  if (!syncs) writeFileSync(config, text(''))
  const child = spawn(program, ['-c', config], { stdio: 'ignore' })
  const stop = () => {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await eventually(
      () =>
        new Promise((resolve) => {
          const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
          socket.on('connect', () => socket.destroy())
        }),
      'NATS listening',
      15_000,
    )
  } catch (error) {
    stop()
    throw error
  }
  const [version] = /[\d.]+/.exec(spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout)
  return { version, syncs, port, stop }
}

/** The same through a stream of NATS: published with an acknowledgement, pushed to a consumer that acknowledges each. */
async function throughNats({ port, bodyBytes, count, hasConsumer }) {
  const name = `r${++run}`
  const senders = await Promise.all(Array.from({ length: CONNECTIONS }, () => connectNats({ port })))
  const receiver = await connectNats({ port })
  await receiver.call(`$JS.API.STREAM.CREATE.${name}`, { name, subjects: [name], storage: 'file', retention: 'limits' })
  let received = 0
  const body = Buffer.alloc(bodyBytes, 'x')
  const all = new Promise((resolve) => {
    if (!hasConsumer) return resolve()
    receiver.subscribe(`deliver.${name}`, ({ reply }) => {
      receiver.acknowledge(reply)
      if (++received === count) resolve()
    })
  })
  if (hasConsumer)
    await receiver.call(`$JS.API.CONSUMER.DURABLE.CREATE.${name}.c`, {
      stream_name: name,
      config: {
        durable_name: 'c',
        deliver_subject: `deliver.${name}`,
        ack_policy: 'explicit',
        deliver_policy: 'all',
        max_ack_pending: 1000,
      },
    })
  const startedMs = performance.now()
  const acceptedMs = await sendAll(senders, count, (sender) => sender.publish(name, body))
  await all
  const totalMs = performance.now() - startedMs
  await receiver.call(`$JS.API.STREAM.DELETE.${name}`, {})
  for (const client of [...senders, receiver]) client.close()
  return { accepted: (count * 1000) / acceptedMs, delivered: (count * 1000) / totalMs }
}

/** A Broker and Triggers for it, ready: `matching` of them want what is sent, the others another type. */
async function makeBroker(emulator, name, { matching, others = 0, uri, delivery }) {
  const { token, certificates } = JSON.parse(readFileSync(join(emulator.directory, 'instance.json'), 'utf8'))
  // A connection of its own: between two of these it would be idle for so long that it is closed.
  const api = await connectApi({ port: emulator.ports.control, token, ca: certificates.caCertificate })
  const group = '/apis/eventing.knative.dev/v1/namespaces/default'
  await api.send(
    'POST',
    `${group}/brokers`,
    JSON.stringify({ metadata: { name } }).length && {
      body: JSON.stringify({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name } }),
    },
  )
  const names = []
  for (let index = 0; index < matching + others; index++) {
    const filter = { attributes: { type: index < matching ? 'bench' : `other-${index}` } }
    const trigger = {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Trigger',
      metadata: { name: `${name}-${index}` },
      spec: { broker: name, filter, subscriber: { uri }, ...(delivery && { delivery }) },
    }
    await api.send('POST', `${group}/triggers`, { body: JSON.stringify(trigger) })
    names.push(trigger.metadata.name)
  }
  const isReady = ({ status }) => status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
  await eventually(async () => isReady(await api.json('GET', `${group}/brokers/${name}`)), `broker ${name} being ready`, 30_000)
  await eventually(
    async () => {
      const { items } = await api.json('GET', `${group}/triggers`)
      const ready = new Set(items.filter(isReady).map(({ metadata }) => metadata.name))
      return names.every((trigger) => ready.has(trigger))
    },
    `the triggers of ${name} being ready`,
    60_000,
  )
  api.close()
}

async function compareWithNats(emulator) {
  const port = emulator.ports.clusterLocal
  await makeBroker(emulator, 'nobody', { matching: 0, uri: sink.url })
  await makeBroker(emulator, 'one', { matching: 1, uri: sink.url })
  const compare = async (broker, bodyBytes, count, figure) => {
    const copies = broker === 'one' ? 1 : 0
    const ours = () => through({ port, broker, bodyBytes, count, copies })
    const theirs = () => throughNats({ port: nats.port, bodyBytes, count, hasConsumer: copies === 1 })
    // Warm-up, of both.
    await ours()
    await (nats && theirs())
    const pairs = []
    for (let round = 0; round < rounds; round++) pairs.push([(await ours())[figure], nats ? (await theirs())[figure] : Number.NaN])
    const [own, other, ratio] = [(pair) => pair[0], (pair) => pair[1], (pair) => pair[0] / pair[1]].map((part) => median(pairs.map(part)))
    return nats ? `${ratio.toFixed(2)}x  (${perSecond(own)}, ${perSecond(other)})` : `${perSecond(own)}  (no NATS)`
  }
  row('1 KB, sent to acknowledged / NATS', await compare('nobody', SMALL, EVENTS, 'accepted'), 'none')
  row('1 KB, sent to delivered, one consumer / NATS', await compare('one', SMALL, EVENTS, 'delivered'), '>= 3000/s')
  row('64 KB, sent to delivered, one consumer / NATS', await compare('one', LARGE, EVENTS / 10, 'delivered'), 'none')
}

async function countTriggers(emulator) {
  const port = emulator.ports.clusterLocal
  console.log('events/s at saturation; p50 and p99 from sender to subscriber at half of that')
  const text = ({ delivered, p50, p99 }) => `${perSecond(delivered)}, ${milliseconds(p50)}, ${milliseconds(p99)}`
  const all = [
    [1, 0],
    [1, 9],
    [1, 99],
    [10, 0],
    [100, 0],
  ]
  for (const [matching, others] of quick ? [all[0], all[2], all[3]] : all) {
    const broker = `t${matching}-${others}`
    await makeBroker(emulator, broker, { matching, others, uri: sink.url })
    const options = { port, broker, copies: matching }
    const count = Math.max(200, EVENTS / matching)
    const small = await measure({ ...options, bodyBytes: SMALL, count })
    const large = await measure({ ...options, bodyBytes: LARGE, count: Math.max(50, count / 10) })
    const triggers = matching + others === 1 ? '1 trigger' : `${matching + others} triggers, ${matching} of them matching`
    row(`${triggers}, 1 KB`, text(small), matching + others === 1 ? '>= 3000/s' : 'as with the matching ones alone')
    row(`${triggers}, 64 KB`, text(large), 'none')
  }
}

/** A sink that takes what it is sent and never answers, with a backlog of events behind it; then a start with that backlog. */
async function stallAndRecover(emulator) {
  const port = emulator.ports.clusterLocal
  const { pid } = emulator.status()
  await makeBroker(emulator, 'stalled', { matching: 1, uri: sink.url, delivery: { retry: 2, timeout: 'PT2H' } })
  await through({ port, broker: 'stalled', bodyBytes: SMALL, count: 2000, copies: 1 })
  const beforeMb = residentMb(pid)
  sink.stall(true)
  const { accepted } = await through({ port, broker: 'stalled', bodyBytes: SMALL, count: BACKLOG, copies: 0 })
  row(
    `memory with ${BACKLOG} events behind a stalled sink`,
    `${residentMb(pid).toFixed(0)} MB  (${beforeMb.toFixed(0)} before)`,
    'no growth',
  )
  row('accepted meanwhile', perSecond(accepted), 'none')
  process.kill(pid, 'SIGKILL')
  await eventually(() => !isAlive(pid), 'the end of the emulator')
  sink.stall(false)

  const many = Math.min(BACKLOG, 20_000)
  const { first, all } = arrivals.begin(`r${run}`, many)
  const startedMs = performance.now()
  const sinceStart = (event) => event.then(() => performance.now() - startedMs)
  const starting = new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, 'emulator', 'start', '--name', emulator.name], { env: emulator.env, stdio: 'ignore' })
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`the start ended with ${code}`))))
  })
  const [readyMs, firstMs, allMs] = await Promise.all([starting, first, all].map(sinceStart))
  row(`killed and started again with them: API, first event`, `${milliseconds(readyMs)}, ${milliseconds(firstMs)}`, 'none')
  row('catching up', perSecond((many * 1000) / (allMs - firstMs)), 'none')
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const sink = await startSink((id) => arrivals.tell(id))
const nats = await startNats()
try {
  const reference = nats ? `NATS ${nats.version}${nats.syncs ? ', which syncs each message' : ', which does not sync'}` : 'no NATS'
  console.log(`node ${process.version}, ${rounds} rounds of ${EVENTS} events, ${CONNECTIONS} connections, medians; ${reference}`)
  const withoutBacklog = async (emulator) => {
    await compareWithNats(emulator)
    await countTriggers(emulator)
  }
  for (const part of [withoutBacklog, stallAndRecover]) {
    const emulator = startEmulator({ name: 'eventing' })
    try {
      await part(emulator)
    } finally {
      emulator.stop()
    }
  }
} finally {
  sink.stop()
  nats?.stop()
}
