import { freePorts } from '../../src/emulator/ports.js'

/** Below those of instances and workloads; a part for each process of the test runner. */
const FIRST_PORT = 10_000
const PORTS = 1000
const first = FIRST_PORT + (Number(process.env['VITEST_POOL_ID'] ?? 0) % 8) * PORTS
let from = first

/** Free loopback ports that no other test of this run gets, so that none is taken between here and its use. */
export async function testPorts(count: number): Promise<number[]> {
  const ports = await freePorts(count, { first, size: PORTS, from })
  from = first + ((ports.at(-1)! + 1 - first) % PORTS)
  return ports
}
