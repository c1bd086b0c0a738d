import type { KubeObject } from '../apimachinery/object.js'
import { freezeDeeply } from './decide.js'
import type { HistoryEntry } from './history.js'
import type { ChangeRow } from './sqlite-format.js'
import type { StoreEvent, StoreKey } from './store.js'
import { type Restored, versionOf } from './visible.js'

/** An object that is decoded when somebody first wants it, and then only once. */
interface Cell {
  version: number
  object(): KubeObject
}

/** Collects the changes of a store file, handed over in order of version, and says where the store goes on. */
export interface Loading {
  add(rows: readonly ChangeRow[]): void
  /**
   * What the changes amount to. Throws an Error that says what is wrong when they do not fit together or an object is no
   * JSON. Objects of the past stay undecoded until a watch resumes from them: most starts never need them.
   */
  restored(trimmed: number): Restored
}

export function createLoading({ freeze }: { freeze: boolean }): Loading {
  const rows: ChangeRow[] = []

  const cellOf = (version: number, text: string): Cell => {
    let decoded: KubeObject | undefined
    let waiting: string | undefined = text
    return {
      version,
      object() {
        if (!decoded) {
          decoded = JSON.parse(waiting!) as KubeObject
          waiting = undefined
          if (freeze) freezeDeeply(decoded)
        }
        return decoded
      },
    }
  }

  return {
    add: (more) => void rows.push(...more),

    restored(trimmed) {
      const latest = new Map<string, { key: StoreKey; cell: Cell }>()
      const changes: HistoryEntry[] = []
      // Taken out, so that their text goes as soon as they are decoded.
      for (const [version, resource, namespace, name, deleted, text] of rows.splice(0)) {
        const key: StoreKey = namespace ? { resource, namespace, name } : { resource, name }
        const cell = cellOf(version, text)
        const id = keyText(key)
        const previous = latest.get(id)?.cell
        if (deleted && !previous) throw new Error(`version ${version} removes ${resource} ${name}, which does not exist`)
        if (deleted) latest.delete(id)
        else latest.set(id, { key, cell })
        if (version > trimmed) changes.push({ ...entryFrom(key, cell, previous, deleted === 1), characters: text.length })
      }
      const objects = [...latest.values()].map(({ key, cell }) => {
        const object = cell.object()
        if (versionOf(object) !== cell.version) throw new Error(`the change at version ${cell.version} is of another version`)
        return { key, object }
      })
      return { oldest: trimmed, objects, changes }
    },
  }
}

function entryFrom(key: StoreKey, cell: Cell, previous: Cell | undefined, deleted: boolean): HistoryEntry {
  const { version } = cell
  const type = deleted ? 'DELETED' : previous ? 'MODIFIED' : 'ADDED'
  const event = (): StoreEvent => ({ type, key, object: cell.object(), previous: previous?.object(), version })
  return { version, resource: key.resource, previousVersion: previous?.version, deleted, event }
}

/** One text per object. Only its last part, a name, could hold a line break of its own. */
export function keyText({ resource, namespace = '', name }: StoreKey): string {
  return `${resource}\n${namespace}\n${name}`
}
