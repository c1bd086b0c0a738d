import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createVirtualClock, type VirtualClock } from '../../../src/base/clock.js'
import { createLogger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { createJournal, type Journal, type JournalEvent } from '../../../src/journal/journal.js'
import { JOURNAL_DEFAULTS, type JournalSettings } from '../../../src/journal/settings.js'
import { loadSqlite } from '../../../src/store/sqlite-engine.js'
import { until } from '../../support/daemon.js'
import { accepted, aHop, broker, delivered, identity, START_MS, trigger } from './hops.js'

let directory: string
let path: string
let clock: VirtualClock
let settings: JournalSettings
let lines: string[]
let journals: Journal[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kn-journal-'))
  path = join(directory, 'journal.db')
  clock = createVirtualClock({ startMs: START_MS })
  settings = JOURNAL_DEFAULTS
  lines = []
  journals = []
})

afterEach(() => {
  for (const journal of journals) journal.close()
  rmSync(directory, { recursive: true, force: true })
})

const open = loadSqlite()
const WORKER = join(process.cwd(), 'dist', 'journal-worker.cjs')
let workerFile: string | undefined

function journalAt(file = path): Journal {
  const journal = createJournal({
    open,
    path: file,
    ...(workerFile && { workerFile }),
    clock,
    realClock: clock,
    random: createSeededRandom(1),
    log: createLogger({ clock, write: (line) => lines.push(line), format: 'text' }),
    settings: () => settings,
  })
  journals.push(journal)
  return journal
}

const all = (journal: Journal) => journal.page({ limit: 1000 })
const ids = (journal: Journal) => all(journal).map(({ record }) => record.identity.id)

/** Until what was recorded is written, and whoever watches has been told. */
async function written(journal: Journal): Promise<void> {
  await clock.advance(50)
  journal.version()
}

describe.each([
  ['this thread', undefined],
  ['a thread of its own', WORKER],
])('written by %s', (_, file) => {
  beforeEach(() => {
    workerFile = file
  })

  test('nothing is written where nothing happens', () => {
    const journal = journalAt()
    expect(all(journal)).toEqual([])
    expect(journal.version()).toBe(1)
    expect(journal.find('default', 'e0000000001')).toBeUndefined()
    expect(existsSync(path)).toBe(false)
  })

  test('hops are written a moment later, all of one delivery in one record', async () => {
    const journal = journalAt()
    journal.record(accepted('a', 0, { data: Buffer.from([0, 255, 10]) }))
    for (const hop of delivered('a', 0)) journal.record(hop)
    expect(existsSync(path)).toBe(false)
    await clock.advance(50)
    expect(existsSync(path)).toBe(true)

    const [entry] = all(journal)
    expect(entry).toMatchObject({ name: 'e0000000001', state: 'Delivered', data: Buffer.from([0, 255, 10]), version: 2 })
    expect(entry!.record).toMatchObject({ identity: identity('a'), origin: broker, offset: 0, steps: [{ at: trigger('paid') }] })
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('reads see what was recorded before them, also what is not written yet', () => {
    const journal = journalAt()
    journal.record(accepted('a', 0))
    expect(ids(journal)).toEqual(['a'])
  })

  test('everything survives a restart, and later hops join the record of their event', () => {
    const first = journalAt()
    first.record(accepted('a', 7, { data: Buffer.from('payload') }))
    first.close()
    const second = journalAt()
    for (const hop of delivered('a', 7)) second.record(hop)
    const [entry, ...others] = all(second)
    expect(others).toEqual([])
    expect(entry).toMatchObject({ state: 'Delivered', version: 3 })
    expect(entry!.data!.toString()).toBe('payload')
    second.record(accepted('b', 8))
    expect(all(second)[0]).toMatchObject({ name: 'e0000000002' })
  })

  test('what was written survives a process that never got to close the file', async () => {
    const killed = journalAt()
    killed.record(accepted('a', 0, { data: Buffer.from('x') }))
    await written(killed)
    const next = journalAt()
    expect(all(next)).toMatchObject([{ name: 'e0000000001', data: Buffer.from('x') }])
  })

  test('an event whose acceptance was lost in a crash has a record all the same', () => {
    const journal = journalAt()
    for (const hop of delivered('a', 3)) journal.record(hop)
    expect(all(journal)[0]).toMatchObject({ state: 'Delivered', record: { identity: identity('a') } })
    expect(all(journal)[0]!.record).not.toHaveProperty('attributes')
  })

  test('a log that begins anew at the same offset makes a record of its own', () => {
    const journal = journalAt()
    journal.record(accepted('old', 0))
    journal.record(accepted('new', 0))
    for (const hop of delivered('new', 0)) journal.record(hop)
    expect(all(journal).map(({ record, state }) => [record.identity.id, state])).toEqual([
      ['new', 'Delivered'],
      ['old', 'Accepted'],
    ])
  })

  test('events of the same offset in other brokers, channels and namespaces are told apart', () => {
    const journal = journalAt()
    journal.record(accepted('a', 0))
    journal.record(accepted('b', 0, { origin: { ...broker, name: 'other' } }))
    journal.record(accepted('c', 0, { origin: { ...broker, namespace: 'shop' } }))
    journal.record(accepted('d', 0, { origin: { ...broker, kind: 'InMemoryChannel' } }))
    journal.record(accepted('e', 0, { origin: { ...broker, name: 'constructor' } }))
    expect(ids(journal)).toEqual(['e', 'd', 'c', 'b', 'a'])
    expect(journal.page({ filter: { namespace: 'shop' }, limit: 10 })).toHaveLength(1)
    expect(journal.find('shop', 'e0000000003')?.record.identity.id).toBe('c')
    expect(journal.find('default', 'e0000000003')).toBeUndefined()
  })

  test('a reply and what it answers know each other', () => {
    const journal = journalAt()
    journal.record(accepted('question', 0))
    journal.record(accepted('answer', 1, { replyOf: { at: trigger('paid'), origin: broker, offset: 0 } }))
    const [answer, question] = all(journal)
    expect(answer!.record.replyOf).toMatchObject({ record: question!.name, at: trigger('paid') })
    expect(question!.record.steps[0]!.reply).toMatchObject({ record: answer!.name, event: identity('answer') })
  })

  test('pages go from the newest to the oldest and show nothing that came after the first of them', () => {
    const journal = journalAt()
    for (let index = 0; index < 5; index++) journal.record(accepted(`${index}`, index))
    const version = journal.version()
    const first = journal.page({ limit: 2, upToVersion: version })
    journal.record(accepted('late', 5))
    const second = journal.page({ limit: 10, upToVersion: version, after: first.at(-1)!.name })
    expect([...first, ...second].map(({ record }) => record.identity.id)).toEqual(['4', '3', '2', '1', '0'])
  })

  test('records are found by each of the fields they can be selected by', () => {
    const journal = journalAt()
    journal.record(accepted('a', 0, { event: { id: 'a', source: '/x', type: 't', subject: 's' } }))
    journal.record(accepted('b', 1))
    for (const hop of delivered('b', 1)) journal.record(hop)
    const found = (filter: Parameters<Journal['page']>[0]['filter']) =>
      journal.page({ filter: filter!, limit: 10 }).map(({ record }) => record.identity.id)
    expect(found({ id: 'a' })).toEqual(['a'])
    expect(found({ source: '/x', type: 't', subject: 's' })).toEqual(['a'])
    expect(found({ originKind: 'Broker', originName: 'default' })).toEqual(['b', 'a'])
    expect(found({ state: 'Delivered' })).toEqual(['b'])
    expect(found({ type: "'; DROP TABLE record; --" })).toEqual([])
  })

  test('past the largest number of events the oldest are forgotten, with a little room to spare', () => {
    settings = { ...JOURNAL_DEFAULTS, maxEvents: 200 }
    const journal = journalAt()
    for (let index = 0; index <= 200; index++) journal.record(accepted(`${index}`, index))
    const left = ids(journal)
    expect(left).toHaveLength(198)
    expect(left[0]).toBe('200')
    expect(left.at(-1)).toBe('3')
  })

  test('payloads count towards the limit of bytes', () => {
    settings = { ...JOURNAL_DEFAULTS, maxBytes: 100_000 }
    const journal = journalAt()
    for (let index = 0; index < 20; index++) journal.record(accepted(`${index}`, index, { data: Buffer.alloc(10_000) }))
    expect(ids(journal)).toEqual(['19', '18', '17', '16', '15', '14', '13', '12', '11'])
  })

  test('what is older than the retention is gone, by the virtual clock', async () => {
    const journal = journalAt()
    journal.record(accepted('old', 0))
    await clock.advance(23 * 3_600_000)
    journal.record(accepted('new', 1, { atMs: clock.now() }))
    expect(ids(journal)).toEqual(['new', 'old'])
    await clock.advance(2 * 3_600_000)
    expect(ids(journal)).toEqual(['new'])
    await clock.advance(24 * 3_600_000)
    expect(ids(journal)).toEqual([])
  })

  test('numbers and versions are not used again, however much was forgotten', async () => {
    const first = journalAt()
    first.record(accepted('a', 0))
    const version = first.version()
    await clock.advance(25 * 3_600_000)
    expect(ids(first)).toEqual([])
    first.close()
    const second = journalAt()
    second.record(accepted('b', 0, { atMs: clock.now() }))
    expect(all(second)[0]!.name).toBe('e0000000002')
    expect(second.version()).toBeGreaterThan(version + 1)
  })

  test.each([
    [4, 'abcd'],
    [0, undefined],
  ])('of a payload %i bytes are kept when the settings say so, and its length is known', (payloadBytes, kept) => {
    settings = { ...JOURNAL_DEFAULTS, payloadBytes }
    const journal = journalAt()
    journal.record(accepted('a', 0, { data: Buffer.from('abcdefgh') }))
    const [entry] = all(journal)
    expect(entry!.record.dataBytes).toBe(8)
    expect(entry!.data?.toString()).toBe(kept)
  })

  test('a watch tells of each record as it comes and changes, in order, with the state before', async () => {
    const journal = journalAt()
    const events: JournalEvent[] = []
    const stop = journal.watch({ fromVersion: 1 }, (event) => events.push(event))
    journal.record(accepted('a', 0))
    await written(journal)
    for (const hop of delivered('a', 0)) journal.record(hop)
    await written(journal)
    expect(events.map(({ type, version, entry, previousState }) => [type, version, entry.state, previousState])).toEqual([
      ['ADDED', 2, 'Accepted', undefined],
      ['MODIFIED', 3, 'Delivered', 'Accepted'],
    ])
    stop()
    journal.record(accepted('b', 1))
    await written(journal)
    expect(events).toHaveLength(2)
  })

  test('a watch of a namespace sees that one alone', async () => {
    const journal = journalAt()
    const seen: string[] = []
    journal.watch({ namespace: 'shop', fromVersion: 1 }, ({ entry }) => seen.push(entry.record.identity.id))
    journal.record(accepted('a', 0))
    journal.record(accepted('b', 0, { origin: { ...broker, namespace: 'shop' } }))
    await written(journal)
    expect(seen).toEqual(['b'])
  })

  test('a watch resumes where it was, also after a restart, and is told of each record once', () => {
    const first = journalAt()
    first.record(accepted('a', 0))
    const version = first.version()
    for (const hop of delivered('a', 0)) first.record(hop)
    first.record(accepted('b', 1))
    first.close()
    const events: JournalEvent[] = []
    journalAt().watch({ fromVersion: version }, (event) => events.push(event))
    expect(events.map(({ type, entry }) => [type, entry.record.identity.id])).toEqual([
      ['MODIFIED', 'a'],
      ['ADDED', 'b'],
    ])
  })

  test('watchers are told of what is forgotten; a watch from before it has to start again', async () => {
    const journal = journalAt()
    journal.record(accepted('a', 0))
    const version = journal.version()
    const events: JournalEvent[] = []
    journal.watch({ fromVersion: version }, (event) => events.push(event))
    await clock.advance(25 * 3_600_000)
    journal.record(accepted('b', 1, { atMs: clock.now() }))
    await written(journal)
    expect(events.map(({ type, entry }) => [type, entry.record.identity.id])).toEqual([
      ['ADDED', 'b'],
      ['DELETED', 'a'],
    ])
    expect(() => journal.watch({ fromVersion: version }, () => {})).toThrow(
      expect.objectContaining({ status: expect.objectContaining({ code: 410 }) }),
    )
    expect(() => journal.watch({ fromVersion: 1000 }, () => {})).toThrow(
      expect.objectContaining({ status: expect.objectContaining({ code: 504 }) }),
    )
  })

  test('a file that is no journal is put aside, and the journal begins anew', () => {
    writeFileSync(path, 'this was something else')
    const journal = journalAt()
    journal.record(accepted('a', 0))
    expect(ids(journal)).toEqual(['a'])
    expect(readFileSync(`${path}.unreadable`, 'utf8')).toBe('this was something else')
    expect(lines.join('\n')).toContain('warn  the journal of events could not be read and begins anew')
  })

  test('a disk that refuses costs the hops it refuses, is told once, and hurts nobody', async () => {
    const nowhere = join(directory, 'missing', 'journal.db')
    const journal = journalAt(nowhere)
    journal.record(accepted('a', 0))
    await clock.advance(50)
    journal.record(accepted('b', 1))
    await clock.advance(50)
    expect(all(journal)).toEqual([])
    expect(lines.filter((line) => line.includes('cannot be written'))).toHaveLength(1)
  })

  test('a burst is written in several goes, and nothing of it is lost', async () => {
    const journal = journalAt()
    for (let index = 0; index < 3000; index++) {
      journal.record(accepted(`${index}`, index))
      for (const hop of delivered(`${index}`, index)) journal.record(hop)
    }
    // What left the memory comes back from the file.
    journal.record(aHop('filtered', '0', 0, { at: trigger('late'), clause: 'type', expected: 'x', actual: 'y' }))
    expect(journal.page({ filter: { state: 'Delivered' }, limit: 5000 })).toHaveLength(3000)
    expect(journal.find('default', 'e0000000001')?.record.steps).toHaveLength(2)
  })

  test('a journal that is damaged while it is at work is put aside, and begins anew', async () => {
    const journal = journalAt()
    journal.record(accepted('before', 0))
    expect(ids(journal)).toEqual(['before'])
    const other = open(path)
    other.exec('DROP TABLE content')
    other.close()
    journal.record(accepted('lost', 1))
    await written(journal)
    expect(existsSync(`${path}.unreadable`)).toBe(true)
    expect(lines.filter((line) => line.includes('is damaged and begins anew'))).toHaveLength(1)
    journal.record(accepted('after', 2))
    expect(ids(journal)).toEqual(['after'])
  })

  test('what a refused write would have added is not counted, and later hops of its event make a record of their own', async () => {
    const journal = journalAt()
    journal.record(accepted('before', 0))
    const version = journal.version()
    const other = open(path)
    other.exec("CREATE TRIGGER full BEFORE INSERT ON record BEGIN SELECT raise(ROLLBACK, 'no room'); END")
    journal.record(accepted('refused', 1))
    await written(journal)
    expect(ids(journal)).toEqual(['before'])
    other.exec('DROP TRIGGER full')
    other.close()
    for (const hop of delivered('refused', 1)) journal.record(hop)
    expect(all(journal).map(({ record, state }) => [record.identity.id, state, record.attributes])).toEqual([
      ['refused', 'Delivered', undefined],
      ['before', 'Accepted', expect.anything()],
    ])
    expect(journal.version()).toBeGreaterThan(version + 1)
    expect(lines.filter((line) => line.includes('cannot be written'))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('is written again'))).toHaveLength(1)
  })
})

test('a thread that ends costs what it had not written; another one takes its place', async () => {
  const isUp = join(directory, 'is-up')
  workerFile = join(directory, 'worker.cjs')
  writeFileSync(workerFile, `if (require('node:fs').existsSync(${JSON.stringify(isUp)})) require(${JSON.stringify(WORKER)})`)
  const journal = journalAt()
  journal.record(accepted('lost', 0))
  await clock.advance(50)
  await until(() => lines.some((line) => line.includes('its thread has ended')) || undefined)
  writeFileSync(isUp, '')
  journal.record(accepted('kept', 1))
  expect(ids(journal)).toEqual(['kept'])
})
