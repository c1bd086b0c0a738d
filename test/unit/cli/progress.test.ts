import { expect, test } from 'vitest'
import type { VirtualClock } from '../../../src/base/clock.js'
import { withProgress } from '../../../src/cli/progress.js'
import { aWorld } from './world.js'

const texts = { title: "Creating service 'x' in namespace 'ns':", done: 'Ready to serve.' }

test('in a pipe each message is a line with its time, and a repeated one is told by dots', async () => {
  const world = aWorld()
  const result = await withProgress(world, texts, async (report) => {
    report(40, 'Deploying')
    report(1500, 'Deploying')
    report(2000, 'Waiting')
    await (world.clock as VirtualClock).advance(12_345)
    return 'made'
  })
  expect(result).toBe('made')
  expect(world.stdout.text).toBe(`Creating service 'x' in namespace 'ns':

  0.040s Deploying
  1.500s ...
  2.000s Waiting
 12.345s Ready to serve.

`)
})

test('a failure ends the lines where they are', async () => {
  const world = aWorld()
  await expect(
    withProgress(world, texts, async () => {
      throw new Error('broken')
    }),
  ).rejects.toThrow('broken')
  expect(world.stdout.text).toBe("Creating service 'x' in namespace 'ns':\n\n")
})

test.each([{ CI: 'true' }, { NO_COLOR: '1' }, { TERM: 'dumb' }])('with %j a terminal gets the plain lines too', async (env) => {
  const world = aWorld({ env, isTerminal: true })
  await withProgress(world, texts, async () => undefined)
  expect(world.stdout.text).toContain('  0.000s Ready to serve.\n')
})
