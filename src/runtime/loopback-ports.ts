import { createServer } from 'node:net'
import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'

/**
 * Below the ports that Linux and macOS take for outgoing connections, so that none of those can hold a port between its being handed out
 * and its program's listening on it, and no probe can connect to itself; and clear of Kubernetes' node ports and of our listeners.
 */
const FIRST_PORT = 20_000
const PORTS = 7_000
/** How long a program may take until it listens on its port. */
const SETTLING_MS = 60_000

/**
 * Hands out loopback ports that nobody listens on, one after the other from a random one on, so that a port comes again only after all the
 * others, and never within a minute. Rejects when there is none.
 */
export function createLoopbackPorts(options: {
  clock: Pick<Clock, 'now'>
  random: Random
  isFree?: (port: number) => Promise<boolean>
}): () => Promise<number> {
  const { clock, random, isFree = isPortFree } = options
  const handedOutMs = new Map<number, number>()
  let next = Math.floor(random.float() * PORTS)
  return async () => {
    for (let tried = 0; tried < PORTS; tried++) {
      const port = FIRST_PORT + next
      next = (next + 1) % PORTS
      const nowMs = clock.now()
      const beforeMs = handedOutMs.get(port)
      if (beforeMs !== undefined && nowMs - beforeMs < SETTLING_MS) continue
      // Taken before asking: another call may come in between.
      handedOutMs.set(port, nowMs)
      if (await isFree(port)) return port
    }
    throw new Error(`no free loopback port between ${FIRST_PORT} and ${FIRST_PORT + PORTS - 1}`)
  }
}

function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
