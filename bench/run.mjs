// Prints how fast the program is, as ratios to a reference timed in the same run (this machine's `node -e 0`).
// Usage: npm run bench [-- --quick]. Figures and targets: bench/README.md.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const quick = process.argv.includes('--quick')
const runs = quick ? 3 : 21
const bin = join(dirname(fileURLToPath(import.meta.url)), '..', 'bin', 'run.js')
const home = mkdtempSync(join(tmpdir(), 'kn-bench-'))
const env = { PATH: process.env.PATH, HOME: home, KN_EMULATOR: '1', NO_COLOR: '1' }

const kn = (...args) => execFileSync(process.execPath, [bin, ...args], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

/** Wall time of one whole process, in milliseconds. */
function wallMs(args) {
  const startedMs = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const tookMs = performance.now() - startedMs
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`)
  return tookMs
}

/** The command and the reference in turn, so that a drift of the machine's speed hits both; the median of the ratios of the pairs. */
function against(args, reference = ['-e', '0']) {
  wallMs(args)
  wallMs(reference)
  const pairs = Array.from({ length: runs }, () => [wallMs(args), wallMs(reference)])
  return { ratio: median(pairs.map(([a, b]) => a / b)), ms: median(pairs.map(([a]) => a)), referenceMs: median(pairs.map(([, b]) => b)) }
}

const row = (what, figure, target) => console.log(`${what.padEnd(58)} ${figure.padStart(26)}   target ${target}`)
const ratioText = ({ ratio, ms }) => `${ratio.toFixed(2)}x  (${ms.toFixed(0)} ms)`

async function firstAnswerMs(url, sinceMs) {
  for (;;) {
    const ok = await new Promise((resolve) => {
      get(url.href.replace(url.hostname, '127.0.0.1'), { headers: { host: url.host } }, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode === 200))
      }).on('error', () => resolve(false))
    })
    if (ok) return performance.now() - sinceMs
  }
}

/** From the start of a kn process that creates a service to the first 200 from its URL, which is known beforehand. */
async function createToFirst200(name, external) {
  const url = new URL(`http://${name}.default.localhost:${external}`)
  const startedMs = performance.now()
  const child = spawn(process.execPath, [bin, 'service', 'create', name, '--image', 'ghcr.io/knative/helloworld-go', '--no-wait'], {
    env,
    stdio: 'ignore',
  })
  const tookMs = await firstAnswerMs(url, startedMs)
  if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
  return tookMs
}

try {
  kn('emulator', 'start', '--name', 'bench')
  const status = () => JSON.parse(kn('emulator', 'status', '--name', 'bench', '-o', 'json'))
  const running = status()
  env.KUBECONFIG = running.kubeconfig
  const reference = against(['-e', '0'])
  console.log(`node ${process.version}, ${runs} runs each, medians; reference: node -e 0 takes ${reference.ms.toFixed(1)} ms`)

  row('kn version / node -e 0', ratioText(against([bin, 'version'])), '<= 1.3x')
  kn('service', 'create', 'listed', '--image', 'ghcr.io/knative/helloworld-go')
  row('kn service list / node -e 0', ratioText(against([bin, 'service', 'list'])), '<= 2.0x')

  const createMs = []
  for (let round = 0; round < (quick ? 2 : 11); round++) createMs.push(await createToFirst200(`first${round}`, running.ports.external))
  row('kn service create (process included) to first 200', `${median(createMs).toFixed(0)} ms`, '<= 500 ms')

  const starts = []
  const references = []
  for (let round = 0; round < (quick ? 2 : 11); round++) {
    for (const name of kn('service', 'list', '-o', 'name').split('\n').filter(Boolean)) kn('service', 'delete', name.split('/')[1])
    kn('emulator', 'stop', '--name', 'bench')
    references.push(wallMs(['-e', '0']))
    const startedMs = performance.now()
    kn('emulator', 'start', '--name', 'bench')
    starts.push(performance.now() - startedMs)
  }
  const ratio = median(starts.map((ms, index) => ms / references[index]))
  row('kn emulator start, to API ready / node -e 0', `${ratio.toFixed(1)}x  (${median(starts).toFixed(0)} ms)`, '<= 10x')

  await new Promise((resolve) => setTimeout(resolve, quick ? 500 : 5000))
  const { pid } = status()
  const residentKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN)
  row('emulator, idle and empty: resident memory', `${(residentKb / 1024).toFixed(0)} MB`, '<= 120 MB')
} finally {
  try {
    kn('emulator', 'delete', '--name', 'bench')
  } catch {
    // It never started.
  }
  rmSync(home, { recursive: true, force: true })
}
