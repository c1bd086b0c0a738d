import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSystemClock } from '../../../src/base/clock.js'
import { exchangeWhole } from '../../../src/client/exchange.js'
import { createHttpsExchange, type TlsSettings } from '../../../src/client/https-exchange.js'
import { certificatesOf, isPlainlyTrusted } from '../../../src/client/tls-verification.js'
import { createCertificates, type InstanceCertificates } from '../../../src/emulator/certificates.js'
import { json, startFakeApiServer } from './fake-api-server.js'

let own: InstanceCertificates
let foreign: InstanceCertificates
let directory: string
const clock = createSystemClock()

beforeAll(async () => {
  own = await createCertificates({ instance: 'own', nowMs: clock.now() })
  foreign = await createCertificates({ instance: 'foreign', nowMs: clock.now() })
  directory = mkdtempSync(join(tmpdir(), 'kn-tls-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Asks a TLS server with this certificate; resolves to the status or the code of the error, and how often it was asked. */
async function asked(
  served: { key: string; cert: string },
  tls: TlsSettings,
  { host = '127.0.0.1', requestCert = false }: { host?: string; requestCert?: boolean } = {},
) {
  const server = await startFakeApiServer((_, response) => json(response, 200, { ok: true }), {
    tls: { ...served, ca: own.caCertificate, requestCert },
  })
  try {
    const exchange = createHttpsExchange({ server: `https://${host}:${server.port}`, tls, clock })
    const result = await exchangeWhole(exchange, { method: 'GET', path: '/', headers: { Host: 'x' } }).then(
      ({ status }) => status,
      (error: NodeJS.ErrnoException) => error.code,
    )
    return { result, requests: server.asked.length }
  } finally {
    await server.close()
  }
}
const served = () => ({ key: own.serverKey, cert: own.serverCertificate })

test('a certificate of the CA in the kubeconfig is trusted, by address and by name', async () => {
  expect(await asked(served(), { ca: own.caCertificate })).toEqual({ result: 200, requests: 1 })
  expect(await asked(served(), { ca: own.caCertificate }, { host: 'localhost' })).toEqual({ result: 200, requests: 1 })
  expect(await asked(served(), { ca: `${foreign.caCertificate}\n${own.caCertificate}` })).toEqual({ result: 200, requests: 1 })
})

test('the plain case is judged without OpenSSL, and nothing else is let through', async () => {
  const server = createServer(served()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ca: [], rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const leaf = socket.getPeerX509Certificate()
  const judge = (ca: string, host: string, nowMs = clock.now()): boolean => isPlainlyTrusted(leaf, certificatesOf(ca), host, nowMs)
  expect(judge(own.caCertificate, '127.0.0.1')).toBe(true)
  expect(judge(foreign.caCertificate + own.caCertificate, 'localhost')).toBe(true)
  expect(judge(foreign.caCertificate, '127.0.0.1')).toBe(false)
  expect(judge(own.serverCertificate, '127.0.0.1')).toBe(false)
  expect(judge(own.caCertificate, '127.0.0.2')).toBe(false)
  expect(judge(own.caCertificate, 'example.com')).toBe(false)
  expect(judge(own.caCertificate, '127.0.0.1', clock.now() + 20 * 365 * 86_400_000)).toBe(false)
  expect(judge(own.caCertificate, '127.0.0.1', clock.now() - 20 * 365 * 86_400_000)).toBe(false)
  socket.destroy()
  server.close()
})

test('a certificate of any other CA is refused before anything is sent', async () => {
  const { result, requests } = await asked(served(), { ca: foreign.caCertificate })
  expect(result).toMatch(/UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SELF_SIGNED/)
  expect(requests).toBe(0)
  expect((await asked(served(), {})).requests).toBe(0)
})

test('a CA of the same name with another key is refused', async () => {
  const impostor = await createCertificates({ instance: 'own', nowMs: clock.now() })
  expect(await asked(served(), { ca: impostor.caCertificate })).toMatchObject({ result: expect.any(String), requests: 0 })
})

test("a client's certificate does not pass as a server's", async () => {
  expect(await asked({ key: own.clientKey, cert: own.clientCertificate }, { ca: own.caCertificate })).toMatchObject({
    result: expect.any(String),
    requests: 0,
  })
})

test('a certificate for another name is refused, and tls-server-name says which name is meant', async () => {
  expect(await asked(served(), { ca: own.caCertificate, serverName: 'elsewhere.example.com' })).toEqual({
    result: 'ERR_TLS_CERT_ALTNAME_INVALID',
    requests: 0,
  })
  expect(await asked(served(), { ca: own.caCertificate, serverName: 'kubernetes' })).toEqual({ result: 200, requests: 1 })
})

test('an expired certificate is refused', async () => {
  const past = await createCertificates({ instance: 'past', nowMs: clock.now() - 20 * 365 * 86_400_000 })
  expect(await asked({ key: past.serverKey, cert: past.serverCertificate }, { ca: past.caCertificate })).toMatchObject({
    result: 'CERT_HAS_EXPIRED',
    requests: 0,
  })
})

test('insecure-skip-tls-verify takes any certificate', async () => {
  expect(await asked(served(), { insecure: true })).toEqual({ result: 200, requests: 1 })
})

test('a client certificate is shown to the server', async () => {
  const tls = { ca: own.caCertificate, cert: own.clientCertificate, key: own.clientKey }
  expect(await asked(served(), tls, { requestCert: true })).toEqual({ result: 200, requests: 1 })
  expect(await asked(served(), { ca: own.caCertificate }, { requestCert: true })).toMatchObject({ requests: 0 })
})

test('a chain with an intermediate is left to OpenSSL, which trusts it', async () => {
  const at = (name: string): string => join(directory, name)
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  writeFileSync(at('ca.ext'), 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n')
  writeFileSync(at('leaf.ext'), 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'root.key', '-out', 'root.crt', '-subj', '/CN=root', '-days', '2')
  for (const [name, issuer, extensions] of [
    ['middle', 'root', 'ca.ext'],
    ['leaf', 'middle', 'leaf.ext'],
  ] as const) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      `${issuer}.crt`,
      '-CAkey',
      `${issuer}.key`,
      '-CAcreateserial',
      '-out',
      `${name}.crt`,
      '-extfile',
      extensions,
      '-days',
      '2',
    )
  }
  const text = (name: string): string => readFileSync(at(name), 'utf8')
  const chain = { key: text('leaf.key'), cert: text('leaf.crt') + text('middle.crt') }
  expect(await asked(chain, { ca: text('root.crt') })).toEqual({ result: 200, requests: 1 })
  expect(await asked({ ...chain, cert: text('leaf.crt') }, { ca: text('root.crt') })).toMatchObject({ requests: 0 })
})
