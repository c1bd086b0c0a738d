import type { KubeObject } from '../apimachinery/object.js'
import type { Change, Store, StoreKey, StoreView, WriteResult } from '../store/store.js'

/**
 * The store as a writer sees it: with writes that are accepted but not durable yet. Admission allocates and checks against
 * this view, so that two writes of one batch cannot be given the same port.
 */
export interface Newest {
  get(key: StoreKey): KubeObject | undefined
  /** In no particular order. */
  list(resource: string, namespace?: string): readonly KubeObject[]
  /** Like Store.write, and remembers what was accepted until it is visible or refused. */
  write(key: StoreKey, decide: (current: KubeObject | undefined) => Change): Promise<WriteResult>
}

interface Accepted {
  key: StoreKey
  /** Undefined: removed. */
  object: KubeObject | undefined
}

const textOf = ({ namespace, name }: StoreKey): string => (namespace === undefined ? name : `${namespace}/${name}`)

/** Two ways to write: acknowledged when durable, or at once to callers inside of the process (Store.early). Both see both's writes. */
export function createNewest(store: Store): Newest & { early: Newest } {
  const base = store.early
  const pending = new Map<string, Map<string, Accepted>>()

  const remember = (accepted: Accepted): (() => void) => {
    const { resource } = accepted.key
    const text = textOf(accepted.key)
    const ofResource = pending.get(resource) ?? new Map<string, Accepted>()
    pending.set(resource, ofResource)
    ofResource.set(text, accepted)
    return () => {
      // A later write of the same object has taken the place; that one forgets itself.
      if (ofResource.get(text) !== accepted) return
      ofResource.delete(text)
      if (ofResource.size === 0 && pending.get(resource) === ofResource) pending.delete(resource)
    }
  }

  const writeThrough =
    (view: StoreView): Newest['write'] =>
    (key, decide) => {
      let accepted: Accepted | undefined
      const written = view.write(key, (current) => {
        const change = decide(current)
        if ('put' in change) accepted = { key, object: change.put }
        else if ('remove' in change) accepted = { key, object: undefined }
        return change
      })
      if (accepted) {
        const forget = remember(accepted)
        written.then(forget, forget)
      }
      return written
    }

  const reading: Pick<Newest, 'get' | 'list'> = {
    get(key) {
      const accepted = pending.get(key.resource)?.get(textOf(key))
      return accepted ? accepted.object : base.get(key)
    },
    list(resource, namespace) {
      const { items } = base.list(resource, namespace)
      const ofResource = pending.get(resource)
      if (!ofResource) return items
      const rest = items.filter(
        ({ metadata }) => !ofResource.has(textOf({ resource, ...namespaceOf(metadata.namespace), name: metadata.name })),
      )
      for (const { key, object } of ofResource.values()) {
        if (object && (namespace === undefined || key.namespace === namespace)) rest.push(object)
      }
      return rest
    },
  }
  return { ...reading, write: writeThrough(store), early: { ...reading, write: writeThrough(store.early) } }
}

function namespaceOf(namespace: string | undefined): { namespace?: string } {
  return namespace === undefined ? {} : { namespace }
}
