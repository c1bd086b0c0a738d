import type { Cancel, Clock } from '../base/clock.js'

/** Something that ends at a time unless it is disarmed first. Made once per connection and armed again for each request. */
export interface Deadline {
  expired(): void
  /** Kept by the wheel: 0 when it is not armed. */
  dueTick: number
  before: Deadline | undefined
  after: Deadline | undefined
}

export interface Deadlines {
  /** Fires up to one tick (20 ms) late. Arming again moves it. `dueMs` is on the clock that made the wheel. */
  arm(deadline: Deadline, dueMs: number): void
  disarm(deadline: Deadline): void
  stop(): void
}

export function createDeadline(expired: () => void): Deadline {
  return { expired, dueTick: 0, before: undefined, after: undefined }
}

const TICK_MS = 20
/** One turn of the wheel is 82 s: what is due later is met on the way and left where it is. */
const SLOTS = 4096
/** Off the wheel and about to fire; disarming it in that moment still keeps it from firing. */
const FIRING = -1

/**
 * A timer wheel: thousands of requests with a limit each cost one timer of the clock together, and arming costs a few
 * assignments. It sleeps until the next slot in use, so an idle gateway wakes nobody.
 */
export function createDeadlines(clock: Clock): Deadlines {
  const slots = new Array<Deadline | undefined>(SLOTS).fill(undefined)
  const startMs = clock.now()
  let armed = 0
  let doneTick = 0
  let wakeTick = Number.POSITIVE_INFINITY
  let cancelWake: Cancel | undefined

  const sleepUntil = (tick: number): void => {
    cancelWake?.()
    wakeTick = tick
    cancelWake = clock.after(startMs + tick * TICK_MS - clock.now(), wake)
  }

  const disarm = (deadline: Deadline): void => {
    if (deadline.dueTick <= 0) {
      deadline.dueTick = 0
      return
    }
    if (deadline.before) deadline.before.after = deadline.after
    else slots[deadline.dueTick % SLOTS] = deadline.after
    if (deadline.after) deadline.after.before = deadline.before
    deadline.before = undefined
    deadline.after = undefined
    deadline.dueTick = 0
    armed--
  }

  const fireSlot = (slot: number, nowTick: number): void => {
    // Fired only once the walk is over: what fires may arm and disarm others in this very slot.
    const due: Deadline[] = []
    for (let deadline = slots[slot]; deadline; ) {
      const next = deadline.after
      if (deadline.dueTick <= nowTick) {
        disarm(deadline)
        deadline.dueTick = FIRING
        due.push(deadline)
      }
      deadline = next
    }
    for (const deadline of due) {
      if (deadline.dueTick !== FIRING) continue
      deadline.dueTick = 0
      deadline.expired()
    }
  }

  function wake(): void {
    cancelWake = undefined
    wakeTick = Number.POSITIVE_INFINITY
    const nowTick = Math.floor((clock.now() - startMs) / TICK_MS)
    const from = Math.max(doneTick + 1, nowTick - SLOTS + 1)
    doneTick = Math.max(doneTick, nowTick)
    for (let tick = from; tick <= nowTick; tick++) if (slots[tick % SLOTS]) fireSlot(tick % SLOTS, nowTick)
    if (armed === 0) return
    for (let ahead = 1; ahead <= SLOTS; ahead++) {
      if (!slots[(doneTick + ahead) % SLOTS]) continue
      if (doneTick + ahead < wakeTick) sleepUntil(doneTick + ahead)
      return
    }
  }

  return {
    arm(deadline, dueMs) {
      disarm(deadline)
      const tick = Math.max(Math.ceil((dueMs - startMs) / TICK_MS), doneTick + 1)
      const slot = tick % SLOTS
      deadline.dueTick = tick
      deadline.after = slots[slot]
      if (deadline.after) deadline.after.before = deadline
      slots[slot] = deadline
      armed++
      if (tick < wakeTick) sleepUntil(tick)
    },
    disarm,
    stop() {
      cancelWake?.()
      cancelWake = undefined
      wakeTick = Number.NEGATIVE_INFINITY
    },
  }
}
