import { readFileSync } from 'node:fs'
import { Agent, type RequestOptions, request } from 'node:https'
import { connect } from 'node:tls'
import { expect, onTestFinished } from 'vitest'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { type TestEmulator, test } from '../support/emulator.js'

const PODS = '/api/v1/namespaces/default/pods'

function ask(
  emulator: TestEmulator,
  options: RequestOptions,
): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]>; localPort: number | undefined }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: emulator.ports.control,
        ca: emulator.certificates.caCertificate,
        path: PODS,
        agent: false,
        servername: 'localhost',
        ...options,
      },
      (response) => {
        const { localPort } = response.socket
        let body = ''
        response.on('data', (bytes) => {
          body += bytes
        })
        response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers, localPort }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}

test('the API answers nobody without a credential, and health and version to anybody', async ({ emulator }) => {
  expect(await ask(emulator, {})).toMatchObject({ status: 401, body: expect.stringContaining('"reason":"Unauthorized"') })
  expect((await ask(emulator, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401)
  expect((await ask(emulator, { path: '/version' })).status).toBe(200)
  expect((await ask(emulator, { path: '/readyz' })).status).toBe(200)
  expect((await ask(emulator, { headers: { authorization: `Bearer ${emulator.token}` } })).status).toBe(200)
  const { clientCertificate: cert, clientKey: key } = emulator.certificates
  expect((await ask(emulator, { cert, key })).status).toBe(200)
})

test('every request on a connection shows who it is from, whoever asked before', async ({ emulator }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  const ports = new Set<number | undefined>()
  const statusFor = async (token: string | undefined, more: Record<string, string> = {}): Promise<number> => {
    const headers = { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...more }
    const { status, localPort } = await ask(emulator, { agent, headers })
    ports.add(localPort)
    return status
  }
  expect(await statusFor(emulator.token)).toBe(200)
  expect(await statusFor(emulator.token)).toBe(200)
  expect(await statusFor('wrong')).toBe(401)
  expect(await statusFor(`${emulator.token}x`)).toBe(401)
  expect(await statusFor(undefined)).toBe(401)
  expect(await statusFor(emulator.token, { 'impersonate-user': 'nobody' })).toBe(403)
  expect(await statusFor(emulator.token)).toBe(200)
  expect(ports.size).toBe(1)
})

test('a web page gets nothing out of the API, even with the credential', async ({ emulator }) => {
  const authorization = `Bearer ${emulator.token}`
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { host: 'evil.example' },
    { host: `evil.localhost:${emulator.ports.control}` },
    { host: '127.0.0.1' },
    { host: '127.0.0.1:80' },
  ]) {
    const { status, headers: answered } = await ask(emulator, { headers: { authorization, ...headers } })
    expect({ headers, status }).toEqual({ headers, status: 403 })
    expect(answered['access-control-allow-origin']).toBeUndefined()
  }
  const preflight = await ask(emulator, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
  })
  expect(preflight.headers['access-control-allow-origin']).toBeUndefined()
  expect(preflight.status).toBe(403)
})

test('upgrades are guarded like everything else', async ({ emulator }) => {
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  }
  const { status } = await ask(emulator, {
    headers: { ...upgrade, authorization: `Bearer ${emulator.token}`, origin: 'https://evil.example' },
  })
  expect(status).toBe(403)
})

test('rubbish on the control port is a 4xx or a closed connection, and the server lives on', async ({ emulator }) => {
  for (const text of [
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
    '\0\0\0\0\r\n\r\n',
    'GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n',
  ]) {
    const answered = await new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: emulator.ports.control, ca: emulator.certificates.caCertificate }, () =>
        socket.write(text),
      )
      let got = ''
      socket.on('data', (bytes) => {
        got += bytes
        socket.end()
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(got))
    })
    expect(answered === '' || /^HTTP\/1\.1 4\d\d /.test(answered), answered).toBe(true)
  }
  expect((await ask(emulator, { path: '/livez' })).status).toBe(200)
})

test('every port the emulator listens on is a loopback one', async ({ client, emulator }) => {
  // With TLS it listens on one more.
  const features = { namespace: 'knative-eventing', name: 'config-features' }
  const body = { data: { 'transport-encryption': 'permissive' } }
  await client.patch(configMapKind, features, { type: 'application/merge-patch+json', body })
  await emulator.settled()
  const listening = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state]) => state === '0A')
      .map(([, local]) => local!.split(':') as [string, string]),
  )
  for (const port of Object.values(emulator.ports)) {
    const addresses = listening.filter(([, text]) => Number.parseInt(text, 16) === port).map(([address]) => address)
    expect({ port, addresses }).toEqual({ port, addresses: ['0100007F'] })
  }
})
