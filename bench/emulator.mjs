// An emulator of its own for one benchmark: a fresh home, free ports, gone afterwards.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
export const bin = join(root, 'bin', 'run.js')
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
export const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
export const row = (what, figure, target) => console.log(`${what.padEnd(58)} ${figure.padStart(26)}   target ${target}`)

/** Starts one; `kn(...)` runs the command line against it, `api(path)` asks its API over the socket. */
export function startEmulator({ name = 'bench', flags = [] } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'kn-bench-'))
  const env = { PATH: process.env.PATH, HOME: home, KN_EMULATOR: '1', NO_COLOR: '1' }
  const kn = (...args) => execFileSync(process.execPath, [bin, ...args], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  kn('emulator', 'start', '--name', name, ...flags)
  const status = () => JSON.parse(kn('emulator', 'status', '--name', name, '-o', 'json'))
  const { kubeconfig, directory, ports } = status()
  env.KUBECONFIG = kubeconfig
  const api = (path) =>
    new Promise((resolve, reject) => {
      request({ socketPath: join(directory, 'api.sock'), path, headers: { host: 'localhost' } }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text) => {
          body += text
        })
        response.on('end', () => resolve(JSON.parse(body)))
      })
        .on('error', reject)
        .end()
    })
  return {
    name,
    env,
    kn,
    status,
    ports,
    directory,
    api,
    stop() {
      try {
        kn('emulator', 'delete', '--name', name)
      } catch {
        // It never started.
      }
      rmSync(home, { recursive: true, force: true })
    },
  }
}
