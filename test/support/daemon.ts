import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSystemClock } from '../../src/base/clock.js'
import type { InstanceStatus } from '../../src/cli/nouns/emulator.js'
import { BIN, type Ran, run } from './emulator.js'
import { testPorts } from './ports.js'

/** A home directory of its own, in which the built kn is run as a person would run it; emulators in it are real processes. */
export interface Home {
  directory: string
  env: NodeJS.ProcessEnv
  kn(args: readonly string[], extra?: { env?: NodeJS.ProcessEnv; input?: string }): Promise<Ran>
  /** Of a running instance. Throws when it does not run. */
  status(name?: string): Promise<Required<InstanceStatus>>
  /** `--…-port` flags with ports that are free now, for the first start of `default` beside another one of this machine. */
  portFlags(): Promise<string[]>
  /** Deletes every emulator that was started here, then the directory. */
  remove(): Promise<void>
}

/** `KN_EMULATOR=1` allows starting by itself although tests run where CI is set. */
export function makeHome(extra: NodeJS.ProcessEnv = {}): Home {
  const directory = mkdtempSync(join(tmpdir(), 'kn-home-'))
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: directory, ...extra }
  const names = new Set<string>(['default'])
  const kn: Home['kn'] = (args, more = {}) => {
    const at = args.indexOf('--name')
    if (at >= 0) names.add(args[at + 1]!)
    return run(process.execPath, [BIN, ...args], { ...env, ...more.env }, more.input === undefined ? {} : { input: more.input })
  }
  return {
    directory,
    env,
    kn,
    async status(name = 'default') {
      const { exitCode, stdout, stderr } = await kn(['emulator', 'status', '--name', name, '-o', 'json'])
      if (exitCode !== 0) throw new Error(`emulator status failed: ${stderr}`)
      return JSON.parse(stdout) as Required<InstanceStatus>
    },
    async portFlags() {
      const [control, external, clusterLocal] = await testPorts(3)
      return ['--control-port', String(control), '--external-port', String(external), '--cluster-local-port', String(clusterLocal)]
    },
    async remove() {
      for (const name of names) await kn(['emulator', 'delete', '--name', name])
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Process ids whose environment carries `word`: workloads and their children. Linux only. */
export function processesWith(word: string): number[] {
  const { readdirSync } = process.getBuiltinModule('node:fs')
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(word)
      } catch {
        return false
      }
    })
}

/** Asks again until `probe` returns something, or throws after `timeoutMs` with what it last said. */
export async function until<T>(probe: () => Promise<T | undefined> | T | undefined, timeoutMs = 20_000, what = 'it'): Promise<T> {
  const clock = createSystemClock()
  const deadlineMs = clock.now() + timeoutMs
  for (;;) {
    const found = await probe()
    if (found !== undefined && found !== false) return found
    if (clock.now() > deadlineMs) throw new Error(`${what} did not happen within ${timeoutMs} ms`)
    await clock.sleep(20)
  }
}
