import { randomBytes } from 'node:crypto'

/** Chance, passed in so that a test can repeat it. */
export interface Random {
  /** In [0, 1). */
  float(): number
  bytes(count: number): Buffer
}

/** Asking the system costs some 10 µs however little is asked for, and every request and object needs a UUID. */
const RESERVE_BYTES = 4096

/** Cryptographically strong bytes from the system: credentials are drawn from this one. No byte is handed out twice. */
export function createSystemRandom(): Random {
  let reserve: Buffer = Buffer.alloc(0)
  const bytes = (count: number): Buffer => {
    if (count > RESERVE_BYTES / 4) return randomBytes(count)
    if (count > reserve.length) reserve = randomBytes(RESERVE_BYTES)
    const taken = reserve.subarray(0, count)
    reserve = reserve.subarray(count)
    return taken
  }
  return { float: () => bytes(6).readUIntBE(0, 6) / 2 ** 48, bytes }
}

/** The same sequence for the same seed (mulberry32); for tests and soaks only. */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0
  const float = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { float, bytes: (count) => Buffer.from(Array.from({ length: count }, () => Math.floor(float() * 256))) }
}

/** A random (version 4) UUID. */
export function uuid(random: Random): string {
  const bytes = random.bytes(16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Kubernetes leaves out vowels and look-alikes so that no name suffix spells a word (apimachinery pkg/util/rand). */
const SUFFIX_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** `length` characters for a generated name, as generateName and ReplicaSets use them. */
export function nameSuffix(random: Random, length = 5): string {
  return Array.from({ length }, () => SUFFIX_LETTERS[Math.floor(random.float() * SUFFIX_LETTERS.length)]).join('')
}
