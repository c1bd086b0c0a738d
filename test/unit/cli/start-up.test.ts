import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { json, startFakeApiServer } from '../client/fake-api-server.js'
import { emulatorKubeconfig } from '../client/kubeconfigs.js'
import { runKn } from './run-kn.js'

const home = mkdtempSync(join(tmpdir(), 'kn-start-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const HEAVY = ['tls', 'https', 'http', 'net', 'crypto', 'child_process', 'worker_threads', 'http2', 'dns']

async function heavyModules(argv: string[], env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const file = join(home, 'loaded')
  const { exitCode } = await runKn(argv, { HOME: home, LOADED_FILE: file, ...env }, [
    '--require',
    join(import.meta.dirname, 'loaded-probe.cjs'),
  ])
  expect(exitCode).toBe(0)
  const loaded = readFileSync(file, 'utf8').split('\n')
  return HEAVY.filter((name) => loaded.includes(name))
}

test('version and help load nothing of the network', async () => {
  expect(await heavyModules(['version', '-o', ''])).toEqual([])
  expect(await heavyModules(['service', '--help'])).toEqual([])
  expect(await heavyModules(['service', 'list', '--help'])).toEqual([])
})

test("a list over the emulator's socket loads neither TLS nor Node's HTTP client", async () => {
  const socket = join(home, 'api.sock')
  const server = await startFakeApiServer((_, response) => json(response, 200, { kind: 'ServiceList', metadata: {}, items: [] }), {
    socket,
  })
  const kubeconfig = join(home, 'kubeconfig')
  writeFileSync(kubeconfig, emulatorKubeconfig({ socket }))
  try {
    expect(await heavyModules(['service', 'list'], { KUBECONFIG: kubeconfig })).toEqual(['net'])
  } finally {
    await server.close()
  }
})

test('the first run leaves compiled code in a private directory, and a damaged or foreign file there does no harm', async () => {
  const cache = join(home, 'cache')
  const env = { HOME: home, XDG_CACHE_HOME: cache }
  const directory = join(cache, 'kn-local')
  const first = await runKn(['version', '-o', 'json'], env)
  const [file] = readdirSync(directory)
  expect(file).toMatch(/^code-[0-9a-f]{20}-v\d+\.\d+\.\d+-\w+-version\.json$/)
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(statSync(join(directory, file!)).mode & 0o777).toBe(0o600)

  writeFileSync(join(directory, file!), 'not compiled code')
  expect(await runKn(['version', '-o', 'json'], env)).toEqual(first)
  expect(statSync(join(directory, file!)).size).toBeGreaterThan(1000)
  expect(await runKn(['version', '-o', 'json'], env)).toEqual(first)
})

test('a cache directory that cannot be made costs nothing but time', async () => {
  writeFileSync(join(home, 'a-file'), '')
  expect(await runKn(['version', '-o', 'json'], { HOME: home, XDG_CACHE_HOME: join(home, 'a-file') })).toMatchObject({
    exitCode: 0,
    stderr: '',
  })
})

test('the quick way to `kn version` says what the command says, and leaves the first run to it', async () => {
  const fresh = mkdtempSync(join(tmpdir(), 'kn-fresh-'))
  try {
    const slow = await runKn(['version'], { HOME: fresh })
    const config = join(fresh, '.config', 'kn', 'config.yaml')
    expect(existsSync(config)).toBe(true)
    expect(statSync(config).mode & 0o777).toBe(0o600)
    expect(await runKn(['version'], { HOME: fresh })).toEqual(slow)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
})
