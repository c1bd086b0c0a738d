import type { HopPlace } from '../journal/hop.js'
import type { AppendLog, Position } from '../store/append-log.js'
import { eventFrom, type LoggedEvent, recordFrom, type StoredEvent } from './event-record.js'

/** Records that everybody has passed are let go this many at a time. */
const TRIM_RECORDS = 256

/** The durable log of one broker or channel. */
export interface EventLog {
  readonly place: HopPlace
  /** The newest offset that has been handed to those who follow the log, each in its turn. */
  readonly dispatched: number
  /** Resolves once the event is durable and has been handed on. Rejects with a StorageError. */
  append(logged: LoggedEvent): Promise<StoredEvent>
  read(afterOffset: number, limit: { records: number; bytes: number }): Promise<StoredEvent[]>
  consumers(): readonly string[]
  position(consumer: string): Position | undefined
  save(consumer: string, position: Position): Promise<void>
  forget(consumer: string): Promise<void>
  /** Lets go of old records, when there are enough of them to be worth it. `lowest` says up to where nobody needs any. */
  trim(lowest: () => number): void
}

/** `dispatch` is called for every event in the order of the log, as soon as it is durable. */
export function createEventLog(deps: { log: AppendLog; place: HopPlace; dispatch: (stored: StoredEvent) => void }): EventLog {
  const { log, place, dispatch } = deps
  let dispatched = log.head
  let untrimmed = 0
  return {
    place,
    get dispatched() {
      return dispatched
    },
    async append(logged) {
      const bytes = recordFrom(logged)
      const offset = await log.append(bytes)
      const stored: StoredEvent = { ...logged, offset, bytes: bytes.length }
      untrimmed++
      // Appends resolve in the order of their offsets, and nothing comes between that and here.
      dispatch(stored)
      dispatched = offset
      return stored
    },
    async read(afterOffset, limit) {
      const records = await log.read(afterOffset, limit)
      return records.map(({ offset, bytes }) => eventFrom(offset, bytes))
    },
    consumers: log.consumers,
    position: log.position,
    save: log.save,
    forget: log.forget,
    trim(lowest) {
      if (untrimmed < TRIM_RECORDS) return
      untrimmed = 0
      log.trim(lowest())
    },
  }
}
