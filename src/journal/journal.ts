import { existsSync } from 'node:fs'
import { refusals, StatusError } from '../apimachinery/status-error.js'
import { type Cancel, type Clock, onNextTurn } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type Random, uuid } from '../base/random.js'
import type { Hop, HopPlace, RecordHop } from './hop.js'
import {
  createDirectWriter,
  createJournalFile,
  ForeignJournalError,
  type JournalFile,
  type OpenJournalDatabase,
  openJournalTables,
  type RecordFilter,
  type StoredRecord,
  setJournalAside,
  type WrittenRecord,
} from './journal-file.js'
import { startJournalThread } from './journal-thread.js'
import { addHop, addReply, type JournalRecord, recordFor, type State, stateOf } from './record.js'
import type { JournalSettings } from './settings.js'

/** A record as it is read. Its parts are the journal's own: read them at once and change nothing. */
export interface JournalEntry {
  /** Unique in an instance, also among records that are gone; of two the later one sorts behind. */
  name: string
  uid: string
  version: number
  record: Readonly<JournalRecord>
  state: State
  /** What was kept of the payload. */
  data: Buffer | undefined
}

export interface JournalEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  entry: JournalEntry
  /** Of a MODIFIED one, where it is known. */
  previousState?: State
  version: number
}

/** Every hop of every event. Reads see everything that was recorded before them, written or not. */
export interface Journal {
  record: RecordHop
  /** The newest version; never goes back, and is 1 before anything was recorded. */
  version(): number
  find(namespace: string, name: string): JournalEntry | undefined
  /** The newest first: those after (before, in time) the one named `after`, of those that were there at `upToVersion`. */
  page(query: { filter?: RecordFilter; after?: string | undefined; upToVersion?: number | undefined; limit: number }): JournalEntry[]
  /**
   * Tells of every change after `fromVersion`, in order, when it is written; changes of the past in one for each record. Throws a
   * StatusError: 410 when records have been forgotten since then, 504 for a version that has not been.
   */
  watch(options: { namespace?: string | undefined; fromVersion: number }, listener: (event: JournalEvent) => void): () => void
  /** Writes what is left and lets go of the file. Hops afterwards are lost. */
  close(): void
}

/** Hops are written this much later, in real time: those of one delivery then share a transaction. */
const WRITE_DELAY_MS = 50
/** Folded in one go, a few milliseconds at most; the event loop is the data path's in between. */
const HOPS_AT_ONCE = 250
/** On their way to the thread that writes; beyond that hops wait on the list. */
const MAX_BACKLOG = 64
/** Records kept in memory because their next hop is likely near. */
const RECORDS_AT_HAND = 2000
/** Once a limit is reached, this share more is forgotten, so that it is not reached again with the next event. */
const SLACK = 0.01
const FORGOTTEN_AT_ONCE = 500
const NAME_DIGITS = 10

/** A record in memory; `data` is a payload to be written, `state` what it was when it was last handed on. */
type AtHand = WrittenRecord & { data?: Buffer | undefined; wasState: State | undefined }

/**
 * The journal in the file at `path`, which is opened when it is first needed and made with the first hop. `clock` is the virtual one:
 * what is older than the retention goes when the journal is next written or read. A file that cannot be read is put aside, a disk that
 * refuses costs the hops it refuses: the data path never hears of either. With a `workerFile` a thread of its own writes; without, it is
 * written here.
 */
export function createJournal(options: {
  open: OpenJournalDatabase
  path: string
  workerFile?: string
  clock: Pick<Clock, 'now'>
  realClock: Clock
  random: Random
  log: Logger
  /** Asked for with every write, so that a change counts at once. */
  settings: () => JournalSettings
}): Journal {
  const { path, clock, realClock, random, log, settings } = options
  const pending: Hop[] = []
  const atHand = new Map<string, AtHand>()
  const listeners = new Set<{ namespace: string | undefined; tell(event: JournalEvent): void }>()
  const someUid = uuid(random)
  let file: JournalFile | undefined
  let cancelWrite: Cancel | undefined
  let isClosed = false
  let isRefused = false

  const openFile = (): JournalFile => {
    const tables = openJournalTables(options.open, path)
    const { workerFile } = options
    return createJournalFile(tables, workerFile === undefined ? createDirectWriter(tables) : startJournalThread({ workerFile, path }))
  }
  const opened = (): JournalFile => {
    if (file) return file
    try {
      file = openFile()
    } catch (error) {
      if (!isUnreadable(error)) throw error
      const aside = setJournalAside(path)
      log.warn('the journal of events could not be read and begins anew', { path, reason: (error as Error).message, aside })
      file = openFile()
    }
    return file
  }

  /** The open file if there is anything to read in it. */
  const forReading = (): JournalFile | undefined => {
    if (isClosed) return undefined
    while (pending.length > 0) writeSome()
    file?.flush()
    if (!file && (path === ':memory:' || !existsSync(path))) return undefined
    try {
      const open = opened()
      while (forgetSome(open)) {
        // Until what is left is within the limits.
      }
      open.flush()
    } catch (error) {
      refused(error, 0, file)
    }
    return file
  }

  /** `from` is the file that did not take them, unless it could not be opened. */
  const refused = (error: unknown, hops: number, from: JournalFile | undefined): void => {
    atHand.clear()
    const isDamaged = isUnreadable(error)
    if (from && from === file && (isDamaged || from.hasEnded)) {
      file = undefined
      from.close()
      if (isDamaged) {
        const aside = setJournalAside(path)
        log.warn('the journal of events is damaged and begins anew', { path, reason: (error as Error).message, aside })
      }
    }
    if (!isDamaged && !isRefused) log.warn('the journal of events cannot be written', { path, reason: (error as Error).message, hops })
    isRefused = true
  }

  const writeSome = (): void => {
    const hops = pending.splice(0, HOPS_AT_ONCE)
    try {
      const open = opened()
      write(open, hops)
      if (file === open) forgetSome(open)
    } catch (error) {
      refused(error, hops.length, file)
    }
  }

  const drain = (): void => {
    cancelWrite = undefined
    if (isClosed) return
    if ((file?.backlog ?? 0) < MAX_BACKLOG) writeSome()
    if (pending.length === 0) return
    if ((file?.backlog ?? 0) < MAX_BACKLOG) onNextTurn(drain)
    else cancelWrite = realClock.after(WRITE_DELAY_MS, drain)
  }

  const write = (open: JournalFile, hops: readonly Hop[]): void => {
    const { payloadBytes } = settings()
    const touched = new Set<AtHand>()
    let { next } = open
    for (const hop of hops) {
      const known = recordOf(open, hop.origin, hop.offset)
      // A log that was made anew counts from the start again.
      const isAnother = hop.hop === 'accepted' && known?.record.attributes !== undefined
      const entry = known && !isAnother ? known : begin(hop, next++)
      touched.add(entry)
      addHop(entry.record, hop)
      if (hop.hop !== 'accepted') continue
      if (hop.data) {
        entry.record.dataKept = Math.min(hop.data.length, payloadBytes)
        entry.data = hop.data.subarray(0, entry.record.dataKept)
      }
      const { replyOf } = hop
      const parent = replyOf && recordOf(open, replyOf.origin, replyOf.offset)
      if (!parent) continue
      addReply(parent.record, replyOf.at, { record: nameOf(entry.n), event: hop.event, atMs: hop.atMs })
      entry.record.replyOf = { ...replyOf, record: nameOf(parent.n) }
      touched.add(parent)
    }

    let { version } = open
    const records = [...touched]
    for (const entry of records) {
      entry.version = ++version
      if (entry.isNew) entry.created = version
      entry.wasState = entry.isNew ? undefined : entry.state
      entry.state = stateOf(entry.record)
    }
    const told = listeners.size > 0 ? records.map(snapshotOf) : []
    open.write({ records, version, next }, (error) => {
      if (error !== undefined) return refused(error, hops.length, open)
      if (isRefused) log.info('the journal of events is written again', { path })
      isRefused = false
      for (const { isNew, wasState, ...stored } of told)
        tell({
          type: isNew ? 'ADDED' : 'MODIFIED',
          entry: entryFrom(open, stored),
          version: stored.version,
          ...(wasState && { previousState: wasState }),
        })
    })
    for (const entry of records) {
      entry.isNew = false
      entry.data = undefined
    }
    for (const [key, entry] of atHand) {
      // What is on its way to the file cannot be read there yet.
      if (atHand.size <= RECORDS_AT_HAND || !open.isWritten(entry.version)) break
      atHand.delete(key)
    }
  }

  const begin = (hop: Hop, n: number): AtHand => {
    // Of one run they differ in the number alone: chance costs more than all the rest of a record.
    const uid = `${someUid.slice(0, 24)}${n.toString(16).padStart(12, '0')}`
    const entry: AtHand = {
      n,
      uid,
      version: 0,
      created: 0,
      bytes: 0,
      isNew: true,
      state: 'Accepted',
      wasState: undefined,
      record: recordFor(hop),
    }
    atHand.set(keyOf(hop.origin, hop.offset), entry)
    return entry
  }

  const recordOf = (open: JournalFile, origin: HopPlace, offset: number): AtHand | undefined => {
    const key = keyOf(origin, offset)
    const known = atHand.get(key)
    // Put back at the end: what was used last is dropped last.
    if (known) atHand.delete(key)
    const stored = known ? undefined : open.findByPlace(origin, offset)
    const entry = known ?? (stored && { ...stored, isNew: false, state: stateOf(stored.record), wasState: undefined })
    if (entry) atHand.set(key, entry)
    return entry
  }

  /** Forgets the oldest records while the journal is over its limits. Returns whether it may still be. */
  const forgetSome = (open: JournalFile): boolean => {
    const { maxEvents, maxBytes, retentionMs } = settings()
    const tooOldMs = clock.now() - retentionMs
    let { events, bytes } = open
    const isOver = events > maxEvents || bytes > maxBytes
    if (!isOver && (open.oldestAtMs ?? tooOldMs) >= tooOldMs) return false
    // The file does not have yet what is on its way there.
    const onItsWay = new Map<number, number>()
    for (const entry of atHand.values()) if (!open.isWritten(entry.version)) onItsWay.set(entry.n, entry.bytes)
    const oldest = open.oldest(FORGOTTEN_AT_ONCE).map((record) => ({ ...record, bytes: onItsWay.get(record.n) ?? record.bytes }))
    const wanted = isOver ? { events: maxEvents * (1 - SLACK), bytes: maxBytes * (1 - SLACK) } : { events, bytes }
    const going = []
    for (const record of oldest) {
      if (events <= wanted.events && bytes <= wanted.bytes && record.atMs >= tooOldMs) break
      // The newest one stays, whatever its size.
      if (events === 1 && record.atMs >= tooOldMs) break
      going.push(record)
      events--
      bytes -= record.bytes
    }
    const last = going.at(-1)
    if (!last) return false
    let { version } = open
    const told = listeners.size > 0 ? going.flatMap(({ n }) => open.find(n) ?? []).map((stored) => entryFrom(open, stored)) : []
    const deletions = told.map((entry): JournalEvent => ({ type: 'DELETED', entry: { ...entry, version: ++version }, version }))
    open.forget(going, told.length > 0 ? version : version + 1, (error) => {
      if (error !== undefined) return refused(error, 0, open)
      for (const event of deletions) tell(event)
    })
    for (const [key, { n }] of atHand) if (n <= last.n) atHand.delete(key)
    return going.length === oldest.length
  }

  const tell = (event: JournalEvent): void => {
    const { namespace } = event.entry.record.origin
    for (const listener of [...listeners]) if (listener.namespace === undefined || listener.namespace === namespace) listener.tell(event)
  }

  return {
    record(hop) {
      if (isClosed) return
      pending.push(hop)
      cancelWrite ??= realClock.after(WRITE_DELAY_MS, drain)
    },
    version: () => forReading()?.version ?? 1,
    find(namespace, name) {
      const n = numberOf(name)
      const open = n === undefined ? undefined : forReading()
      const stored = open?.find(n!)
      return stored?.record.origin.namespace === namespace ? entryFrom(open!, stored) : undefined
    },
    page({ filter = {}, after, upToVersion, limit }) {
      const open = forReading()
      if (!open) return []
      const before = after === undefined ? undefined : (numberOf(after) ?? 0)
      return open.page({ filter, before, upToVersion, limit }).map((stored) => entryFrom(open, stored))
    },
    watch({ namespace, fromVersion }, listener) {
      const open = forReading()
      const version = open?.version ?? 1
      if (fromVersion > version)
        throw new StatusError({
          code: 504,
          reason: 'Timeout',
          message: `Timeout: Too large resource version: ${fromVersion}, current: ${version}`,
        })
      if (open && fromVersion < open.trimmed) throw refusals.expired(`too old resource version: ${fromVersion} (${open.trimmed})`)
      const follower = { namespace, tell: listener }
      listeners.add(follower)
      for (const stored of open?.changedSince(fromVersion, namespace) ?? []) {
        const type = stored.created > fromVersion ? 'ADDED' : 'MODIFIED'
        listener({ type, entry: entryFrom(open!, stored), version: stored.version })
      }
      return () => void listeners.delete(follower)
    },
    close() {
      if (isClosed) return
      cancelWrite?.()
      while (pending.length > 0) writeSome()
      isClosed = true
      listeners.clear()
      file?.close()
      file = undefined
    },
  }
}

function entryFrom(open: JournalFile, stored: StoredRecord & { data?: Buffer | undefined }): JournalEntry {
  const { n, uid, version, record } = stored
  return {
    name: nameOf(n),
    uid,
    version,
    record,
    state: stateOf(record),
    data: record.dataKept ? (stored.data ?? open.dataOf(n)) : undefined,
  }
}

/** As it is now; what becomes of it later is told later. */
function snapshotOf(entry: AtHand): AtHand {
  return { ...entry, record: structuredClone(entry.record) }
}

const keyOf = ({ kind, namespace, name }: HopPlace, offset: number): string => `${namespace}/${name}/${offset}/${kind}`
const nameOf = (n: number): string => `e${String(n).padStart(NAME_DIGITS, '0')}`

function numberOf(name: string): number | undefined {
  const digits = /^e(\d{10,15})$/.exec(name)?.[1]
  return digits !== undefined && nameOf(Number(digits)) === name ? Number(digits) : undefined
}

/** SQLite's results for a file that is damaged or is none of its own; a lack of a table or column is damage too. */
const UNREADABLE: ReadonlySet<number> = new Set([1, 11, 26])

function isUnreadable(error: unknown): boolean {
  if (error instanceof ForeignJournalError) return true
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' && UNREADABLE.has(errcode & 0xff)
}
