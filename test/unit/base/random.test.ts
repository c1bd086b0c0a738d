import { expect, test } from 'vitest'
import { createSystemRandom } from '../../../src/base/random.js'

test("the system's chance hands out as many bytes as are asked for, and none twice", () => {
  const random = createSystemRandom()
  const asked = [1, 16, 1000, 1024, 1025, 5000, ...Array.from({ length: 2000 }, () => 16)]
  const handedOut = asked.map((count) => random.bytes(count))
  expect(handedOut.map((bytes) => bytes.length)).toEqual(asked)
  const identifiers = handedOut.filter((bytes) => bytes.length === 16).map((bytes) => bytes.toString('hex'))
  expect(new Set(identifiers).size).toBe(identifiers.length)

  const [first, second] = [random.bytes(16), random.bytes(16)]
  const before = second.toString('hex')
  first.fill(0)
  expect(second.toString('hex')).toBe(before)
})
