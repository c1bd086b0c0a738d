import type { KubeObject } from '../../apimachinery/object.js'
import { refusals } from '../../apimachinery/status-error.js'
import type { Change, StoreKey } from '../../store/store.js'
import type { VerbDeps } from '../deps.js'
import type { Resource } from '../resource.js'
import type { Reading } from './reading.js'

/** Writes that are tried while others change the same object in between; upstream's patches try as often. */
const ATTEMPTS = 5

/** Says that the object was changed while a webhook was asked. */
const CHANGED: unique symbol = Symbol('changed meanwhile')

/**
 * Like Newest.write, for a resource whose objects may be stored in another version than the caller's: `decide` sees and
 * returns objects of the caller's version, and so does the answer.
 */
export async function writeObject(
  deps: VerbDeps,
  resource: Resource,
  key: StoreKey,
  decide: (current: KubeObject | undefined) => Change,
): Promise<{ object: KubeObject }> {
  const { reading } = resource
  if (!reading) return deps.newest.write(key, decide)
  return reading.isRemote ? writeRemotely(deps, reading, key, decide) : writeAtOnce(deps, reading, key, decide)
}

async function writeAtOnce(
  deps: VerbDeps,
  reading: Reading,
  key: StoreKey,
  decide: (current: KubeObject | undefined) => Change,
): Promise<{ object: KubeObject }> {
  const result = await deps.newest.write(key, (stored) => {
    const change = decide(stored && (reading.shown([stored]) as readonly KubeObject[])[0])
    if ('put' in change) return { put: reading.stored(change.put) as KubeObject }
    return 'remove' in change ? { remove: reading.stored(change.remove) as KubeObject } : change
  })
  return { object: (reading.shown([result.object]) as readonly KubeObject[])[0]! }
}

/** A webhook cannot be asked in the middle of a write: it is asked before, and the write holds only if nothing came between. */
async function writeRemotely(
  deps: VerbDeps,
  reading: Reading,
  key: StoreKey,
  decide: (current: KubeObject | undefined) => Change,
): Promise<{ object: KubeObject }> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await deps.store.settled()
    const before = deps.store.get(key)
    const change = decide(before && (await reading.shown([before]))[0])
    if ('keep' in change) return { object: change.keep }
    const converted = await reading.stored('put' in change ? change.put : change.remove)
    try {
      const result = await deps.newest.write(key, (now) => {
        if (now?.metadata.resourceVersion !== before?.metadata.resourceVersion) throw CHANGED
        return 'put' in change ? { put: converted } : { remove: converted }
      })
      return { object: (await reading.shown([result.object]))[0]! }
    } catch (error) {
      if (error !== CHANGED) throw error
    }
  }
  throw refusals.conflict({ group: '', plural: key.resource }, key.name)
}
