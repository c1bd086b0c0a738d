import { expect, test } from 'vitest'
import { authenticate, isPublicPath } from '../../../src/apiserver/auth/authenticate.js'
import { allowedHosts, guard } from '../../../src/apiserver/auth/guard.js'

const hosts = allowedHosts({ port: 19443 })

test.each(['localhost:19443', 'LOCALHOST:19443', '127.0.0.1:19443', '[::1]:19443', 'kubernetes.default.svc:19443', 'kubernetes:19443'])(
  'a request to %s is let in',
  (host) => {
    expect(guard(['Host', host], hosts)).toBeUndefined()
  },
)

test.each([
  'localhost',
  'localhost:19444',
  'evil.example:19443',
  'localhost.evil.example:19443',
  '127.0.0.1.nip.io:19443',
  '0.0.0.0:19443',
])('a request to %s is refused, whoever resolved that name to loopback', (host) => {
  expect(guard(['Host', host], hosts)).toMatchObject({ code: 403 })
})

test('a request without a Host, or with two, is malformed', () => {
  expect(guard([], hosts)).toMatchObject({ code: 400 })
  expect(guard(['Host', ''], hosts)).toMatchObject({ code: 400 })
  expect(guard(['Host', 'localhost:19443', 'host', 'evil.example'], hosts)).toMatchObject({ code: 400 })
})

test.each([
  ['Origin', 'https://evil.example'],
  ['Origin', 'http://localhost:19443'],
  ['Origin', 'https://localhost:3000'],
  ['Origin', 'null'],
  ['Sec-Fetch-Site', 'cross-site'],
  ['Sec-Fetch-Site', 'same-site'],
])('a page from elsewhere is refused by %s: %s', (name, value) => {
  expect(guard(['Host', 'localhost:19443', name, value], hosts)).toMatchObject({ code: 403 })
})

test('a handshake with a credential is no page’s: Python’s WebSockets make up an origin of our own address', () => {
  const handshake = ['Host', 'localhost:19443', 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', 'Authorization', 'Bearer sesame']
  expect(guard([...handshake, 'Origin', 'http://localhost:19443'], hosts)).toBeUndefined()
  for (const origin of ['http://evil.example', 'http://localhost', 'http://localhost:3000', 'null', 'ws://localhost:19443'])
    expect(guard([...handshake, 'Origin', origin], hosts)).toMatchObject({ code: 403 })
  for (const missing of [2, 4])
    expect(guard([...handshake.toSpliced(missing, 2), 'Origin', 'http://localhost:19443'], hosts)).toMatchObject({ code: 403 })
})

test('our own pages and an address typed in are let in', () => {
  expect(guard(['Host', 'localhost:19443', 'Origin', 'https://localhost:19443', 'Sec-Fetch-Site', 'same-origin'], hosts)).toBeUndefined()
  expect(guard(['Host', 'localhost:19443', 'Sec-Fetch-Site', 'none'], hosts)).toBeUndefined()
})

test('on the default port, and on a socket without one, the port may be left out', () => {
  expect(guard(['Host', 'localhost'], allowedHosts({ port: 443 }))).toBeUndefined()
  expect(guard(['Host', 'localhost'], allowedHosts({ port: 1, anyPort: true }))).toBeUndefined()
  expect(guard(['Host', 'evil.example'], allowedHosts({ port: 1, anyPort: true }))).toMatchObject({ code: 403 })
})

const nobody = { authorization: undefined, certificate: undefined }
const instance = { token: 'sesame' }

test('the bearer token of the instance is its administrator, any other is refused', () => {
  expect(authenticate({ ...nobody, authorization: 'Bearer sesame' }, instance)).toMatchObject({
    user: { name: 'kubernetes-admin', groups: expect.arrayContaining(['system:masters', 'system:authenticated']) },
  })
  for (const authorization of ['Bearer sesam', 'Bearer sesame1', 'Bearer ', 'Basic sesame', 'sesame', '', 'Bearer sesame sesame'])
    expect(authenticate({ ...nobody, authorization }, instance)).toEqual({ refused: true })
})

test('without a credential someone is anonymous, and an instance without a token lets no token in', () => {
  expect(authenticate(nobody, instance)).toEqual({ anonymous: true })
  expect(authenticate({ ...nobody, authorization: 'Bearer ' }, { token: '' })).toEqual({ refused: true })
})

test('a certificate of the instance names user and groups; a foreign one is refused even beside a good token', () => {
  const certificate = { verified: true, commonName: 'alice', organizations: ['staff', 'staff'] }
  expect(authenticate({ ...nobody, certificate }, instance)).toEqual({ user: { name: 'alice', groups: ['staff', 'system:authenticated'] } })
  expect(authenticate({ authorization: 'Bearer sesame', certificate: { ...certificate, verified: false } }, instance)).toEqual({
    refused: true,
  })
  expect(authenticate({ ...nobody, certificate: { ...certificate, commonName: '' } }, instance)).toEqual({ refused: true })
})

test('version and health are public, nothing else is', () => {
  expect(['/version', '/version/', '/healthz', '/livez', '/readyz'].every(isPublicPath)).toBe(true)
  expect(['/', '/api', '/versions', '/metrics', '/apis', '/healthzz', '/api/v1/version'].some(isPublicPath)).toBe(false)
})
