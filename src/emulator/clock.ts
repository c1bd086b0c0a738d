import { groupResource } from '../apimachinery/kind.js'
import { type Clock, type ClockMode, type ControllableClock, createControllableClock } from '../base/clock.js'
import { goDurationMs, goDurationText } from '../base/duration.js'
import type { Logger } from '../base/logger.js'
import type { Client } from '../client/client.js'
import { emulatorClockKind } from '../kinds/emulator/clock/kind.js'
import { CLOCK_NAME, clockTime, type EmulatorClock } from '../kinds/emulator/clock/schema.js'
import type { ClockEngine } from '../kinds/emulator/clock/served.js'
import type { Store } from '../store/store.js'

/**
 * The virtual clock as an instance left it: never earlier than anything it has told, however it ended. `mode` overrules how
 * it was left; without any state it begins at the present time.
 */
export function restoreClock(options: {
  store: Pick<Store, 'get' | 'list' | 'resources'>
  /** The machine's clock. */
  base: Clock
  mode: ClockMode | undefined
  /** For an instance that has no state yet. */
  firstMode: ClockMode
}): ControllableClock {
  const { store, base } = options
  const left = store.get({ resource: groupResource(emulatorClockKind), name: CLOCK_NAME }) as EmulatorClock | undefined
  const mode = options.mode ?? left?.spec.mode ?? options.firstMode
  const told = [left?.status?.now, left?.spec.advanceTo, newestCreation(store)]
  const toldMs = Math.max(0, ...told.flatMap((time) => (time === undefined ? [] : [Date.parse(time)])))
  const baseMs = base.now()
  const offsetMs = goDurationMs(left?.status?.offset ?? '') ?? 0
  const standsMs = left?.status?.mode === 'Frozen' ? toldMs : Math.max(toldMs, baseMs + offsetMs)
  return createControllableClock(mode === 'Frozen' ? { base, frozenAtMs: standsMs } : { base, offsetMs: standsMs - baseMs })
}

/** The server sets this one time itself, whatever a client says: it can be trusted never to lie in the future. */
function newestCreation(store: Pick<Store, 'list' | 'resources'>): string | undefined {
  let newest: string | undefined
  for (const resource of store.resources()) {
    for (const { metadata } of store.list(resource).items) {
      const { creationTimestamp } = metadata
      // All are spelled alike, so their order is that of the text.
      if (creationTimestamp && (newest === undefined || creationTimestamp > newest)) newest = creationTimestamp
    }
  }
  return newest
}

/** Keeps the one Clock object true and does what is asked of it. */
export interface ClockKeeper extends ClockEngine {
  /** Makes the Clock, or brings it in line with how this emulator was started. */
  publish(): Promise<void>
  /** Ends a move where it is and writes down where the clock stands. The API must still answer. */
  stop(): Promise<void>
}

/** What a move waits for things to settle, all in all, in real time: a program that ignores SIGTERM would hold it for minutes. */
const PATIENCE_MS = 30_000
/** Once patience is gone, so long per timer, in real time. */
const IMPATIENT_MS = 5

/**
 * Moves the virtual clock for the API. Moves happen one after the other in the order in which they were stored; each timer
 * on the way fires at its own time, and what it sets going has settled before the next one.
 */
export function createClockKeeper(options: {
  clock: ControllableClock
  realClock: Clock
  /** Asked for when needed: client and controllers come after the API server, which has this keeper. */
  client: () => Client
  settled: () => Promise<void>
  log: Logger
}): ClockKeeper {
  const { clock, realClock, client, settled, log } = options
  const stopping = new AbortController()
  const ref = { name: CLOCK_NAME }
  let previous: Promise<unknown> = Promise.resolve()
  let giveUp = (): void => {}

  const status = () => ({
    mode: clock.mode(),
    now: clockTime(clock.now()),
    offset: goDurationText(clock.offsetMs()),
  })
  const writeStatus = async (observedGeneration: number | undefined): Promise<EmulatorClock> => {
    const body = { status: { ...status(), ...(observedGeneration !== undefined && { observedGeneration }) } }
    return client().patch(emulatorClockKind, ref, { type: 'application/merge-patch+json', body, subresource: 'status' })
  }
  const live = (object: EmulatorClock): EmulatorClock => {
    const dueMs = clock.nextDue()
    return { ...object, status: { ...object.status, ...status(), ...(dueMs !== undefined && { nextTimer: clockTime(dueMs) }) } }
  }

  const apply = async ({ spec, metadata }: EmulatorClock): Promise<{ object: EmulatorClock; warnings: readonly string[] }> => {
    const settling = createPatience({ settled, realClock, limitMs: PATIENCE_MS })
    giveUp = settling.giveUp
    if (spec.mode === 'Real') {
      if (clock.mode() === 'Frozen') log.info('the clock goes on', { from: clockTime(clock.now()) })
      clock.resume()
    } else {
      const wasRunning = clock.mode() === 'Real'
      clock.freeze()
      if (wasRunning) {
        log.info('the clock is frozen', { at: clockTime(clock.now()) })
        await settling.settle()
      }
      const stepMs = (spec.advanceTo === undefined ? 0 : Date.parse(spec.advanceTo)) - clock.now()
      if (stepMs > 0) {
        log.info('the clock is advanced', { by: goDurationText(stepMs), to: spec.advanceTo })
        await clock.advance(stepMs, { settle: settling.settle, signal: stopping.signal })
      }
    }
    const object = live(await writeStatus(metadata.generation))
    if (!settling.isOver()) return { object, warnings: [] }
    log.warn('not everything settled while the clock was moved', { patienceMs: PATIENCE_MS })
    return { object, warnings: [`not everything that was due had come to an end after ${PATIENCE_MS / 1000} seconds`] }
  }

  return {
    live,
    carryOut(object) {
      const done = previous.then(() => apply(object))
      previous = done.catch(() => {})
      return done
    },
    async publish() {
      const before = await client().find(emulatorClockKind, ref)
      const mode = clock.mode()
      if (!before) {
        await client().update(emulatorClockKind, {
          apiVersion: `${emulatorClockKind.group}/${emulatorClockKind.version}`,
          kind: emulatorClockKind.kind,
          metadata: ref,
          spec: { mode },
        })
      } else if (before.spec.mode !== mode) {
        await client().patch(emulatorClockKind, ref, { type: 'application/merge-patch+json', body: { spec: { mode } } })
      }
      await writeStatus(undefined)
    },
    async stop() {
      stopping.abort()
      giveUp()
      await previous
      await writeStatus(undefined).catch((error: unknown) => log.warn('where the clock stands could not be written down', { error }))
    },
  }
}

/** Waits for `settled`, but not longer than `limitMs` of real time over all calls; from then on hardly at all. */
function createPatience(options: { settled: () => Promise<void>; realClock: Clock; limitMs: number }): {
  settle(): Promise<void>
  /** Whether something was not waited for. */
  isOver(): boolean
  /** Waits no longer. */
  giveUp(): void
} {
  const { settled, realClock } = options
  let leftMs = options.limitMs
  let isOver = false
  let stopWaiting = (): void => {}
  return {
    isOver: () => isOver,
    giveUp() {
      leftMs = 0
      stopWaiting()
    },
    async settle() {
      const startedMs = realClock.now()
      let cancel = (): void => {}
      const limit = new Promise<'limit'>((resolve) => {
        stopWaiting = () => resolve('limit')
        cancel = realClock.after(Math.max(leftMs, IMPATIENT_MS), stopWaiting)
      })
      const first = await Promise.race([settled(), limit])
      cancel()
      if (first === 'limit') isOver = true
      leftMs -= realClock.now() - startedMs
    },
  }
}
