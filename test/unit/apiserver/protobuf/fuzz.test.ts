import { expect, test } from 'vitest'
import { StatusError } from '../../../../src/apimachinery/status-error.js'
import { decodeProtobuf } from '../../../../src/apiserver/protobuf/decode.js'
import { createSystemClock } from '../../../../src/base/clock.js'
import { createSeededRandom } from '../../../../src/base/random.js'
import { fixtures } from './support.js'

const MUTATIONS = 10_000

test('no mutation of a body does anything but be read or be refused with 400', () => {
  const seed = Number(process.env['KN_TEST_SEED'] ?? createSystemClock().now())
  console.log(`protobuf mutations: KN_TEST_SEED=${seed}`)
  const random = createSeededRandom(seed)
  const below = (limit: number): number => Math.floor(random.float() * limit)
  const all = fixtures()
    .map(({ body }) => body)
    .filter(({ length }) => length < 8192)

  const mutated = (): Buffer => {
    const body = Buffer.from(all[below(all.length)]!)
    const at = below(body.length)
    switch (below(5)) {
      case 0:
        return body.subarray(0, at)
      case 1:
        body[at] = below(256)
        return body
      case 2:
        return Buffer.concat([body.subarray(0, at), Buffer.from([0xff, 0xff, 0xff, 0xff, below(128)]), body.subarray(at)])
      case 3: {
        const other = all[below(all.length)]!
        return Buffer.concat([body.subarray(0, at), other.subarray(below(other.length))])
      }
      default:
        for (let change = 0; change < 8; change++) body[4 + below(body.length - 4)]! ^= 1 << below(8)
        return body
    }
  }

  let read = 0
  let refused = 0
  for (let count = 0; count < MUTATIONS; count++) {
    const body = mutated()
    try {
      JSON.stringify(decodeProtobuf(body, undefined).value)
      read++
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 400) throw new Error(`seed ${seed}: ${body.toString('hex')}`, { cause: error })
      refused++
    }
  }
  expect(read + refused).toBe(MUTATIONS)
  expect(refused).toBeGreaterThan(MUTATIONS / 10)
})
