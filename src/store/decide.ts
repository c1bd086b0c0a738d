import { type KubeObject, refText } from '../apimachinery/object.js'
import type { Change, StoreEvent, StoreKey } from './store.js'

/** What came of asking: an event to make durable and visible, or an object that stays as it is. */
export type Decision = { event: StoreEvent } | { kept: KubeObject }

/** One write: which object, its newest state, the caller's question, and the version the change gets if there is one. */
export interface Question {
  key: StoreKey
  current: KubeObject | undefined
  decide: (current: KubeObject | undefined) => Change
  version: number
}

/**
 * Asks `decide` about the newest state of an object and turns its answer into the event of that change, with `version` as
 * the object's resourceVersion. The object that was handed in is left alone: the event has a copy of it and its metadata.
 * Throws what `decide` throws, and an Error when the answer does not fit the key or when asked from inside of a `decide`:
 * that write would get the same version.
 */
export function createDecider({ freeze }: { freeze: boolean }): (question: Question) => Decision {
  let asking = false
  return ({ key, current, decide, version }) => {
    if (asking) throw new Error(`${key.resource}: ${refText(key)} cannot be written while another write is being decided`)
    asking = true
    let change: Change
    try {
      change = decide(current)
    } finally {
      asking = false
    }
    if ('keep' in change) return { kept: change.keep }

    const given = 'put' in change ? change.put : change.remove
    const { name, namespace } = given.metadata
    // Lists are in order of the objects' own names: one stored under another's key would be lost among them.
    if (name !== key.name || (namespace || undefined) !== (key.namespace || undefined))
      throw new Error(`${key.resource}: ${refText({ namespace, name })} cannot be stored as ${refText(key)}`)
    if ('remove' in change && !current) throw new Error(`${key.resource}: ${refText(key)} cannot be removed: it does not exist`)

    const object = { ...given, metadata: { ...given.metadata, resourceVersion: String(version) } }
    if (freeze) freezeDeeply(object)
    const type = 'remove' in change ? 'DELETED' : current ? 'MODIFIED' : 'ADDED'
    return { event: { type, key, object, previous: current, version } }
  }
}

/** Freezes an object and everything in it, so that a test notices who changes what it shares. */
export function freezeDeeply(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const part of Object.values(value)) freezeDeeply(part)
}
