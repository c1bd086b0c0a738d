import type { Pod } from './schema.js'

/** 10.244.0.0/16, the usual cluster CIDR. Nobody dials these: they are identities. The first is the Node's own. */
const PREFIX = '10.244'
const FIRST = 2
const COUNT = 2 ** 16 - 3

/** Hands out Pod addresses, each to one Pod at a time. */
export interface Addresses {
  /** The address of a Pod: the one it has, else the next free one. */
  take(uid: string, present: string | undefined, pods: readonly Pod[]): string
  release(uid: string): void
}

export function createAddresses(): Addresses {
  const byUid = new Map<string, string>()
  let next = 0
  return {
    take(uid, present, pods) {
      const own = present ?? byUid.get(uid)
      if (own) {
        byUid.set(uid, own)
        return own
      }
      const taken = new Set([...byUid.values(), ...pods.map(({ status }) => status?.podIP)])
      for (let step = 0; step < COUNT; step++) {
        const number = FIRST + (next++ % COUNT)
        const address = `${PREFIX}.${number >> 8}.${number & 255}`
        if (taken.has(address)) continue
        byUid.set(uid, address)
        return address
      }
      throw new Error('no pod address is free')
    },
    release: (uid) => void byUid.delete(uid),
  }
}
