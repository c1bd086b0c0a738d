import { createHash } from 'node:crypto'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSystemClock } from '../../src/base/clock.js'
import { createSeededRandom, createSystemRandom } from '../../src/base/random.js'
import { MAX_IN_FLIGHT } from '../../src/eventing/consumer.js'
import { type Home, makeHome, until } from '../support/daemon.js'

const IS_FULL = process.env['KN_SOAK'] === 'full'
const EVENTS = IS_FULL ? 100_000 : 5000
/** The emulator is killed when about so many events have been answered since it was started. */
const EVENTS_A_LIFE = IS_FULL ? 4000 : 1200
const QUIET_EVENTS = IS_FULL ? 20_000 : 1500
const SENDERS = 16
const SEED = Number(process.env['KN_SOAK_SEED'] ?? createSystemRandom().bytes(4).readUInt32LE())
const TYPES = ['order.paid', 'order.sent', 'order.lost'] as const
const MOST_BYTES = 4000

const clock = createSystemClock()
/** Emulators that there have been, counted by the kills between them. */
let life = 0

/** A program that is sent events, and remembers which, by the life of the emulator that sent them. */
async function startSink() {
  const livesOf = new Map<string, number[]>()
  const problems: string[] = []
  const since = new WeakMap<Socket, number>()
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (bytes: Buffer) => void chunks.push(bytes))
    incoming.on('end', () => {
      const { 'ce-id': id = '', 'ce-type': type } = incoming.headers
      const body = Buffer.concat(chunks)
      if (!body.equals(bodyOf(String(id))) || type !== typeOf(String(id))) problems.push(`${id} came as something else`)
      // What a killed emulator has sent may be read after its end; its connection tells.
      livesOf.set(String(id), [...(livesOf.get(String(id)) ?? []), since.get(incoming.socket)!])
      response.writeHead(202).end()
    })
  })
  server.on('connection', (socket) => since.set(socket, life))
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    livesOf,
    problems,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
type Sink = Awaited<ReturnType<typeof startSink>>

const typeOf = (id: string): string => TYPES[Number(id.split('-')[1]) % TYPES.length]!
/** Between nothing and some kilobytes, different for each. */
function bodyOf(id: string): Buffer {
  const hash = createHash('sha256').update(`${SEED} ${id}`).digest()
  return Buffer.alloc(hash.readUInt16LE() % MOST_BYTES, hash)
}

/** Resolves to whether the event was answered 202; rejects when the connection broke. */
function send(agent: Agent, port: number, broker: string, id: string): Promise<boolean> {
  const body = bodyOf(id)
  return new Promise((resolve, reject) => {
    const headers = {
      host: 'broker-ingress.knative-eventing.svc.cluster.local',
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-source': '/soak',
      'ce-type': typeOf(id),
      'content-type': 'application/octet-stream',
      'content-length': body.length,
    }
    const outgoing = request({ host: '127.0.0.1', port, path: `/default/${broker}`, method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode === 202))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

let home: Home
beforeAll(async () => {
  home = makeHome({ KN_EMULATOR: '1' })
  expect(await home.kn(['emulator', 'start', ...(await home.portFlags())])).toMatchObject({ exitCode: 0 })
})
afterAll(async () => home.remove())

/** A Broker with a Trigger for the first type, one for the second, and one for a type that nobody sends. */
async function makeBroker(broker: string, sinks: readonly Sink[]): Promise<void> {
  const made = [await home.kn(['broker', 'create', broker])]
  for (const [index, type] of [TYPES[0], TYPES[1], 'order.never'].entries())
    made.push(
      await home.kn([
        'trigger',
        'create',
        `${broker}-${index}`,
        '--broker',
        broker,
        '--filter',
        `type=${type}`,
        '--sink',
        sinks[index]!.url,
      ]),
    )
  for (const { exitCode, stderr } of made) expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  await until(
    async () => {
      const { stdout } = await home.kn(['trigger', 'list', '-o', 'json'])
      const { items } = JSON.parse(stdout) as { items: { status?: { conditions?: { type: string; status: string }[] } }[] }
      return items.every(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    },
    20_000,
    'the Triggers being ready',
  )
}

/** Everything that was answered has come, nothing else has, and nothing to where it does not belong. */
async function expectArrivals(sinks: readonly Sink[], answered: ReadonlySet<string>, sent: ReadonlySet<string>): Promise<void> {
  const missing = (index: number): string[] => [...answered].filter((id) => typeOf(id) === TYPES[index] && !sinks[index]!.livesOf.has(id))
  await until(() => missing(0).length + missing(1).length === 0 || undefined, 60_000, 'the arrival of every event').catch(() => {})
  expect([missing(0).slice(0, 20), missing(1).slice(0, 20)]).toEqual([[], []])
  for (const { livesOf } of sinks) expect([...livesOf.keys()].filter((id) => !sent.has(id))).toEqual([])
  expect(sinks.flatMap(({ problems }) => problems)).toEqual([])
  expect(sinks[2]!.livesOf.size).toBe(0)
}

/** How often a life of the emulator sent what had come before, from an earlier life and from the same. */
function duplicates({ livesOf }: Sink): { again: Map<number, number>; twice: number } {
  const again = new Map<number, number>()
  let twice = 0
  for (const lives of livesOf.values()) {
    for (const [index, of] of lives.entries()) {
      if (index === 0) continue
      if (lives.indexOf(of) < index) twice++
      else again.set(of, (again.get(of) ?? 0) + 1)
    }
  }
  return { again, twice }
}

test(`${EVENTS} events, killed again and again: what was answered 202 arrives, and no more comes twice than was in flight`, async () => {
  console.log(`${EVENTS} events, KN_SOAK_SEED=${SEED}`)
  const random = createSeededRandom(SEED)
  const sinks = await Promise.all([startSink(), startSink(), startSink()])
  await makeBroker('soak', sinks)
  const { ports } = await home.status()
  const answered = new Set<string>()
  const sent = new Set<string>()
  const refusals: string[] = []
  let restarting: Promise<void> | undefined
  let leftInLife = 0
  const beginLife = (): void => {
    leftInLife = Math.ceil(EVENTS_A_LIFE * (0.5 + random.float()))
  }
  const restart = async (): Promise<void> => {
    const { pid } = await home.status()
    process.kill(pid, 'SIGKILL')
    await until(() => hasEnded(pid), 10_000, 'the end of the emulator')
    life++
    const { exitCode, stderr } = await home.kn(['emulator', 'start'])
    if (exitCode !== 0) refusals.push(stderr)
    beginLife()
  }

  beginLife()
  let number = 0
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      while (answered.size < EVENTS && refusals.length === 0) {
        const id = `e-${number++}`
        sent.add(id)
        try {
          if (await send(agent, ports.clusterLocal, 'soak', id)) answered.add(id)
          else refusals.push(id)
          if (--leftInLife === 0) restarting = restart()
        } catch {
          // Killed; what was not answered may come or not.
          await restarting
        }
      }
      agent.destroy()
    }),
  )
  await restarting
  expect(refusals).toEqual([])
  expect(life).toBeGreaterThanOrEqual(Math.floor(EVENTS / EVENTS_A_LIFE / 2))
  await expectArrivals(sinks, answered, sent)
  for (const sink of sinks) {
    const { again, twice } = duplicates(sink)
    expect(twice).toBe(0)
    for (const [of, count] of again) expect(count, `duplicates after kill ${of}`).toBeLessThanOrEqual(MAX_IN_FLIGHT)
  }

  // Stopped properly, it knows afterwards where it was: not one more comes, to the last event of the log.
  const before = sinks.map(({ livesOf }) => [...livesOf.values()].flat().length)
  expect(await home.kn(['emulator', 'stop'])).toMatchObject({ exitCode: 0 })
  life++
  expect(await home.kn(['emulator', 'start'])).toMatchObject({ exitCode: 0 })
  const agent = new Agent()
  const last = ['last-0', 'last-1']
  for (const id of last) await until(() => send(agent, ports.clusterLocal, 'soak', id).catch(() => false), 20_000, 'the last events')
  await until(() => last.every((id, index) => sinks[index]!.livesOf.has(id)) || undefined, 20_000, 'the arrival of the last events')
  expect(sinks.map(({ livesOf }) => [...livesOf.values()].flat().length)).toEqual([before[0]! + 1, before[1]! + 1, 0])
  const dups = sinks.map((sink) => [...duplicates(sink).again.values()].reduce((sum, count) => sum + count, 0))
  console.log(`${life - 1} kills, ${answered.size} answered, ${sent.size} sent, delivered twice: ${dups.join(', ')}`)
  for (const sink of sinks) sink.stop()
})

test(`${QUIET_EVENTS} events without a kill: each arrives exactly once`, async () => {
  const sinks = await Promise.all([startSink(), startSink(), startSink()])
  await makeBroker('quiet', sinks)
  const { ports } = await home.status()
  const answered = new Set<string>()
  let number = 0
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      while (number < QUIET_EVENTS) {
        const id = `q-${number++}`
        expect(await send(agent, ports.clusterLocal, 'quiet', id)).toBe(true)
        answered.add(id)
      }
      agent.destroy()
    }),
  )
  await expectArrivals(sinks, answered, answered)
  // Whatever were to come a second time would come before what is sent now.
  await clock.sleep(500)
  for (const { livesOf } of sinks) expect([...livesOf.values()].filter((lives) => lives.length > 1)).toEqual([])
  for (const sink of sinks) sink.stop()
})

function hasEnded(pid: number): true | undefined {
  try {
    process.kill(pid, 0)
    return undefined
  } catch {
    return true
  }
}
