// From a request to a service at zero to its first byte, beyond the time the program itself takes from its start until it listens.
// Usage: npm run bench:cold-start [-- --quick]
import { spawn } from 'node:child_process'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { median, root, row, startEmulator } from './emulator.mjs'

const rounds = process.argv.includes('--quick') ? 2 : 60
const program = join(root, 'dist', 'images', 'helloworld.cjs')

/** Spawn to the first connection that is taken, asked for every half millisecond. */
async function ownMs(port) {
  const startedMs = performance.now()
  const child = spawn(process.execPath, [program], { env: { PATH: process.env.PATH, PORT: String(port) }, stdio: 'ignore' })
  try {
    for (;;) {
      const isOpen = await new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
        socket.on('connect', () => socket.destroy())
      })
      if (isOpen) return performance.now() - startedMs
      await new Promise((resolve) => setTimeout(resolve, 0.5))
    }
  } finally {
    child.kill('SIGKILL')
  }
}

function firstByteMs(port, host) {
  const startedMs = performance.now()
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, headers: { host }, agent: false }, (response) => {
      response.resume()
      if (response.statusCode === 200) resolve(performance.now() - startedMs)
      else reject(new Error(`answered ${response.statusCode}`))
    })
      .on('error', reject)
      .end()
  })
}

const emulator = startEmulator({ name: 'cold', flags: ['--clock', 'virtual'] })
try {
  emulator.kn('service', 'create', 'hello', '--image', 'ghcr.io/knative/helloworld-go')
  const host = `hello.default.localhost:${emulator.ports.external}`
  const pods = async () => (await emulator.api('/api/v1/namespaces/default/pods')).items.length
  const pairs = []
  for (let round = 0; round <= rounds; round++) {
    emulator.kn('emulator', 'clock', 'advance', '3m')
    while ((await pods()) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    // What was written on the way down is done with.
    await new Promise((resolve) => setTimeout(resolve, 200))
    const own = await ownMs(29000 + round)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const cold = await firstByteMs(emulator.ports.external, host)
    // The first round warms up.
    if (round > 0) pairs.push([cold, own])
  }
  const beyond = median(pairs.map(([cold, own]) => cold - own))
  console.log(`node ${process.version}, ${rounds} rounds, medians`)
  row(
    'cold start, 0 to first byte, beyond spawn to listen',
    `${beyond.toFixed(1)} ms  (${median(pairs.map(([a]) => a)).toFixed(1)}, ${median(pairs.map(([, b]) => b)).toFixed(1)})`,
    '<= 20 ms',
  )
} finally {
  emulator.stop()
}
