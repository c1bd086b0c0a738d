import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base } from 'vitest'
import { createControllableClock, createSystemClock, createVirtualClock, type VirtualClock } from '../../src/base/clock.js'
import { createLogger, createSilentLogger, type Logger } from '../../src/base/logger.js'
import { createSystemRandom } from '../../src/base/random.js'
import type { Client } from '../../src/client/client.js'
import { kubeconfigFor } from '../../src/emulator/access.js'
import { createCertificates } from '../../src/emulator/certificates.js'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.js'
import type { Ports } from '../../src/emulator/ports.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { testPorts } from './ports.js'

export const BIN = join(process.cwd(), 'bin', 'run.js')
export const HELLO_IMAGE = 'ghcr.io/knative/helloworld-go'

export interface Ran {
  exitCode: number
  stdout: string
  stderr: string
}

/** Runs a program to its end. Never throws for an exit code. */
export function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: { input?: string; cwd?: string; timeoutMs?: number } = {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd: options.cwd, timeout: options.timeoutMs ?? 60_000, stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (bytes) => {
      stdout += bytes
    })
    child.stderr.on('data', (bytes) => {
      stderr += bytes
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ exitCode: code ?? (signal ? 128 : -1), stdout, stderr }))
  })
}

/** One GET to a data listener on this machine, under any Host. */
export function fetchFrom(
  url: string,
  init: { headers?: Record<string, string>; method?: string; body?: string } = {},
): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> {
  const { hostname, port, pathname, search, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, path: pathname + search, method: init.method ?? 'GET', headers: { host, ...init.headers }, agent: false },
      (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (text) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }))
        response.on('error', reject)
      },
    )
    outgoing.on('error', (error) => reject(new Error(`${hostname}:${port}: ${error.message}`)))
    outgoing.end(init.body)
  })
}

export interface TestEmulator extends Emulator {
  kubeconfig: string
  /** Environment for programs that are to use this emulator: its kubeconfig and an empty home. */
  env: NodeJS.ProcessEnv
  directory: string
  certificates: Awaited<ReturnType<typeof createCertificates>>
  token: string
  /** In the environment of every workload. */
  marker: string
}

/** A whole emulator in this process, on free ports, with a state of its own; on a virtual clock when one is given. */
export async function startTestEmulator(
  options: { clock?: VirtualClock; ports?: Partial<Ports>; log?: Logger } = {},
): Promise<TestEmulator & { close(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'kn-test-'))
  const realClock = createSystemClock()
  const [control, external, clusterLocal, clusterLocalTls] = (await testPorts(4)) as [number, number, number, number]
  const ports = { control, external, clusterLocal, clusterLocalTls, ...options.ports }
  const certificates = await createCertificates({ instance: 'test', nowMs: realClock.now() })
  const random = createSystemRandom()
  const token = random.bytes(16).toString('hex')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const marker = random.bytes(16).toString('hex')
  const store = createMemoryStore({ freeze: true })
  const log =
    options.log ??
    (process.env['KN_TEST_LOG']
      ? createLogger({ clock: realClock, write: (line) => console.error(line), level: 'debug', format: 'text' })
      : createSilentLogger())
  const emulator = await startEmulator({
    store,
    ports,
    host: '127.0.0.1',
    certificates,
    token,
    serviceAccountKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    marker,
    workloadsDirectory: join(directory, 'workloads'),
    eventsFile: join(directory, 'events.db'),
    journalFile: join(directory, 'journal.db'),
    hostEnv: process.env,
    clock: options.clock ?? createControllableClock({ base: realClock }),
    realClock,
    random,
    log,
  })
  const kubeconfig = join(directory, 'kubeconfig')
  const access = { instance: 'test', context: 'kn-emulator-test', server: `https://127.0.0.1:${ports.control}`, socket: undefined, token }
  writeFileSync(kubeconfig, kubeconfigFor({ ...access, ...certificates }))
  const env = { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: kubeconfig }
  return {
    ...emulator,
    kubeconfig,
    env,
    directory,
    certificates,
    token,
    marker,
    async close() {
      await emulator.stop()
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export interface EmulatorFixtures {
  clock: VirtualClock
  emulator: TestEmulator
  client: Client
  /** The built bin as a child process, against this emulator. */
  kn(commandLine: string | readonly string[], input?: string): Promise<Ran>
}

/** Hands a test an emulator of its own. The virtual clock moves only when the test says so. */
export const test = base.extend<EmulatorFixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: vitest reads from this pattern which other fixtures one needs.
  clock: async ({}, use) => {
    await use(createVirtualClock({ startMs: Math.floor(createSystemClock().now() / 1000) * 1000 }))
  },
  emulator: async ({ clock }, use) => {
    const emulator = await startTestEmulator({ clock })
    await use(emulator)
    await emulator.close()
  },
  client: async ({ emulator }, use) => use(emulator.client),
  kn: async ({ emulator }, use) =>
    use((commandLine, input) =>
      run(
        process.execPath,
        [BIN, ...(typeof commandLine === 'string' ? commandLine.split(/\s+/) : commandLine)],
        emulator.env,
        input === undefined ? {} : { input },
      ),
    ),
})
