// The gateway against nginx (1 worker, keep-alive upstream), both in front of the same Pod: saturation at 50 connections, small and
// 100 KB answers, and an open loop at half the gateway's own peak. Needs nginx, wrk and h2load (Debian's nginx-light, wrk, nghttp2-client).
// Usage: npm run bench:gateway [-- --quick]
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, percentile, row, startEmulator } from './emulator.mjs'

const quick = process.argv.includes('--quick')
const [rounds, seconds] = quick ? [1, 1] : [5, 6]
for (const [program, flag] of [
  ['nginx', '-v'],
  ['wrk', '-v'],
  ['h2load', '--version'],
]) {
  if (spawnSync(program, [flag]).error) {
    console.error(`${program} is needed: apt-get install nginx-light wrk nghttp2-client`)
    process.exit(1)
  }
}

const LARGE = 100 * 1024
const SERVER = `const big = Buffer.alloc(${LARGE}, 'x'), small = Buffer.from('Hello World!\\n')
require('node:http').createServer((q, r) => { const b = q.url === '/large' ? big : small; r.setHeader('content-length', b.length); r.end(b) }).listen(process.env.PORT, '127.0.0.1')`

const emulator = startEmulator({ name: 'gateway' })
const scratch = mkdtempSync(join(tmpdir(), 'kn-nginx-'))
let nginx
try {
  const service = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'hello' },
    spec: {
      template: {
        metadata: { annotations: { 'autoscaling.knative.dev/min-scale': '1', 'autoscaling.knative.dev/max-scale': '1' } },
        spec: { containers: [{ image: 'kn.local/shell', command: [process.execPath, '-e', SERVER] }] },
      },
    },
  }
  const file = join(scratch, 'service.json')
  writeFileSync(file, JSON.stringify(service))
  emulator.kn('service', 'create', '-f', file)
  const [pod] = (await emulator.api('/api/v1/namespaces/default/pods')).items
  const backend = Number(Object.values(JSON.parse(pod.metadata.annotations['kn-local.dev/ports']))[0])

  const port = 20000 + Math.floor(Math.random() * 10000)
  writeFileSync(
    join(scratch, 'nginx.conf'),
    `worker_processes 1; pid ${scratch}/pid; error_log ${scratch}/error.log; daemon off; events { worker_connections 1024; }
http { access_log off; client_body_temp_path ${scratch}/b; proxy_temp_path ${scratch}/p; fastcgi_temp_path ${scratch}/f; uwsgi_temp_path ${scratch}/u; scgi_temp_path ${scratch}/s;
 upstream pod { server 127.0.0.1:${backend}; keepalive 100; keepalive_requests 100000000; }
 server { listen 127.0.0.1:${port}; keepalive_requests 100000000; location / { proxy_pass http://pod; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; } } }`,
  )
  nginx = spawn('nginx', ['-c', join(scratch, 'nginx.conf'), '-p', scratch], { stdio: 'ignore' })
  const host = `hello.default.localhost:${emulator.ports.external}`
  const targets = { nginx: port, gateway: emulator.ports.external }
  for (let tries = 0; tries < 100 && spawnSync('curl', ['-sf', `http://127.0.0.1:${port}/`]).status !== 0; tries++)
    spawnSync('sleep', ['0.05'])

  const saturate = (to, path) => {
    const text = execFileSync(
      'wrk',
      ['-t1', '-c50', `-d${seconds}s`, '--latency', '-H', `Host: ${host}`, `http://127.0.0.1:${to}${path}`],
      { encoding: 'utf8' },
    )
    if (/Non-2xx|Socket errors/.test(text)) throw new Error(text)
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(text)[1])
  }
  const compare = (path) => {
    saturate(targets.gateway, path)
    const pairs = Array.from({ length: rounds }, () => [saturate(targets.gateway, path), saturate(targets.nginx, path)])
    return { gateway: median(pairs.map(([a]) => a)), nginx: median(pairs.map(([, b]) => b)), ratio: median(pairs.map(([a, b]) => a / b)) }
  }
  const text = ({ gateway, nginx: reference, ratio }) =>
    `${ratio.toFixed(2)}x  (${(gateway / 1000).toFixed(1)}k, ${(reference / 1000).toFixed(1)}k/s)`
  console.log(`node ${process.version}, ${rounds} rounds of ${seconds} s each way, 50 connections, medians; both before the same Pod`)
  const small = compare('/')
  row('gateway / nginx, small answers, saturation', text(small), '>= 0.8x')
  row('gateway / nginx, 100 KB answers, saturation', text(compare('/large')), '>= 1.0x')

  // h2load sends on a schedule of its own; its log has one line a request: start, status, microseconds.
  const openLoop = (to) => {
    const log = join(scratch, 'open-loop.log')
    rmSync(log, { force: true })
    const perClient = Math.floor(small.gateway / 2 / 50)
    const flags = [
      '--h1',
      '-t1',
      '-c50',
      `--rps=${perClient}`,
      '-D',
      String(quick ? 1 : seconds),
      `--connect-to=127.0.0.1:${to}`,
      `--log-file=${log}`,
    ]
    execFileSync('h2load', [...flags, `http://${host}/`], { stdio: 'ignore' })
    const lines = readFileSync(log, 'utf8').trim().split('\n')
    // The first tenth is warm-up.
    const measured = lines.slice(Math.floor(lines.length / 10)).map((line) => line.split('\t').map(Number))
    const sorted = measured.map(([, , microseconds]) => microseconds / 1000).sort((a, b) => a - b)
    return {
      p99: percentile(sorted, 0.99),
      failures: measured.filter(([, status]) => status !== 200).length,
      rate: lines.length / (quick ? 1 : seconds),
    }
  }
  const loops = Array.from({ length: rounds }, () => [openLoop(targets.gateway), openLoop(targets.nginx)])
  const p99 = (index) => median(loops.map((pair) => pair[index].p99))
  const failures = loops.flat().reduce((sum, loop) => sum + loop.failures, 0)
  row(
    `open loop at ${(small.gateway / 2000).toFixed(1)}k/s: p99 added over nginx`,
    `${(p99(0) - p99(1)).toFixed(2)} ms  (${p99(0).toFixed(2)}, ${p99(1).toFixed(2)})`,
    '<= 2 ms',
  )
  if (failures > 0) throw new Error(`${failures} requests of the open loop failed`)
} finally {
  nginx?.kill()
  emulator.stop()
  rmSync(scratch, { recursive: true, force: true })
}
