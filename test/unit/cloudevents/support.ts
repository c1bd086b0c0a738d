import { createSystemClock } from '../../../src/base/clock.js'
import { createSeededRandom } from '../../../src/base/random.js'
import type { AttributeValue, CloudEvent } from '../../../src/cloudevents/event.js'

const MINIMAL = { specversion: '1.0', id: 'i1', source: '/shop', type: 'dev.example.paid' }

/** A valid event with these attributes beside, or instead of, the required ones; undefined takes one away. */
export function anEvent(attributes: Record<string, AttributeValue | undefined> = {}, data?: string | Buffer): CloudEvent {
  const present = new Map<string, AttributeValue>()
  for (const [name, value] of Object.entries({ ...MINIMAL, ...attributes })) if (value !== undefined) present.set(name, value)
  return { attributes: present, ...(data === undefined ? {} : { data: Buffer.from(data) }) }
}

/** The raw headers of a minimal event in binary mode, and others. */
export function ceHeaders(more: Record<string, string> = {}): string[] {
  const required = { 'ce-specversion': '1.0', 'ce-id': 'i1', 'ce-source': '/shop', 'ce-type': 'dev.example.paid' }
  return Object.entries({ ...required, ...more }).flat()
}

/** Attributes as an object, for comparing. */
export function attributesOf(event: CloudEvent): Record<string, AttributeValue> {
  return Object.fromEntries(event.attributes)
}

/** Chance that says how to repeat it, and what tests draw with it. */
export function seededChance(what: string) {
  const seed = Number(process.env['KN_TEST_SEED'] ?? createSystemClock().now())
  console.log(`${what}: KN_TEST_SEED=${seed}`)
  const random = createSeededRandom(seed)
  const below = (limit: number): number => Math.floor(random.float() * limit)
  const oneOf = <T>(values: ArrayLike<T>): T => values[below(values.length)]!
  const text = (letters: ArrayLike<string>, shortest: number, longest: number): string =>
    Array.from({ length: shortest + below(longest - shortest + 1) }, () => oneOf(letters)).join('')
  return { seed, below, oneOf, text, bytes: (count: number) => random.bytes(count) }
}
