import type { CloudEvent } from '../cloudevents/event.js'
import type { HopPlace, Miss } from '../journal/hop.js'
import type { Consumer } from './consumer.js'
import type { StoredEvent } from './event-record.js'

/** Why an event is not for a consumer: the clause of its filter that fails. */
export interface Mismatch {
  readonly clause: string
  readonly expected: string
  readonly actual: string | undefined
  /** A sentence that says the same, and what may be meant. */
  readonly reason?: string
  readonly hint?: string
}

export interface EventFilter {
  /** The clause that an event fails; undefined when it passes. */
  mismatch(event: CloudEvent): Mismatch | undefined
  /** An attribute whose value has to be exactly this, where there is one, and the clause that says so: no event without it passes. */
  readonly required: { readonly attribute: string; readonly value: string; readonly clause: string } | undefined
}

/** Who follows a log, found by what they ask for. */
export interface FanOut<Key> {
  /** Adds a follower, or changes what it asks for. */
  set(key: Key, follower: Follower): void
  delete(key: Key): void
  /** Offers an event to all it is for, and tells of some of the others. */
  dispatch(stored: StoredEvent): void
  /** Up to here everybody has passed; undefined without followers. */
  lowest(): number | undefined
}

export interface Follower {
  readonly consumer: Pick<Consumer, 'offer' | 'lowest'>
  readonly place: HopPlace
  /** Undefined: every event. */
  readonly filter: EventFilter | undefined
  onMismatch(stored: StoredEvent, mismatch: Mismatch): void
}

/** Of one event at most so many are told that it is not for. */
const MAX_TOLD = 100
/** Values of an attribute for which the list of those is kept. */
const MAX_LISTS = 100

interface Shelves<Key> {
  readonly byValue: Map<string, Map<Key, Follower>>
  /** By the value that an event has: who asks for another one. */
  readonly missed: Map<string | undefined, readonly Miss[]>
}

/**
 * A hundred followers that each ask for a type of their own cost an event one look. Those that it is not for are told in one list, which
 * is made once for each value.
 */
export function createFanOut<Key>(onMissed: (stored: StoredEvent, misses: readonly Miss[]) => void): FanOut<Key> {
  const followers = new Map<Key, Follower>()
  /** By attribute. */
  const shelved = new Map<string, Shelves<Key>>()
  const others = new Map<Key, Follower>()

  const add = (key: Key, follower: Follower): void => {
    const { required } = follower.filter ?? {}
    if (!required) {
      others.set(key, follower)
      return
    }
    let shelves = shelved.get(required.attribute)
    if (!shelves) shelved.set(required.attribute, (shelves = { byValue: new Map(), missed: new Map() }))
    shelves.missed.clear()
    const shelf = shelves.byValue.get(required.value)
    if (shelf) shelf.set(key, follower)
    else shelves.byValue.set(required.value, new Map([[key, follower]]))
  }
  const remove = (key: Key): void => {
    const { required } = followers.get(key)?.filter ?? {}
    followers.delete(key)
    others.delete(key)
    const shelves = required && shelved.get(required.attribute)
    const shelf = shelves?.byValue.get(required!.value)
    if (!shelves || !shelf) return
    shelves.missed.clear()
    shelf.delete(key)
    if (shelf.size === 0) shelves.byValue.delete(required!.value)
    if (shelves.byValue.size === 0) shelved.delete(required!.attribute)
  }
  const missesOf = ({ byValue, missed }: Shelves<Key>, actual: string | undefined): readonly Miss[] => {
    const known = missed.get(actual)
    if (known) return known
    const misses: Miss[] = []
    for (const [value, shelf] of byValue) {
      if (value === actual) continue
      for (const { place, filter } of shelf.values()) {
        if (misses.length < MAX_TOLD) misses.push({ at: place, clause: filter!.required!.clause, expected: value, actual })
      }
    }
    if (missed.size >= MAX_LISTS) missed.clear()
    missed.set(actual, misses)
    return misses
  }
  const offer = (stored: StoredEvent, { consumer, filter, onMismatch }: Follower): void => {
    const mismatch = filter?.mismatch(stored.event)
    if (mismatch) onMismatch(stored, mismatch)
    else consumer.offer(stored)
  }

  return {
    set(key, follower) {
      remove(key)
      followers.set(key, follower)
      add(key, follower)
    },
    delete: remove,
    dispatch(stored) {
      const { attributes } = stored.event
      for (const follower of others.values()) offer(stored, follower)
      let left = MAX_TOLD
      for (const [attribute, shelves] of shelved) {
        const value = attributes.get(attribute)
        const actual = value === undefined ? undefined : String(value)
        const shelf = actual === undefined ? undefined : shelves.byValue.get(actual)
        if (shelf) for (const follower of shelf.values()) offer(stored, follower)
        const misses = left > 0 ? missesOf(shelves, actual) : []
        if (misses.length > 0) onMissed(stored, misses.length > left ? misses.slice(0, left) : misses)
        left -= misses.length
      }
    },
    lowest() {
      let lowest: number | undefined
      for (const { consumer } of followers.values()) lowest = Math.min(lowest ?? Number.POSITIVE_INFINITY, consumer.lowest())
      return lowest
    },
  }
}
