import { expect, test } from 'vitest'
import { createApiServer } from '../../../src/apiserver/server.js'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { createClient } from '../../../src/client/client.js'
import { createMemoryStore } from '../../../src/store/memory.js'
import { type Widget, widgetKind, widgetServed } from './support.js'

/** Widgets whose size is carried out when `release` says so, and whose phase is only known when they are asked for. */
function bench({ fails = false } = {}) {
  const carried: (number | undefined)[] = []
  let release = (): void => {}
  const served = {
    ...widgetServed,
    carryOut: async (object: Widget) => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      if (fails) throw new Error('the machine is broken')
      carried.push(object.spec?.size)
      return { object: { ...object, status: { phase: 'carried out' } }, warnings: ['that was hard'] }
    },
    live: (object: Widget) => ({ ...object, status: { ...object.status, phase: 'seen' } }),
  }
  const [clock, log] = [createVirtualClock(), createSilentLogger()]
  const options = { store: createMemoryStore(), clock, realClock: clock, random: createSeededRandom(1), log }
  const server = createApiServer({ ...options, kinds: [served] as never })
  const client = createClient({ transport: server, user: { name: 'me', groups: [] }, fieldManager: 'test' })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { client, carried, turn, release: () => release() }
}

const draft = { metadata: { name: 'w', namespace: 'default' }, spec: { size: 1 } }
const ref = { name: 'w', namespace: 'default' }
const sized = (size: number) => ({ type: 'application/merge-patch+json' as const, body: { spec: { size } } })

test('a write is answered once it has been carried out, with what came of it', async () => {
  const { client, carried, turn, release } = bench()
  const warnings: string[] = []
  let answer: Widget | undefined
  const written = client.create(widgetKind, draft, { onWarning: (text) => warnings.push(text) }).then((object) => {
    answer = object
  })
  await turn()
  // Stored and readable already, answered not yet.
  expect([(await client.get(widgetKind, ref)).spec?.size, answer]).toEqual([1, undefined])
  release()
  await written
  expect([answer?.status?.phase, carried, warnings]).toEqual(['carried out', [1], ['that was hard']])
})

test('patches are carried out, also those that change nothing; a dry run and a status are not', async () => {
  const { client, carried, turn, release } = bench()
  const done = async (work: Promise<unknown>): Promise<void> => {
    await turn()
    release()
    await work
  }
  await done(client.create(widgetKind, draft))
  await done(client.patch(widgetKind, ref, sized(2)))
  await done(client.patch(widgetKind, ref, sized(2)))
  await client.patch(widgetKind, ref, sized(3), { dryRun: true })
  await client.updateStatus(widgetKind, { ...(await client.get(widgetKind, ref)), status: { replicas: 1 } })
  expect(carried).toEqual([1, 2, 2])
})

test('what fails while it is carried out is the answer, and the object stays written', async () => {
  const { client, turn, release } = bench({ fails: true })
  const refused = expect(client.create(widgetKind, draft)).rejects.toThrow('the machine is broken')
  await turn()
  release()
  await refused
  expect((await client.get(widgetKind, ref)).spec?.size).toBe(1)
})

test('get and list show what only the moment of asking knows, and it is never stored', async () => {
  const { client, turn, release } = bench()
  const written = client.create(widgetKind, draft)
  await turn()
  release()
  await written
  expect((await client.get(widgetKind, ref)).status?.phase).toBe('seen')
  expect((await client.list(widgetKind)).map(({ status }) => status?.phase)).toEqual(['seen'])
  const stopping = new AbortController()
  for await (const { object } of client.watch(widgetKind, { signal: stopping.signal })) {
    expect((object as Widget).status).toBeUndefined()
    stopping.abort()
  }
})
