import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isPortFree } from '../../src/emulator/ports.js'
import { type Home, makeHome, processesWith, until } from '../support/daemon.js'
import { HELLO_IMAGE } from '../support/emulator.js'

const ROUNDS = process.env['KN_SOAK'] === 'full' ? 50 : 5
/** A killed emulator's workloads have this long to be gone. */
const GONE_MS = 5_000

let home: Home
beforeAll(async () => {
  home = makeHome({ KN_EMULATOR: '1' })
  const started = await home.kn(['emulator', 'start', ...(await home.portFlags())])
  expect(started).toMatchObject({ exitCode: 0 })
})
afterAll(async () => home.remove())

/**
 * Each round creates three services (two awaited until they are ready, one only until it is accepted), kills the emulator the hard
 * way, looks at what is left, and starts it again.
 */
test(`${ROUNDS} times killed: every acknowledged object is there, no workload is left, no port stays bound`, async () => {
  console.log(`${ROUNDS} rounds`)
  const { ports, directory } = await home.status()
  const { marker } = JSON.parse(readFileSync(join(directory, 'instance.json'), 'utf8')) as { marker: string }
  const acknowledged = new Set<string>()

  for (let round = 1; round <= ROUNDS; round++) {
    const names = [1, 2, 3].map((index) => `r${round}-${index}`)
    const created = await Promise.all(
      names.map((name, index) => home.kn(['service', 'create', name, '--image', HELLO_IMAGE, ...(index === 2 ? ['--no-wait'] : [])])),
    )
    for (const { exitCode, stderr } of created)
      expect({ exitCode, errors: stderr.match(/^Error.*/m) }).toEqual({ exitCode: 0, errors: null })
    for (const name of names) acknowledged.add(name)

    const { pid } = await home.status()
    expect(processesWith(marker).length).toBeGreaterThan(0)
    process.kill(pid, 'SIGKILL')
    await until(() => (processesWith(marker).length === 0 ? true : undefined), GONE_MS, `round ${round}: the end of every workload`)
    for (const port of Object.values(ports)) {
      await until(async () => ((await isPortFree(port)) ? true : undefined), GONE_MS, `round ${round}: port ${port} being free`)
    }

    expect(await home.kn(['emulator', 'start'])).toMatchObject({ exitCode: 0 })
    const listed = (await home.kn(['service', 'list', '-o', 'name'])).stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('/')[1]!)
    expect(new Set(listed)).toEqual(acknowledged)

    // Room for the next ones: a machine holds only so many processes.
    for (const name of names.slice(0, 2)) {
      expect(await home.kn(['service', 'delete', name, '--wait'])).toMatchObject({ exitCode: 0 })
      acknowledged.delete(name)
    }
    const [kept] = [...acknowledged]
    if (round % 5 === 0 && kept) {
      expect(await home.kn(['service', 'delete', kept])).toMatchObject({ exitCode: 0 })
      acknowledged.delete(kept)
    }
  }
})
