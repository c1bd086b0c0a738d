import { createDecider } from './decide.js'
import { HISTORY_CHANGES, StorageError, type Store, type StoreKey, type StoreView, type WriteResult } from './store.js'
import { createVisible, versionOf } from './visible.js'

/**
 * A Store that lives and dies with the process. A write is visible, and its watchers are told, before `write` returns.
 * `freeze` freezes every object, so that whoever changes one gets a TypeError. An error that a watch listener throws is
 * thrown on its own, outside of the write.
 */
export function createMemoryStore(options: { historyChanges?: number; freeze?: boolean } = {}): Store {
  const { historyChanges = HISTORY_CHANGES, freeze = false } = options
  let closed = false
  const decideChange = createDecider({ freeze })
  const visible = createVisible({
    historyChanges,
    freeze,
    onListenerError: (error) =>
      queueMicrotask(() => {
        throw error
      }),
  })

  const writeNow = (key: StoreKey, decide: Parameters<Store['write']>[1]): WriteResult => {
    if (closed) throw new StorageError('ECLOSED', 'the store in memory is closed')
    const answer = decideChange({ key, current: visible.get(key), decide, version: visible.version + 1 })
    if ('kept' in answer) return { object: answer.kept, changed: false, version: versionOf(answer.kept) || visible.version }
    visible.apply(answer.event)
    return { object: answer.event.object, changed: true, version: answer.event.version }
  }

  const view: StoreView = {
    get version() {
      return visible.version
    },
    get: visible.get,
    list: visible.list,
    resources: visible.resources,
    watch: visible.watch,
    // Not an async function: `decide` must have been called when write returns, and what it throws is a rejection.
    write: (key, decide) => new Promise((resolve) => resolve(writeNow(key, decide))),
    settled: () => Promise.resolve(),
  }
  return {
    ...view,
    get version() {
      return visible.version
    },
    early: view,
    close() {
      closed = true
      return Promise.resolve()
    },
  }
}
