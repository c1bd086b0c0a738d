import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { EventIdentity, HopPlace, RecordHop } from '../journal/hop.js'
import type { AppendLog } from '../store/append-log.js'
import { type CarryDeps, carry, identityOf, type Plan } from './carry.js'
import { type Consumer, createConsumer } from './consumer.js'
import { createEventLog } from './event-log.js'
import type { LoggedEvent, StoredEvent } from './event-record.js'
import { createFanOut, type EventFilter, type Mismatch } from './fan-out.js'

/** One broker or channel at work: its log, and a consumer for each of its Triggers or Subscriptions. */
export interface Outlet {
  readonly place: HopPlace
  /** Resolves once the event is durable; delivery goes on by itself. Rejects with a StorageError. */
  append(logged: LoggedEvent): Promise<void>
  /** Names of the consumers that are at work, or have a position from an earlier run. */
  consumers(): readonly string[]
  /** Whether a consumer was there before, so that it goes on where it was. */
  isKnown(name: string): boolean
  /** Begins with a consumer, or changes what it does from now on. A new one gets what is appended from now on. */
  set(name: string, plan: Plan, filter: EventFilter | undefined): void
  /** Ends a consumer at once. */
  drop(name: string): void
  /** Ends all of them; what is in flight has `graceMs`. */
  stop(graceMs: number): Promise<void>
}

export interface OutletDeps extends Omit<CarryDeps, 'origin' | 'ownIntake' | 'log'> {
  log: AppendLog
  place: HopPlace
  ownIntake: CarryDeps['ownIntake']
  record: RecordHop
  clock: Clock
  realClock: Clock
  logger: Logger
}

export function createOutlet(deps: OutletDeps): Outlet {
  const { place, record, clock } = deps
  const logger = deps.logger.with({ [place.kind.toLowerCase()]: `${place.namespace}/${place.name}` })
  const fanOut = createFanOut<string>((stored, misses) =>
    record({ hop: 'missed', atMs: clock.now(), event: identity(stored), origin: place, offset: stored.offset, misses }),
  )
  const working = new Map<string, { plan: Plan; filter: EventFilter | undefined; consumer: Consumer }>()
  const log = createEventLog({
    log: deps.log,
    place,
    dispatch(stored) {
      recordAccepted(stored)
      fanOut.dispatch(stored)
    },
  })

  const recordAccepted = ({ event, offset, replyOf }: StoredEvent): void =>
    record({
      hop: 'accepted',
      atMs: clock.now(),
      event: identityOf(event),
      origin: place,
      offset,
      attributes: Object.fromEntries(event.attributes),
      ...(event.data && { data: event.data }),
      ...(replyOf && { replyOf }),
    })
  /** Asked for again and again while one event is offered to many. */
  let identified: { stored?: StoredEvent; identity?: EventIdentity } = {}
  const identity = (stored: StoredEvent): EventIdentity => {
    if (identified.stored !== stored) identified = { stored, identity: identityOf(stored.event) }
    return identified.identity!
  }
  const recordMismatch = (stored: StoredEvent, at: HopPlace, mismatch: Mismatch): void =>
    record({
      hop: 'filtered',
      atMs: clock.now(),
      event: identity(stored),
      origin: place,
      offset: stored.offset,
      at,
      ...mismatch,
    })
  const carryDeps: CarryDeps = { ...deps, origin: place, log: logger }

  const begin = (name: string): Consumer => {
    const known = log.position(name)
    const start = known ?? { passed: log.dispatched, undone: [] }
    const consumer = createConsumer({
      name,
      log,
      start,
      matches(stored) {
        const { filter, plan } = working.get(name) ?? {}
        const mismatch = filter?.mismatch(stored.event)
        if (mismatch) recordMismatch(stored, plan!.place, mismatch)
        return !mismatch
      },
      handle: (stored, handling) => carry(stored, () => working.get(name)!.plan, handling, carryDeps),
      onProgress: () => log.trim(() => fanOut.lowest() ?? log.dispatched),
      realClock: deps.realClock,
      logger: logger.with({ consumer: name }),
    })
    // Kept at once, so that a restart does not take it for a new one and begin later in the log.
    if (!known) void consumer.checkpoint().catch(() => {})
    return consumer
  }

  return {
    place,
    async append(logged) {
      await log.append(logged)
      if (working.size === 0) log.trim(() => log.dispatched)
    },
    consumers: () => [...new Set([...log.consumers(), ...working.keys()])],
    isKnown: (name) => working.has(name) || log.position(name) !== undefined,
    set(name, plan, filter) {
      const current = working.get(name)
      // Events that its former filter refused are behind it, whatever the new one would say of them.
      if (current) void current.consumer.checkpoint().catch(() => {})
      const consumer = current?.consumer ?? begin(name)
      working.set(name, { plan, filter, consumer })
      fanOut.set(name, {
        consumer,
        place: plan.place,
        filter,
        onMismatch: (stored, mismatch) => recordMismatch(stored, plan.place, mismatch),
      })
    },
    drop(name) {
      fanOut.delete(name)
      const current = working.get(name)
      working.delete(name)
      if (current) void current.consumer.drop()
      else void log.forget(name).catch(() => {})
    },
    async stop(graceMs) {
      const consumers = [...working].map(([name, { consumer }]) => {
        fanOut.delete(name)
        return consumer.stop(graceMs)
      })
      await Promise.all(consumers)
    },
  }
}
