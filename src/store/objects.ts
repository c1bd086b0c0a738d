import type { KubeObject } from '../apimachinery/object.js'
import type { StoreKey } from './store.js'

/** The newest state of every object, by resource, namespace and name. */
export interface Objects {
  get(key: StoreKey): KubeObject | undefined
  put(key: StoreKey, object: KubeObject): void
  remove(key: StoreKey): void
  /** In byte order of namespace, then name. The array never changes once handed out. */
  list(resource: string, namespace?: string): readonly KubeObject[]
  /** Names of resources that hold at least one object. */
  resources(): readonly string[]
}

interface Bucket {
  byName: Map<string, KubeObject>
  /** Made by the first list and kept in order from then on. */
  sorted: KubeObject[] | undefined
  /** Whether somebody holds `sorted`: then the next change is made to a copy. */
  handedOut: boolean
}

interface Resource {
  namespaces: Map<string, Bucket>
  /** The lists of all namespaces in one, until the next change. */
  all: readonly KubeObject[] | undefined
}

/** An empty set of objects. With `freeze`, lists are frozen too, so that a test notices who sorts one in place. */
export function createObjects({ freeze = false }: { freeze?: boolean } = {}): Objects {
  const byResource = new Map<string, Resource>()

  const sortedOf = (bucket: Bucket): readonly KubeObject[] => {
    bucket.sorted ??= [...bucket.byName.values()].sort((a, b) => compareBytes(a.metadata.name, b.metadata.name))
    bucket.handedOut = true
    return freeze ? Object.freeze(bucket.sorted) : bucket.sorted
  }
  /** The list to change in place, with the index at which `name` is or belongs. */
  const openAt = (bucket: Bucket, name: string): { sorted: KubeObject[]; index: number } | undefined => {
    if (!bucket.sorted) return undefined
    if (bucket.handedOut) {
      bucket.sorted = bucket.sorted.slice()
      bucket.handedOut = false
    }
    return { sorted: bucket.sorted, index: indexOf(bucket.sorted, name) }
  }

  return {
    get: ({ resource, namespace, name }) =>
      byResource
        .get(resource)
        ?.namespaces.get(namespace ?? '')
        ?.byName.get(name),

    put({ resource, namespace = '', name }, object) {
      let held = byResource.get(resource)
      if (!held) byResource.set(resource, (held = { namespaces: new Map(), all: undefined }))
      let bucket = held.namespaces.get(namespace)
      if (!bucket) held.namespaces.set(namespace, (bucket = { byName: new Map(), sorted: undefined, handedOut: false }))

      const open = openAt(bucket, name)
      if (open) open.sorted.splice(open.index, bucket.byName.has(name) ? 1 : 0, object)
      bucket.byName.set(name, object)
      held.all = undefined
    },

    remove({ resource, namespace = '', name }) {
      const held = byResource.get(resource)
      const bucket = held?.namespaces.get(namespace)
      if (!held || !bucket?.byName.has(name)) return

      const open = openAt(bucket, name)
      if (open) open.sorted.splice(open.index, 1)
      bucket.byName.delete(name)
      held.all = undefined
      if (bucket.byName.size === 0) held.namespaces.delete(namespace)
      if (held.namespaces.size === 0) byResource.delete(resource)
    },

    list(resource, namespace) {
      const held = byResource.get(resource)
      if (!held) return []
      if (namespace !== undefined) {
        const bucket = held.namespaces.get(namespace)
        return bucket ? sortedOf(bucket) : []
      }
      if (!held.all) {
        const inOrder = [...held.namespaces].sort(([a], [b]) => compareBytes(a, b)).map(([, bucket]) => sortedOf(bucket))
        held.all = inOrder.length === 1 ? inOrder[0]! : inOrder.flat()
        if (freeze) Object.freeze(held.all)
      }
      return held.all
    },

    resources: () => [...byResource.keys()],
  }
}

function indexOf(sorted: readonly KubeObject[], name: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBytes(sorted[middle]!.metadata.name, name) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * The order of two strings by their UTF-8 bytes, as etcd's keys sort. It differs from JavaScript's own order where a
 * surrogate (a code point above U+FFFF) meets a code unit from U+E000 up.
 */
export function compareBytes(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let index = 0; index < shared; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left !== right) return rank(left) - rank(right)
  }
  return a.length - b.length
}

function rank(codeUnit: number): number {
  if (codeUnit >= 0xe000) return codeUnit - 0x800
  return codeUnit >= 0xd800 ? codeUnit + 0x2000 : codeUnit
}
