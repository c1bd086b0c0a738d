import type { CloudEvent } from '../cloudevents/event.js'
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
  /** Offers an event to all it is for, and tells `onMismatch` of some of the others. */
  dispatch(stored: StoredEvent): void
  /** Up to here everybody has passed; undefined without followers. */
  lowest(): number | undefined
}

export interface Follower {
  readonly consumer: Pick<Consumer, 'offer' | 'lowest'>
  /** Undefined: every event. */
  readonly filter: EventFilter | undefined
  onMismatch(stored: StoredEvent, mismatch: Mismatch): void
}

/** Of one event at most so many mismatches are told, so that its cost does not grow with those it is not for. */
const MAX_TOLD = 100

/** A hundred followers that each ask for a type of their own cost an event one look. */
export function createFanOut<Key>(): FanOut<Key> {
  const followers = new Map<Key, Follower>()
  /** By attribute, then value. */
  const byValue = new Map<string, Map<string, Map<Key, Follower>>>()
  const others = new Map<Key, Follower>()

  const shelfOf = ({ filter }: Follower, isNew: boolean): Map<Key, Follower> | undefined => {
    const required = filter?.required
    if (!required) return others
    let values = byValue.get(required.attribute)
    if (!values && isNew) byValue.set(required.attribute, (values = new Map()))
    let shelf = values?.get(required.value)
    if (!shelf && isNew) values!.set(required.value, (shelf = new Map()))
    return shelf
  }
  const remove = (key: Key): void => {
    const follower = followers.get(key)
    if (!follower) return
    followers.delete(key)
    shelfOf(follower, false)?.delete(key)
    const { attribute = '', value = '' } = follower.filter?.required ?? {}
    const values = byValue.get(attribute)
    if (values?.get(value)?.size === 0) values.delete(value)
    if (values?.size === 0) byValue.delete(attribute)
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
      shelfOf(follower, true)!.set(key, follower)
    },
    delete: remove,
    dispatch(stored) {
      const { attributes } = stored.event
      for (const follower of others.values()) offer(stored, follower)
      let told = 0
      for (const [attribute, values] of byValue) {
        const actual = attributes.get(attribute)
        const shelf = actual === undefined ? undefined : values.get(String(actual))
        if (shelf) for (const follower of shelf.values()) offer(stored, follower)
        for (const [, missed] of values) {
          if (missed === shelf) continue
          if (told >= MAX_TOLD) break
          for (const { filter, onMismatch } of missed.values()) {
            if (told++ >= MAX_TOLD) break
            const { clause, value } = filter!.required!
            onMismatch(stored, { clause, expected: value, actual: actual === undefined ? undefined : String(actual) })
          }
        }
      }
    },
    lowest() {
      let lowest: number | undefined
      for (const { consumer } of followers.values()) lowest = Math.min(lowest ?? Number.POSITIVE_INFINITY, consumer.lowest())
      return lowest
    },
  }
}
