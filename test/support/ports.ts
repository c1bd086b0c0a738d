import { createServer } from 'node:net'
import { freePorts } from '../../src/emulator/ports.js'

/** Below those of instances and workloads, in parts of which each process of any test run on this machine has one. */
const FIRST_PORT = 10_000
const PART_SIZE = 1000
const PARTS = 8

interface Part {
  first: number
  size: number
  from: number
  /** Ends with the newest call. */
  last: Promise<unknown>
}

/** Kept where it outlives this module, which is loaded anew for every test file. */
const KEPT = Symbol.for('kn-local.test-ports')
const holder = globalThis as { [KEPT]?: Promise<Part> }

/** Free loopback ports that no other test gets before all the others of its part, so that none is taken between here and its use. */
export async function testPorts(count: number): Promise<number[]> {
  holder[KEPT] ??= claimPart()
  const part = await holder[KEPT]
  // One after the other: two at once would begin at the same one.
  const taken = part.last.then(async () => {
    const ports = await freePorts(count, part)
    part.from = part.first + ((ports.at(-1)! + 1 - part.first) % part.size)
    return ports
  })
  part.last = taken.catch(() => {})
  return taken
}

/** A part belongs to whoever listens on its first port, for as long as the process lives. */
async function claimPart(): Promise<Part> {
  for (let start = FIRST_PORT; start < FIRST_PORT + PARTS * PART_SIZE; start += PART_SIZE)
    if (await isClaimed(start)) return { first: start + 1, size: PART_SIZE - 1, from: start + 1, last: Promise.resolve() }
  throw new Error(`no part of the ports from ${FIRST_PORT} on is left for this test run`)
}

function isClaimed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.unref()
      resolve(true)
    })
  })
}
