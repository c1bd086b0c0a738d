import { statSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { expect, test } from 'vitest'
import { aWidget } from '../support.js'
import { type Answer, allowEverything, anHttpWorld, TOKEN, tls } from './support.js'

const widgets = '/apis/shop.example.dev/v1/namespaces/shop/widgets'
const bearer = { Authorization: `Bearer ${TOKEN}` }

test('an object can be created, read, changed and deleted, with the codes and headers of an API server', async () => {
  const { http } = await anHttpWorld()
  const created = await http(widgets, { method: 'POST', body: aWidget('a', { size: 1 }) })
  expect(created.status).toBe(201)
  expect(created.headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
    'content-length': String(Buffer.byteLength(created.body)),
    'audit-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
  const object = created.json()
  const updated = await http(`${widgets}/a`, { method: 'PUT', body: { ...object, spec: { size: 2 } } })
  expect([updated.status, updated.json()]).toMatchObject([200, { spec: { size: 2 }, metadata: { generation: 2 } }])
  const patched = await http(`${widgets}/a/status`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/merge-patch+json' },
    body: { status: { phase: 'Ready' } },
  })
  expect(patched.json()).toMatchObject({ status: { phase: 'Ready' }, spec: { size: 2 } })
  expect((await http(`${widgets}/a`)).json()).toEqual(patched.json())
  const deleted = await http(`${widgets}/a`, { method: 'DELETE', body: { kind: 'DeleteOptions', propagationPolicy: 'Background' } })
  expect([deleted.status, deleted.json()]).toMatchObject([200, { kind: 'Status', status: 'Success', details: { name: 'a' } }])
  expect((await http(`${widgets}/a`)).status).toBe(404)
})

test('a refusal is a Status with the code of the answer', async () => {
  const { http } = await anHttpWorld()
  const missing = await http(`${widgets}/ghost`)
  expect(missing.status).toBe(404)
  expect(missing.json()).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'widgets.shop.example.dev "ghost" not found',
    reason: 'NotFound',
    details: { name: 'ghost', group: 'shop.example.dev', kind: 'widgets' },
    code: 404,
  })
  const noReason = await http(widgets, { method: 'POST', body: aWidget('a', {}, { resourceVersion: '5' }) })
  expect(noReason.status).toBe(500)
  expect(noReason.json()).not.toHaveProperty('reason')
  const later = await http(`${widgets}?resourceVersion=999`)
  expect([later.status, later.headers['retry-after']]).toEqual([504, '1'])
})

test.each([
  ['POST', `${widgets}/a`, 405],
  ['PUT', widgets, 405],
  ['OPTIONS', widgets, 405],
  ['GET', '/apis/shop.example.dev/v1/gadgets', 404],
  ['GET', '/apis/shop.example.dev/v1/widgets/a', 404],
  ['GET', '/api/v1/namespaces/shop/namespaces', 404],
  ['GET', '/nowhere', 404],
  ['GET', `${widgets}/%E0%A4%A`, 400],
  ['GET', `${widgets}?limit=many`, 400],
  ['POST', `${widgets}?dryRun=Some`, 422],
  ['POST', `${widgets}?fieldValidation=Maybe`, 422],
  ['DELETE', '/api/v1/namespaces', 405],
  ['POST', '/version', 405],
])('%s %s is answered with %d', async (method, path, code) => {
  const { http } = await anHttpWorld()
  const answer = await http(path, { method, ...(method === 'GET' ? {} : { body: aWidget('a') }) })
  expect(answer.status).toBe(code)
  expect(answer.json()).toMatchObject({ kind: 'Status', code })
})

test('lists of custom resources keep the type of each item, lists of built-in kinds leave it out', async () => {
  const { http } = await anHttpWorld()
  await http(widgets, { method: 'POST', body: aWidget('a') })
  const custom = (await http(widgets)).json<{ items: object[] }>()
  expect(custom).toMatchObject({
    kind: 'WidgetList',
    apiVersion: 'shop.example.dev/v1',
    items: [{ kind: 'Widget', metadata: { name: 'a' } }],
  })
  await http('/api/v1/namespaces/shop/notes', { method: 'POST', body: { metadata: { name: 'n' }, data: { a: 'b' } } })
  const builtIn = (await http('/api/v1/notes')).json<{ items: object[] }>()
  expect(builtIn.items).toEqual([{ metadata: expect.objectContaining({ name: 'n' }), data: { a: 'b' } }])
  expect((await http('/api/v1/namespaces/elsewhere/notes')).body).toContain('"items":[]')
})

test('kubectl gets tables and metadata clients get metadata', async () => {
  const { http, clock } = await anHttpWorld()
  await http(widgets, { method: 'POST', body: aWidget('a') })
  await clock.advance(90_000)
  const Accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'
  const table = await http(widgets, { headers: { Accept } })
  expect(table.headers['content-type']).toBe('application/json')
  expect(table.json()).toMatchObject({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    columnDefinitions: [{ name: 'Name' }, { name: 'Phase' }],
    rows: [{ cells: ['a', null], object: { kind: 'PartialObjectMetadata' } }],
  })
  const one = await http(`${widgets}/a?includeObject=Object`, { headers: { Accept: 'application/json;as=Table;v=v1beta1;g=meta.k8s.io' } })
  expect(one.json()).toMatchObject({ apiVersion: 'meta.k8s.io/v1beta1', rows: [{ object: { kind: 'Widget', spec: { color: 'red' } } }] })
  expect((await http(`${widgets}?includeObject=Some`, { headers: { Accept } })).status).toBe(400)

  const partial = await http(widgets, { headers: { Accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' } })
  expect(partial.json()).toMatchObject({
    kind: 'PartialObjectMetadataList',
    items: [{ kind: 'PartialObjectMetadata', metadata: { name: 'a' } }],
  })
  expect(partial.body).not.toContain('"spec"')
})

test('protobuf with JSON beside it is answered in JSON, protobuf alone cannot be had, YAML can', async () => {
  const { http } = await anHttpWorld()
  await http(widgets, { method: 'POST', body: aWidget('a') })
  const both = await http(`${widgets}/a`, { headers: { Accept: 'application/vnd.kubernetes.protobuf,application/json' } })
  expect(both.json()).toMatchObject({ kind: 'Widget' })
  expect((await http(`${widgets}/a`, { headers: { Accept: 'application/vnd.kubernetes.protobuf' } })).status).toBe(406)
  const yaml = await http(`${widgets}/a`, { headers: { Accept: 'application/yaml' } })
  expect(yaml.headers['content-type']).toBe('application/yaml')
  expect(yaml.body).toContain('color: red\n')
})

test('YAML bodies are read as Kubernetes reads YAML', async () => {
  const { http } = await anHttpWorld()
  const send = (body: string) =>
    http('/api/v1/namespaces/shop/notes', { method: 'POST', headers: { 'Content-Type': 'application/yaml' }, body })
  const created = await send('metadata:\n  name: note\ndata:\n  date: 2020-01-01\n  time: 12:30\n  text: |\n    two\n    lines\n')
  expect([created.status, created.json()]).toMatchObject([201, { data: { date: '2020-01-01', time: '12:30', text: 'two\nlines\n' } }])
  expect((await send('metadata:\n  name: yes\n')).json()).toMatchObject({
    code: 400,
    message: expect.stringContaining('cannot unmarshal bool'),
  })
  expect((await send('a: [')).status).toBe(400)
  expect((await send('a: 1\n---\nb: 2\n')).status).toBe(400)
  const repeated = await send('metadata:\n  name: m\ndata:\n  a: w\n  a: x\n')
  expect([repeated.status, repeated.headers['warning']]).toEqual([201, '299 - "duplicate field \\"data.a\\""'])
})

test('fieldValidation judges repeated and unknown fields', async () => {
  const { http } = await anHttpWorld()
  const body = '{"metadata":{"name":"a"},"spec":{"size":1,"size":2,"w\\u0065ight":3}}'
  const strict = await http(`${widgets}?fieldValidation=Strict`, { method: 'POST', body })
  expect([strict.status, strict.json()]).toMatchObject([
    400,
    {
      message:
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: duplicate field "spec.size", unknown field "spec.weight"',
    },
  ])
  const warned = await http(widgets, { method: 'POST', body })
  expect(warned.headers['warning']).toBe('299 - "duplicate field \\"spec.size\\"", 299 - "unknown field \\"spec.weight\\""')
  expect(warned.json()).toMatchObject({ spec: { size: 2 } })
})

test('warnings beyond 4 KiB are cut short, each a header without control characters', async () => {
  const { http } = await anHttpWorld()
  const odd = 'a\u0001b\nü"\\'
  const few = await http(widgets, { method: 'POST', body: { ...aWidget('few'), [odd]: 1 } })
  expect(Buffer.from(String(few.headers['warning']), 'latin1').toString()).toBe('299 - "unknown field \\"a b ü\\"\\\\\\""')
  const long = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`${index}-${'x'.repeat(400)}`, 1]))
  const many = await http(widgets, { method: 'POST', body: { ...aWidget('many'), ...long } })
  const texts = String(many.headers['warning']).split(', 299 - ')
  expect(texts).toHaveLength(20)
  expect(texts.every((text) => text.length < 270)).toBe(true)
})

test.each([
  ['application/vnd.kubernetes.protobuf', 'x', 415],
  ['text/plain', '{}', 415],
  ['application/json', '{"metadata":', 400],
  ['application/json', '[]', 400],
  ['application/json', '', 400],
  ['application/json', `${'['.repeat(200_000)}`, 400],
  ['application/json', `{"spec":${'{"a":'.repeat(900)}1${'}'.repeat(900)},"metadata":{"name":"a"}}`, 201],
])('a body of %s is answered without a crash (%#)', async (contentType, body, code) => {
  const { http } = await anHttpWorld()
  expect((await http(widgets, { method: 'POST', headers: { 'Content-Type': contentType }, body })).status).toBe(code)
})

test('a deep body goes through the whole pipeline where the schema keeps everything, and comes back', async () => {
  const { http } = await anHttpWorld()
  const depth = 990
  const body = `{"metadata":{"name":"deep"},"spec":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`
  const created = await http('/api/v1/namespaces/shop/pods', { method: 'POST', body })
  expect(created.status).toBe(201)
  expect(created.body).toContain('{"a":'.repeat(depth))
  const deeper = await http('/api/v1/namespaces/shop/pods', {
    method: 'POST',
    body: body.replace('"a":1', `"a":${'['.repeat(20)}${']'.repeat(20)}`),
  })
  expect([deeper.status, deeper.json()]).toMatchObject([400, { message: 'exceeded max depth' }])
})

test('a missing Content-Type means JSON', async () => {
  const { http } = await anHttpWorld()
  expect((await http(widgets, { method: 'POST', body: JSON.stringify(aWidget('a')) })).status).toBe(201)
})

test('a body of more than 3 MiB is refused with words that reach its sender, whether its length is announced or not', async () => {
  const { http } = await anHttpWorld()
  const body = 'x'.repeat(3 * 1024 * 1024 + 1)
  const framings: Record<string, string | string[]>[] = [{}, { 'Transfer-Encoding': 'chunked', 'Content-Length': [] }]
  for (const size of [1, 8])
    for (const headers of framings) {
      const answer = await http(widgets, { method: 'POST', headers, body: body.repeat(size) })
      expect([answer.status, answer.json()]).toMatchObject([
        413,
        { reason: 'RequestEntityTooLarge', message: 'Request entity too large: limit is 3145728' },
      ])
    }
  const most = JSON.stringify(aWidget('big', { color: 'x' }, { annotations: {} }))
  const padded = most.padEnd(3 * 1024 * 1024, ' ')
  expect((await http(widgets, { method: 'POST', body: padded })).status).toBe(201)
})

test('a body without end is cut off', async () => {
  const { socketPath, http } = await anHttpWorld()
  const socket = connect(socketPath)
  socket.on('error', () => {})
  socket.write(`POST ${widgets} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`)
  const piece = `100000\r\n${'x'.repeat(0x100000)}\r\n`
  let sent = 0
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece)) sent++
    sent++
  }
  socket.on('drain', more)
  more()
  socket.resume()
  await new Promise((resolve) => socket.on('close', resolve))
  expect(sent).toBeLessThan(100)
  expect((await http('/healthz')).body).toBe('ok')
})

test('whoever closes their side behind a request is still answered, whatever the request takes', async () => {
  const { socketPath, listener } = await anHttpWorld()
  const body = JSON.stringify(aWidget('half'))
  const request = (port: string, extra = ''): string =>
    `POST ${widgets} HTTP/1.1\r\nHost: localhost${port}\r\nContent-Length: ${body.length}\r\n${extra}\r\n${body}`
  const answerOn = async (socket: Socket, text: string): Promise<string> => {
    socket.end(text)
    let got = ''
    for await (const bytes of socket) got += String(bytes)
    return got.split('\r\n', 1)[0]!
  }
  expect(await answerOn(connect({ path: socketPath, allowHalfOpen: true }), request(''))).toBe('HTTP/1.1 201 Created')
  const { port } = listener
  const plain = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const secure = tlsConnect({ socket: plain, ca: tls.ca, servername: 'localhost' })
  const again = await answerOn(secure, request(`:${port}`, `Authorization: Bearer ${TOKEN}\r\n`))
  expect(again).toBe('HTTP/1.1 409 Conflict')
})

test('an unknown patch type is refused with the ones there are', async () => {
  const { http } = await anHttpWorld()
  await http(widgets, { method: 'POST', body: aWidget('a') })
  const patched = await http(`${widgets}/a`, { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: {} })
  expect([patched.status, patched.json()]).toMatchObject([
    415,
    {
      reason: 'UnsupportedMediaType',
      message:
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
    },
  ])
  const applied = await http(`${widgets}/a?fieldManager=x`, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/apply-patch+yaml' },
    body: 'a: b',
  })
  expect([applied.status, applied.json()]).toMatchObject([400, { message: 'invalid object type: /, Kind=' }])
})

test('deletions take their options from query or body', async () => {
  const { http } = await anHttpWorld()
  for (const name of ['a', 'b', 'c']) await http(widgets, { method: 'POST', body: aWidget(name) })
  const foreground = await http(`${widgets}/a?propagationPolicy=Foreground`, { method: 'DELETE' })
  expect(foreground.json()).toMatchObject({ metadata: { finalizers: ['foregroundDeletion'] } })
  const stale = await http(`${widgets}/b`, { method: 'DELETE', body: { preconditions: { uid: 'old' } } })
  expect(stale.status).toBe(409)
  const both = await http(`${widgets}/b`, { method: 'DELETE', body: { orphanDependents: true, propagationPolicy: 'Orphan' } })
  expect(both.status).toBe(422)
  const orphan = await http(`${widgets}/b`, { method: 'DELETE', body: { orphanDependents: true } })
  expect(orphan.json()).toMatchObject({ metadata: { finalizers: ['orphan'] } })
  const dry = await http(`${widgets}/c`, { method: 'DELETE', body: { dryRun: ['All'] } })
  expect(dry.status).toBe(200)
  const all = await http(`${widgets}?fieldSelector=metadata.name%3Dc`, { method: 'DELETE' })
  expect(all.json()).toMatchObject({ kind: 'WidgetList', items: [{ metadata: { name: 'c' } }] })
})

test('namespaces have status and finalize of their own, other words behind their names are collections', async () => {
  const { http } = await anHttpWorld()
  const namespace = (await http('/api/v1/namespaces/shop')).json()
  expect((await http('/api/v1/namespaces/shop/status')).json()).toMatchObject({ kind: 'Namespace', status: { phase: 'Active' } })
  await http('/api/v1/namespaces/shop', { method: 'DELETE' })
  const finalized = await http('/api/v1/namespaces/shop/finalize', {
    method: 'PUT',
    body: { ...namespace, metadata: { name: 'shop' }, spec: {} },
  })
  expect(finalized.status).toBe(200)
  expect((await http('/api/v1/namespaces/shop')).status).toBe(404)
})

test('version, health, paths and metrics are plain documents', async () => {
  const { http } = await anHttpWorld()
  expect((await http('/version')).json()).toMatchObject({ major: '1', minor: '35', gitVersion: 'v1.35.0', platform: expect.any(String) })
  expect((await http('/version/')).status).toBe(200)
  expect((await http('/healthz')).body).toBe('ok')
  expect((await http('/readyz?verbose')).body).toMatch(/^\[\+\]ping ok\n[\s\S]*readyz check passed\n$/)
  expect((await http('/')).json<{ paths: string[] }>().paths).toContain('/apis/shop.example.dev/v1')
  await http(widgets)
  expect((await http('/metrics')).body).toContain('apiserver_request_total{code="200",resource="widgets",verb="GET"} 1\n')
  const head = await http('/healthz', { method: 'HEAD' })
  expect([head.status, head.body]).toEqual([200, ''])
})

test('discovery and OpenAPI are served beside the API', async () => {
  const { http } = await anHttpWorld()
  expect((await http('/api')).json()).toMatchObject({ versions: ['v1'] })
  expect((await http('/apis/shop.example.dev/v1')).body).toContain('widgets/status')
  const first = await http('/apis', { headers: { Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' } })
  const again = await http('/apis', {
    headers: { Accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList', 'If-None-Match': first.headers.etag! },
  })
  expect([again.status, again.body]).toEqual([304, ''])
  expect((await http('/openapi/v3')).body).toContain('apis/shop.example.dev/v1')
})

test('over TLS nobody gets in without a credential, except to ask whether a server is there', async () => {
  const { https } = await anHttpWorld()
  expect((await https('/version')).status).toBe(200)
  expect((await https('/readyz')).status).toBe(200)
  const refused = await https(widgets)
  expect([refused.status, refused.json()]).toMatchObject([401, { message: 'Unauthorized', reason: 'Unauthorized' }])
  expect((await https('/metrics')).status).toBe(401)
  expect((await https('/nowhere')).status).toBe(401)
  expect((await https(widgets, { headers: { Authorization: 'Bearer wrong' } })).status).toBe(401)
  expect((await https('/version', { headers: { Authorization: 'Bearer wrong' } })).status).toBe(401)
  expect((await https(widgets, { headers: bearer })).status).toBe(200)
})

test('a certificate of the instance is its user; one that signed itself is nobody', async () => {
  const { https } = await anHttpWorld()
  const created = await https(widgets, { method: 'POST', body: aWidget('a'), tls: tls.alice })
  expect(created.json()).toMatchObject({ metadata: { annotations: { 'shop.example.dev/creator': 'alice' } } })
  expect((await https(widgets, { tls: tls.stranger })).status).toBe(401)
  expect((await https(widgets, { tls: tls.stranger, headers: bearer })).status).toBe(401)
})

test('an administrator can act as someone else, who may do what their roles allow', async () => {
  const { https, store } = await anHttpWorld()
  const asBob = { ...bearer, 'Impersonate-User': 'bob' }
  expect((await https(widgets, { headers: asBob })).json()).toMatchObject({
    code: 403,
    message:
      'widgets.shop.example.dev is forbidden: User "bob" cannot list resource "widgets" in API group "shop.example.dev" in the namespace "shop"',
  })
  await allowEverything(store, 'bob')
  const created = await https(widgets, { method: 'POST', body: aWidget('a'), headers: asBob })
  expect(created.json()).toMatchObject({ metadata: { annotations: { 'shop.example.dev/creator': 'bob' } } })
})

test('foreign hosts and pages are refused before anything else, even with a credential, and no page is ever invited', async () => {
  const { https, http } = await anHttpWorld()
  const rebound = await https(widgets, { headers: { ...bearer, Host: 'evil.example' } })
  expect([rebound.status, rebound.headers['access-control-allow-origin']]).toEqual([403, undefined])
  expect((await https(widgets, { headers: { ...bearer, Origin: 'https://evil.example' } })).status).toBe(403)
  expect((await https('/version', { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(403)
  expect((await http(widgets, { headers: { Host: 'evil.example' } })).status).toBe(403)
  const upgrade = await https(`${widgets}?watch=true`, {
    headers: { ...bearer, Origin: 'https://evil.example', Connection: 'Upgrade', Upgrade: 'websocket' },
  })
  expect(upgrade.status).toBe(403)
})

test('who may update but not create does not create by a PUT', async () => {
  const { https, store } = await anHttpWorld()
  const leases = '/apis/coordination.k8s.io/v1/namespaces/shop/leases'
  const asBob = { ...bearer, 'Impersonate-User': 'bob' }
  await allowEverything(store, 'bob', ['get', 'update'])
  const put = (): Promise<Answer> => https(`${leases}/a`, { method: 'PUT', body: { metadata: { name: 'a' } }, headers: asBob })
  expect((await put()).json()).toMatchObject({
    code: 403,
    message:
      'leases.coordination.k8s.io "a" is forbidden: User "bob" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "shop"',
  })
  await allowEverything(store, 'bob', ['create', 'update'])
  expect((await put()).status).toBe(201)
})

test('who may not ask is not told what there is', async () => {
  const { https } = await anHttpWorld()
  const asBob = { headers: { ...bearer, 'Impersonate-User': 'bob' } }
  for (const path of [`${widgets}/ghost`, '/apis/none.example.dev/v1/ghosts', '/api/v1/namespaces/ghost', '/nowhere', '/metrics', '/'])
    expect({ path, status: (await https(path, asBob)).status }).toEqual({ path, status: 403 })
})

test('over the unix socket a request is its owner’s, unless it shows a credential', async () => {
  const { http } = await anHttpWorld()
  expect((await http(widgets)).status).toBe(200)
  expect((await http(widgets, { headers: bearer })).status).toBe(200)
  expect((await http(widgets, { headers: { Authorization: 'Bearer wrong' } })).status).toBe(401)
})

test('the unix socket belongs to its owner alone', async () => {
  const { socketPath } = await anHttpWorld()
  expect(statSync(socketPath).mode & 0o777).toBe(0o600)
})

test('what is not HTTP gets 400, and the server goes on', async () => {
  const { socketPath, http } = await anHttpWorld()
  const raw = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      let text = ''
      const socket = connect(socketPath, () => socket.write(bytes))
      socket.on('data', (chunk) => {
        text += String(chunk)
      })
      socket.on('close', () => resolve(text.split('\r\n', 1)[0]!))
      socket.on('error', () => {})
    })
  expect(await raw('hello\r\n\r\n')).toBe('HTTP/1.1 400 Bad Request')
  expect(await raw('GET / HTTP/1.1\r\nHost: localhost\r\nX: a\u0000b\r\n\r\n')).toBe('HTTP/1.1 400 Bad Request')
  expect(await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`)).toBe(
    'HTTP/1.1 431 Request Header Fields Too Large',
  )
  expect(await raw('GET https://evil.example/api HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')).toBe(
    'HTTP/1.1 400 Bad Request',
  )
  expect((await http('/healthz')).body).toBe('ok')
})
