import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { createSystemClock } from '../../../src/base/clock.js'
import { createSystemRandom } from '../../../src/base/random.js'
import { createImages } from '../../../src/images/images.js'
import { createLoopbackPorts } from '../../../src/runtime/loopback-ports.js'

const images = createImages({ programsDirectory: join(import.meta.dirname, '../../../dist/images'), nodePath: process.execPath })
const freePort = createLoopbackPorts({ clock: createSystemClock(), random: createSystemRandom() })

/** A built-in image as a process of its own. */
export interface Running {
  child: ChildProcess
  url: string
  /** stdout and stderr, as far as they have come. */
  output(): string
  exited: Promise<number | null>
}

/** Starts an image; it is killed when the test has ended. */
export async function run(reference: string, { env = {}, args }: { env?: Record<string, string>; args?: string[] } = {}): Promise<Running> {
  const answer = await images.resolve(reference)
  if ('problem' in answer) throw new Error(answer.problem)
  const [command, ...rest] = [...answer.image.entrypoint, ...(args ?? answer.image.args)]
  const port = await freePort()
  const child = spawn(command!, rest, { env: { PATH: process.env['PATH'], PORT: String(port), ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const parts: Buffer[] = []
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (part: Buffer) => parts.push(part))
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, url: `http://127.0.0.1:${port}`, output: () => Buffer.concat(parts).toString(), exited }
}

/** The same, once it answers. */
export async function serving(reference: string, env: Record<string, string> = {}): Promise<Running> {
  const running = await run(reference, { env })
  await vi.waitFor(() => fetch(`${running.url}/health`), { timeout: 10_000, interval: 5 })
  return running
}
