import { setMaxListeners } from 'node:events'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Position } from '../store/append-log.js'
import type { EventLog } from './event-log.js'
import type { StoredEvent } from './event-record.js'

/** What the one who handles an event may use, and has to tell. */
export interface Handling {
  /** Aborted when the consumer is stopped. */
  signal: AbortSignal
  /** Around waits between attempts: an event that waits holds up no other one. */
  onWaiting(isWaiting: boolean): void
}

export interface ConsumerDeps {
  /** Under which its position is kept. */
  name: string
  log: EventLog
  /** Where it goes on. */
  start: Position
  /** Whether an event from the log is for it; whoever offers an event has asked already. */
  matches(stored: StoredEvent): boolean
  /** Resolves when nothing more can be done about an event. Rejects only when aborted, or by a bug. */
  handle(stored: StoredEvent, handling: Handling): Promise<void>
  /** Called now and then, after events are done and that is durable. */
  onProgress(): void
  realClock: Clock
  logger: Logger
}

/** Follows one log: every event that is for it is handled at least once, many at a time. */
export interface Consumer {
  /** An event that has just been appended and is for it. */
  offer(stored: StoredEvent): void
  /** Everything up to here is done. */
  lowest(): number
  /** Saves where it is, events included that were not for it. */
  checkpoint(): Promise<void>
  /** Begins no more; what is in flight has `graceMs` to end, and is broken off then. Resolves when its position is saved. */
  stop(graceMs: number): Promise<void>
  /** Ends at once and forgets its position. */
  drop(): Promise<void>
}

/** Handled at a time, events included that are done but whose position is not durable: no kill makes more duplicates. */
export const MAX_IN_FLIGHT = 100
/** Waiting between attempts, and bytes of events in flight or waiting; beyond that it begins no more until some are done. */
const MAX_WAITING = 1000
const MAX_HELD_BYTES = 16 * 1024 * 1024
/** In line; beyond that they stay in the log and are read from there. */
const MAX_QUEUED = 500
const MAX_QUEUED_BYTES = 4 * 1024 * 1024
/** Read at a time by one that has fallen behind. */
const READ = { records: 256, bytes: 1024 * 1024 }
/** Before a log that could not be read is tried again, in real milliseconds. */
const READ_AGAIN_MS = 5000

/**
 * A consumer is live, and gets what is appended from memory, or behind, and reads the log by itself until it has caught up. So
 * a sink that does not answer costs the memory of what is in flight and of a short line, however much is in the log.
 */
export function createConsumer(deps: ConsumerDeps): Consumer {
  const { name, log, start, realClock, logger } = deps
  const stopping = new AbortController()
  // Every attempt and every wait listens.
  setMaxListeners(0, stopping.signal)
  /** When behind: everything up to here has been looked at. */
  let cursor = start.passed
  let isLive = false
  /** Begun before the last end and not done; they are read again, one by one. */
  const redo = [...start.undone]
  /** Begun and not done, in the order of the log. */
  const undone = new Set<number>(redo)
  let queue: StoredEvent[] = []
  let queuedBytes = 0
  let heldBytes = 0
  let inFlight = 0
  let waiting = 0
  /** Done since the position was last saved. */
  let unsaved = 0
  let isSaving = false
  let isReading = false
  let isStopped = false
  let wasRefused = false
  let onIdle: (() => void) | undefined

  const hasRoom = (): boolean => inFlight + unsaved < MAX_IN_FLIGHT && waiting < MAX_WAITING && heldBytes < MAX_HELD_BYTES
  const passed = (): number => (queue[0] ? queue[0].offset - 1 : isLive ? log.dispatched : cursor)
  const position = (): Position => ({ passed: passed(), undone: [...undone] })

  const pump = (): void => {
    if (isStopped) return
    let count = 0
    while (count < queue.length && hasRoom()) {
      const stored = queue[count++]!
      queuedBytes -= stored.bytes
      begin(stored)
    }
    if (count > 0) queue = queue.slice(count)
    if (!isLive && !isReading && queue.length < READ.records && hasRoom()) void readOn()
  }

  const begin = (stored: StoredEvent): void => {
    undone.add(stored.offset)
    inFlight++
    heldBytes += stored.bytes
    let isWaiting = false
    const onWaiting = (waits: boolean): void => {
      if (waits === isWaiting) return
      isWaiting = waits
      inFlight += waits ? -1 : 1
      waiting += waits ? 1 : -1
      if (waits) pump()
    }
    const end = (isDone: boolean): void => {
      onWaiting(false)
      inFlight--
      heldBytes -= stored.bytes
      if (isDone) {
        undone.delete(stored.offset)
        unsaved++
        save()
      }
      if (inFlight === 0) onIdle?.()
    }
    deps.handle(stored, { signal: stopping.signal, onWaiting }).then(
      () => end(true),
      (error: unknown) => {
        if (!stopping.signal.aborted) logger.error('an event could not be handled', { offset: stored.offset, error })
        end(!stopping.signal.aborted)
      },
    )
  }

  const save = (): void => {
    if (isSaving) return
    isSaving = true
    const count = unsaved
    log
      .save(name, position())
      .then(
        () => {
          wasRefused = false
        },
        (error: unknown) => {
          if (!wasRefused && !isStopped) logger.warn('a position could not be saved; a restart may deliver some events again', { error })
          wasRefused = true
        },
      )
      .finally(() => {
        isSaving = false
        unsaved -= count
        if (unsaved > 0) save()
        deps.onProgress()
        pump()
      })
  }

  const readOn = async (): Promise<void> => {
    isReading = true
    try {
      if (redo[0] === undefined) await readAhead()
      else await readAgain(redo[0])
    } catch (error) {
      logger.error('a log could not be read', { error })
      realClock.after(READ_AGAIN_MS, () => {
        isReading = false
        pump()
      })
      return
    }
    isReading = false
    pump()
  }

  const readAgain = async (offset: number): Promise<void> => {
    const [stored] = await log.read(offset - 1, { records: 1, bytes: 1 })
    if (isStopped) return
    redo.shift()
    if (stored?.offset === offset) begin(stored)
    else undone.delete(offset)
  }

  const readAhead = async (): Promise<void> => {
    const before = log.dispatched
    const found = await log.read(cursor, READ)
    if (isStopped) return
    for (const stored of found) {
      cursor = stored.offset
      if (deps.matches(stored)) enqueue(stored)
    }
    if (found.length > 0) return
    cursor = Math.max(cursor, before)
    // What has been appended while this was reading is read next time.
    isLive = log.dispatched <= cursor
  }

  const enqueue = (stored: StoredEvent): void => {
    queue.push(stored)
    queuedBytes += stored.bytes
  }

  // With the next turn: whoever makes it puts it among those that are offered events first.
  queueMicrotask(pump)

  return {
    offer(stored) {
      if (!isLive || isStopped) return
      if (queue.length >= MAX_QUEUED || queuedBytes >= MAX_QUEUED_BYTES) {
        isLive = false
        cursor = stored.offset - 1
        return
      }
      enqueue(stored)
      pump()
    },
    lowest() {
      const [first] = undone
      return first === undefined ? passed() : Math.min(first - 1, passed())
    },
    checkpoint: () => log.save(name, position()),
    async stop(graceMs) {
      isStopped = true
      if (inFlight > 0) {
        const given = new AbortController()
        await Promise.race([
          new Promise<void>((resolve) => {
            onIdle = resolve
          }),
          realClock.sleep(graceMs, given.signal).catch(() => {}),
        ])
        given.abort()
      }
      const last = position()
      stopping.abort(new Error('the consumer is stopped'))
      await log.save(name, last).catch(() => {})
    },
    async drop() {
      isStopped = true
      stopping.abort(new Error('the consumer is gone'))
      await log.forget(name).catch(() => {})
    },
  }
}
