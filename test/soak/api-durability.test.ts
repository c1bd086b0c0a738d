import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSeededRandom, createSystemRandom, type Random } from '../../src/base/random.js'
import type { InstanceRecord } from '../../src/emulator/record.js'
import { HISTORY_CHANGES } from '../../src/store/store.js'
import { createApi } from '../support/api.js'
import { type Home, makeHome, until } from '../support/daemon.js'

const ROUNDS = process.env['KN_SOAK'] === 'full' ? 50 : 4
const SEED = Number(process.env['KN_SOAK_SEED'] ?? createSystemRandom().bytes(4).readUInt32LE())
const WRITERS = 16
/** Each writer's own objects of either kind. */
const OBJECTS = 3
/** The emulator is killed when between one and so many writes of a round are acknowledged. */
const MOST_WRITES = 900

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const WIDGETS = '/apis/soak.example.com/v1/namespaces/default/widgets'
const WIDGETS_CRD = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.soak.example.com' },
  spec: {
    group: 'soak.example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', additionalProperties: { type: 'string' } } } } },
      },
    ],
  },
}
const COLLECTIONS = [CONFIG_MAPS, WIDGETS] as const
type Collection = (typeof COLLECTIONS)[number]

interface Written {
  apiVersion?: string
  metadata: { name: string; resourceVersion: string }
  data?: Record<string, string>
  spec?: Record<string, string>
}
interface Seen {
  type: string
  name: string
  version: number
  content: string
}
interface Acknowledged {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** Deletions are not told theirs. */
  version?: number
  content: string
}

/** An object that one writer alone writes to. */
interface Owned {
  collection: Collection
  name: string
  /** As it was last acknowledged, or found after a restart. */
  known: { version: number; content: string } | undefined
  /** Sent and not answered yet. */
  underWay: { type: Acknowledged['type']; content: string } | undefined
  /** This round's, in order. */
  acknowledged: Acknowledged[]
}

let home: Home
beforeAll(async () => {
  home = makeHome({ KN_EMULATOR: '1' })
  expect(await home.kn(['emulator', 'start', ...(await home.portFlags())])).toMatchObject({ exitCode: 0 })
})
afterAll(async () => home.remove())

/**
 * Each round lets sixteen writers create, replace, patch and delete over HTTPS until the emulator is killed in the middle of it, starts
 * it again, and compares: with what each of them was told, and with what two watches saw before the kill and when they resumed.
 */
test(`${ROUNDS} times killed while ${WRITERS} write: what was acknowledged is there, the rest is whole or absent, watches go on without a gap`, async () => {
  console.log(`${ROUNDS} rounds, KN_SOAK_SEED=${SEED}`)
  const random = createSeededRandom(SEED)
  const { ports, directory } = await home.status()
  const { token, certificates } = JSON.parse(readFileSync(join(directory, 'instance.json'), 'utf8')) as InstanceRecord
  const api = createApi({ ports, token, certificates })

  const listed = async (
    collection: Collection,
  ): Promise<{ version: number; objects: Map<string, { version: number; content: string }> }> => {
    const { metadata, items } = (await api(collection)).json<{ metadata: { resourceVersion: string }; items: Written[] }>()
    return { version: Number(metadata.resourceVersion), objects: new Map(items.map((item) => [item.metadata.name, stateOf(item)])) }
  }
  /** What a watch from `version` says until it breaks off, or, with `last`, until it has told of that version. */
  const watched = async (collection: Collection, version: number, seen: Seen[], last = Number.POSITIVE_INFINITY): Promise<Seen[]> => {
    try {
      for await (const { type, object } of api.watch(`${collection}?watch=1&resourceVersion=${version}`)) {
        const written = object as unknown as Written
        seen.push({ type, name: written.metadata.name, ...stateOf(written) })
        if (seen.at(-1)!.version >= last) break
      }
    } catch (error) {
      if (last !== Number.POSITIVE_INFINITY) throw error
    }
    return seen
  }

  expect((await api('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', json('POST', WIDGETS_CRD))).status).toBe(201)
  await until(async () => (await api(WIDGETS)).status === 200 || undefined, 20_000, 'the kind being served')
  expect((await api(CONFIG_MAPS, json('POST', { metadata: { name: 'shared' } }))).status).toBe(201)

  const owned = Array.from({ length: WRITERS }, (_, writer) =>
    COLLECTIONS.flatMap((collection) =>
      Array.from(
        { length: OBJECTS },
        (_, index): Owned => ({ collection, name: `w${writer}-${index}`, known: undefined, underWay: undefined, acknowledged: [] }),
      ),
    ),
  )
  /** Of the object that everybody patches: what each writer was last told, and what it is asking for. */
  const shared = { version: 0, told: Array<number>(WRITERS).fill(0), asked: Array<number>(WRITERS).fill(0) }
  const everything = new Map<Collection, Seen[]>(COLLECTIONS.map((collection) => [collection, []]))
  const beginnings = new Map<Collection, number>()
  let newest = 0

  for (let round = 1; round <= ROUNDS; round++) {
    const before = new Map(await Promise.all(COLLECTIONS.map(async (collection) => [collection, await listed(collection)] as const)))
    for (const [collection, { version }] of before) if (!beginnings.has(collection)) beginnings.set(collection, version)
    const live = COLLECTIONS.map((collection) => ({ collection, seen: [] as Seen[] }))
    const watches = live.map(({ collection, seen }) => watched(collection, before.get(collection)!.version, seen))

    const { pid } = await home.status()
    let remaining = 1 + Math.floor(random.float() * MOST_WRITES)
    const acknowledge = (version: number | undefined): void => {
      newest = Math.max(newest, version ?? 0)
      if (--remaining === 0) process.kill(pid, 'SIGKILL')
    }
    const refusals: string[] = []
    await Promise.all(
      owned.map(async (objects, writer) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: certificates.caCertificate })
        const chance = createSeededRandom(SEED + round * WRITERS + writer)
        for (let number = 1; refusals.length === 0; number++) {
          try {
            if (chance.float() < 0.1) {
              const asked = ++shared.asked[writer]!
              const answer = await api(`${CONFIG_MAPS}/shared`, { ...mergePatch({ data: { [`w${writer}`]: String(asked) } }), agent })
              if (answer.status !== 200) refusals.push(answer.body)
              const version = Number(answer.json<Written>().metadata.resourceVersion)
              shared.told[writer] = asked
              shared.version = Math.max(shared.version, version)
              acknowledge(version)
            } else {
              const object = objects[Math.floor(chance.float() * objects.length)]!
              const { type, content, path, request } = nextWrite(object, `${round} ${writer} ${number}`, chance)
              object.underWay = { type, content }
              const answer = await api(path, { ...request, agent })
              if (answer.status !== (type === 'ADDED' ? 201 : 200)) refusals.push(answer.body)
              const state = type === 'DELETED' ? undefined : stateOf(answer.json<Written>())
              if (state && state.content !== content) refusals.push(`${path} was answered with something else`)
              object.underWay = undefined
              object.known = state
              object.acknowledged.push({ type, content, ...(state && { version: state.version }) })
              acknowledge(state?.version)
            }
          } catch (error) {
            // Killed: this write was not answered.
            if (remaining > 0) throw error
            break
          }
        }
        agent.destroy()
      }),
    )
    expect(refusals).toEqual([])
    await Promise.all(watches)
    expect(await home.kn(['emulator', 'start'])).toMatchObject({ exitCode: 0 })

    for (const { collection, seen } of live) {
      const { version, objects } = await listed(collection)
      for (const seenOrTold of [newest, ...seen.map((event) => event.version)]) expect(version).toBeGreaterThanOrEqual(seenOrTold)

      const probe = stateOf((await api(collection, json('POST', bodyOf(collection, `probe-${round}`, 'probe')))).json<Written>())
      expect(probe.version).toBeGreaterThan(version)
      const earlier = before.get(collection)!
      const resumed = await watched(collection, seen.at(-1)?.version ?? earlier.version, [], probe.version)
      const whole = [...seen, ...resumed]
      expect(await watched(collection, earlier.version, [], probe.version)).toEqual(whole)
      const versions = whole.map((event) => event.version)
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
      expect(replayed(earlier.objects, whole.slice(0, -1))).toEqual(objects)

      for (const object of owned.flat().filter((candidate) => candidate.collection === collection)) {
        const happened = whole.filter(({ name }) => name === object.name)
        const { acknowledged, underWay } = object
        const expected = acknowledged.map((write, index) => ({ version: happened[index]?.version, ...write }))
        // The one that was not answered is there as it was sent, or not at all.
        if (underWay && happened.length > expected.length) expected.push({ ...underWay, version: happened.at(-1)!.version })
        expect(
          happened.map(({ type, version, content }) => ({ version, type, content })),
          object.name,
        ).toEqual(expected)
        object.known = objects.get(object.name)
        object.underWay = undefined
        object.acknowledged = []
      }
      everything.get(collection)!.push(...whole)
      newest = Math.max(newest, probe.version)
    }

    const { metadata, data = {} } = (await api(`${CONFIG_MAPS}/shared`)).json<Written>()
    expect(Number(metadata.resourceVersion)).toBeGreaterThanOrEqual(shared.version)
    for (let writer = 0; writer < WRITERS; writer++) {
      const found = Number(data[`w${writer}`] ?? 0)
      expect([shared.told[writer], shared.asked[writer]]).toContain(found)
      shared.told[writer] = shared.asked[writer] = found
    }
  }

  for (const [collection, events] of everything) {
    const first = beginnings.get(collection)!
    if (events.length > HISTORY_CHANGES) {
      const { status, body } = await api(`${collection}?watch=1&resourceVersion=${first}`)
      expect({ status, body: JSON.parse(body) }).toMatchObject({ status: 410, body: { kind: 'Status', code: 410, reason: 'Expired' } })
    } else {
      expect(await watched(collection, first, [], events.at(-1)!.version)).toEqual(events)
    }
  }
})

/** A write that suits what the object is now, with contents of its own. */
function nextWrite({ collection, name, known }: Owned, mark: string, chance: Random) {
  const text = `${mark} ${'x'.repeat(Math.floor(chance.float() ** 4 * 9000))}`
  const content = brief(text)
  const path = `${collection}/${name}`
  if (!known) return { type: 'ADDED' as const, content, path: collection, request: json('POST', bodyOf(collection, name, text)) }
  const way = chance.float()
  if (way < 0.15) return { type: 'DELETED' as const, content: known.content, path, request: { method: 'DELETE' } }
  const member = collection === WIDGETS ? 'spec' : 'data'
  const modified = { type: 'MODIFIED' as const, content, path }
  if (way < 0.4) return { ...modified, request: mergePatch({ [member]: partsOf(text) }) }
  if (way < 0.6) {
    const operations = Object.entries(partsOf(text)).map(([key, value]) => ({ op: 'replace', path: `/${member}/${key}`, value }))
    return { ...modified, request: { ...json('PATCH', operations), headers: { 'Content-Type': 'application/json-patch+json' } } }
  }
  return { ...modified, request: json('PUT', bodyOf(collection, name, text, String(known.version))) }
}

/** The same twice, so that half a write would show. */
function partsOf(text: string): Record<string, string> {
  return { a: text, b: text }
}

function bodyOf(collection: Collection, name: string, text: string, resourceVersion?: string): object {
  const metadata = { name, ...(resourceVersion && { resourceVersion }) }
  if (collection === CONFIG_MAPS) return { metadata, data: partsOf(text) }
  return { apiVersion: 'soak.example.com/v1', kind: 'Widget', metadata, spec: partsOf(text) }
}

/** What matters of an object. `content` says when its two parts are not the same. */
function stateOf({ metadata, data, spec }: Written): { version: number; content: string } {
  const { a, b } = spec ?? data ?? {}
  return { version: Number(metadata.resourceVersion), content: a === b ? brief(a ?? '') : `half: ${a} and ${b}` }
}

/** Short enough to be read where a comparison fails, and still different for different texts. */
function brief(text: string): string {
  return text.replace(/x+$/, (filling) => `x${filling.length}`)
}

function replayed(objects: ReadonlyMap<string, { version: number; content: string }>, events: readonly Seen[]) {
  const result = new Map(objects)
  for (const { type, name, version, content } of events) {
    expect(result.has(name)).toBe(type !== 'ADDED')
    if (type === 'DELETED') result.delete(name)
    else result.set(name, { version, content })
  }
  return new Map([...result].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function json(method: string, body: object) {
  return { method, body, headers: { 'Content-Type': 'application/json' } }
}

function mergePatch(body: object) {
  return { method: 'PATCH', body, headers: { 'Content-Type': 'application/merge-patch+json' } }
}
