import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, connect as dial } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createSystemClock } from '../../../src/base/clock.js'
import { createServerCertificates } from '../../../src/emulator/certificates.js'

const PRELOAD = join(import.meta.dirname, '../../../dist/workload-preload.cjs')

/** A stand-in for the workload proxy: notes what connections begin with, and passes the rest on to one port. */
async function aTunnel(to: number): Promise<{ port: number; heads: string[] }> {
  const heads: string[] = []
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    let read = Buffer.alloc(0)
    const onData = (bytes: Buffer): void => {
      read = Buffer.concat([read, bytes])
      const end = read.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.off('data', onData)
      heads.push(read.toString('latin1', 0, end))
      const other = dial({ port: to, host: '127.0.0.1', allowHalfOpen: true })
      other.write(read.subarray(end + 4))
      socket.pipe(other).pipe(socket)
      other.on('error', () => socket.destroy())
    }
    socket.on('data', onData)
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, heads }
}

async function anEcho(): Promise<number> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (bytes) => {
      body += bytes
    })
    request.on('end', () => response.end(`${request.method} ${request.headers.host}${request.url} ${body}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** The same with TLS, for the name `web.shop.svc`; the authority to trust comes with it. */
async function aSecureEcho(): Promise<{ port: number; authority: string }> {
  const nowMs = createSystemClock().now()
  const [made] = await createServerCertificates({ authority: 'test', servers: [['web.shop.svc']], nowMs })
  const server = createSecureServer({ cert: made!.certificate, key: made!.key }, (request, response) => {
    request.resume().on('end', () => response.end(`${request.method} ${request.headers.host}${request.url}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, authority: made!.caCertificate }
}

/** The output of a module that Node runs behind the preload. */
function output(script: string, env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const args = ['--require', PRELOAD, '--input-type=module', '-e', script]
    const child = spawn(process.execPath, args, { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes) => {
        text += bytes
      })
    child.once('error', reject)
    child.once('close', () => resolve(text))
  })
}

/** Tells that a name is looked up, without doing so. */
const resolving = (name: string): string =>
  `;(await import('node:net')).connect({ host: '${name}', port: 1, lookup: (host, options, done) => done(new Error(host + ' is asked for')) })
    .on('error', ({ message }) => console.log(message))`

test.each([
  ['fetch', `console.log(await (await fetch(url, { method: 'POST', body: 'hi' })).text())`, 'POST web.shop.svc:8080/x hi\n'],
  [
    'http.request with an agent that keeps connections',
    `import { Agent, request } from 'node:http'
     const agent = new Agent({ keepAlive: true })
     for (const body of ['1', '2']) await new Promise((resolve, reject) => {
       const outgoing = request(url, { agent, method: 'PUT' }, (response) => {
         response.on('data', (bytes) => console.log(String(bytes))).on('end', resolve)
       }).on('error', reject)
       outgoing.end(body)
     })
     agent.destroy()`,
    'PUT web.shop.svc:8080/x 1\nPUT web.shop.svc:8080/x 2\n',
  ],
  [
    'net.connect(port, host, callback)',
    `import { connect } from 'node:net'
     const socket = connect(8080, 'web.shop.svc', () => socket.end('GET /x HTTP/1.0\\r\\nHost: me\\r\\n\\r\\n'))
     socket.on('data', (bytes) => console.log(String(bytes).split('\\r\\n\\r\\n')[1]))`,
    'GET me/x \n',
  ],
])('a name inside the cluster is reached with %s', async (_how, script, expected) => {
  const { port, heads } = await aTunnel(await anEcho())
  const url = `const url = 'http://web.shop.svc:8080/x'\n`
  const text = await output(url + script, { KN_LOCAL_PROXY: `http://shop:secret@127.0.0.1:${port}` })
  expect(text).toBe(expected)
  expect(heads).toEqual([
    `CONNECT web.shop.svc:8080 HTTP/1.1\r\nHost: web.shop.svc:8080\r\nProxy-Authorization: Basic ${btoa('shop:secret')}\r\nkn-local-silent: 1`,
  ])
})

test('names below localhost are this machine, and all others are none of its business', async () => {
  const port = await anEcho()
  const tunnel = await aTunnel(port)
  const script = `for (const host of ['hello.default.localhost', '127.0.0.1', 'localhost'])
    console.log(await (await fetch('http://' + host + ':${port}/')).text())
  ${resolving('example.com')}`
  const text = await output(script, { KN_LOCAL_PROXY: `http://shop:secret@127.0.0.1:${tunnel.port}` })
  const [last, ...lines] = text.trimEnd().split('\n').reverse()
  expect(lines.reverse().map((line) => line.trimEnd())).toEqual([
    `GET hello.default.localhost:${port}/`,
    `GET 127.0.0.1:${port}/`,
    `GET localhost:${port}/`,
  ])
  expect(last).toBe('example.com is asked for')
  expect(tunnel.heads).toEqual([])
})

test('without a proxy nothing changes', async () => {
  expect(await output(resolving('web.shop.svc'), {})).toBe('web.shop.svc is asked for\n')
})

test.each([
  ['fetch', `console.log(await (await fetch('https://web.shop.svc/x', { method: 'POST', body: 'hi' })).text())`, 'POST web.shop.svc/x\n'],
  [
    'https.request',
    `import { request } from 'node:https'
     request('https://web.shop.svc/x', { agent: false }, (response) => response.on('data', (bytes) => console.log(String(bytes)))).end()`,
    'GET web.shop.svc/x\n',
  ],
  [
    'tls.connect(port, host, options, callback)',
    `import { connect } from 'node:tls'
     const socket = connect(443, 'web.shop.svc', { servername: 'web.shop.svc' }, () => socket.end('GET /x HTTP/1.0\\r\\nHost: me\\r\\n\\r\\n'))
     socket.on('data', (bytes) => console.log(String(bytes).split('\\r\\n\\r\\n')[1]))`,
    'GET me/x\n',
  ],
])('%s reaches a name inside the cluster with TLS, whose certificate it checks itself', async (_, script, expected) => {
  const { port, authority } = await aSecureEcho()
  const tunnel = await aTunnel(port)
  const file = join(mkdtempSync(join(tmpdir(), 'kn-preload-')), 'ca.crt')
  onTestFinished(() => rmSync(dirname(file), { recursive: true }))
  writeFileSync(file, authority)
  const env = { KN_LOCAL_PROXY: `http://default:secret@127.0.0.1:${tunnel.port}` }
  expect(await output(script, { ...env, NODE_EXTRA_CA_CERTS: file })).toBe(expected)
  expect(tunnel.heads[0]).toMatch(/^CONNECT web\.shop\.svc:443 HTTP\/1\.1\r\n/)
  expect(await output(script, env)).toMatch(/unable to verify|UNABLE_TO_VERIFY/)
})
