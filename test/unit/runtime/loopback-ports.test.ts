import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { createLoopbackPorts } from '../../../src/runtime/loopback-ports.js'

test('no port is handed out twice within a minute, also to those who ask at once', async () => {
  const clock = createVirtualClock()
  const freePort = createLoopbackPorts({ clock, random: createSeededRandom(1), isFree: async (port) => port % 2 === 0 })
  const first = await Promise.all(Array.from({ length: 3500 }, freePort))
  expect(new Set(first).size).toBe(3500)
  expect(first.every((port) => port >= 20_000 && port < 27_000 && port % 2 === 0)).toBe(true)
  await expect(freePort()).rejects.toThrow('no free loopback port between 20000 and 26999')

  await clock.advance(60_000)
  expect(first).toContain(await freePort())
})

test('a port that somebody listens on is passed over', async () => {
  const clock = createVirtualClock()
  const probe = createLoopbackPorts({ clock, random: createSeededRandom(7) })
  const taken = await probe()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve))
  const again = createLoopbackPorts({ clock, random: createSeededRandom(7) })
  expect(await again()).not.toBe(taken)
  await new Promise((resolve) => server.close(resolve))
})
