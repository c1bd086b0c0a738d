import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { expanded } from '../../../../src/apiserver/field-managers.js'
import { HANDSHAKE, openWebSocket, type PlainAnswer, type WebSocketClient } from '../../../support/websocket.js'
import { aWidget } from '../support.js'
import { anHttpWorld, type HttpWorld, TOKEN, tls } from './support.js'

const widgets = '/apis/shop.example.dev/v1/namespaces/shop/widgets'
const CLOSE = 8
const PING = 9
const PONG = 10

const opened = async (world: HttpWorld, path: string, headers: object = {}): Promise<WebSocketClient> => {
  const answer = await openWebSocket({ socketPath: world.socketPath, path, headers: { Host: 'localhost', ...headers } })
  if ('body' in answer) throw new Error(`${answer.status}: ${answer.body}`)
  return answer
}
const refused = async (world: HttpWorld, path: string, headers: object = {}): Promise<PlainAnswer> =>
  (await openWebSocket({ socketPath: world.socketPath, path, headers: { Host: 'localhost', ...headers } })) as PlainAnswer

test('a watch over WebSocket is one text frame of JSON for each event', async () => {
  const world = await anHttpWorld()
  const watch = await opened(world, `${widgets}?watch=true`)
  expect(watch.headers).toMatchObject({ 'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', 'audit-id': expect.any(String) })
  const created = await world.ask({ verb: 'create', object: aWidget('a', { color: 'x'.repeat(200) }) })
  const long = await world.ask({ verb: 'create', object: aWidget('b', { color: 'ü'.repeat(40_000) }) })
  expect(await watch.event()).toEqual({ type: 'ADDED', object: expanded(created as never) })
  expect(await watch.event()).toEqual({ type: 'ADDED', object: expanded(long as never) })
  await world.ask({ verb: 'delete', name: 'a' })
  expect(await watch.frame()).toMatchObject({ opcode: 1, text: expect.stringMatching(/^\{"type":"DELETED",.*\}$/) })
  watch.socket.destroy()
})

test('a WebSocket that is watched on is pinged, closed and left like any other', async () => {
  const world = await anHttpWorld()
  const watching = async (): Promise<number> =>
    Number(/apiserver_registered_watchers\{resource="widgets"\} (\d+)/.exec((await world.http('/metrics')).body)?.[1])
  const watch = await opened(world, `${widgets}?watch=1`)
  watch.send(1, 'x'.repeat(300))
  watch.send(PING, 'are you there')
  expect(await watch.frame()).toEqual({ opcode: PONG, text: 'are you there' })
  expect(await watching()).toBe(1)
  watch.send(CLOSE)
  expect((await watch.frame())?.opcode).toBe(CLOSE)
  expect(await watch.frame()).toBeUndefined()
  expect(await watching()).toBe(0)

  const left = await opened(world, `${widgets}?watch=1`)
  left.socket.destroy()
  await expect.poll(watching).toBe(0)
})

test.each([
  ['an unmasked frame', Buffer.from([0x81, 0x01, 0x61])],
  ['an unknown opcode', Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
  ['a reserved bit', Buffer.from([0xc1, 0x80, 0, 0, 0, 0])],
  ['a long ping', Buffer.from([0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0])],
])('a client that breaks the protocol with %s is told so and let go', async (_what, bytes) => {
  const watch = await opened(await anHttpWorld(), `${widgets}?watch=true`)
  watch.socket.write(bytes)
  const { opcode, text } = (await watch.frame())!
  expect([opcode, Buffer.from(text, 'latin1').length > 0]).toEqual([CLOSE, true])
  expect(await watch.frame()).toBeUndefined()
})

test('a message of any announced length is passed over without being kept', async () => {
  const world = await anHttpWorld()
  const watch = await opened(world, `${widgets}?watch=true`)
  // Four gigabytes are announced, and a little of it comes.
  watch.socket.write(Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]), Buffer.alloc(100_000)]))
  await world.ask({ verb: 'create', object: aWidget('a') })
  expect(await watch.event()).toMatchObject({ type: 'ADDED' })
  watch.socket.destroy()
})

test('a watch over WebSocket ends with a goodbye when its time is up, and when the server stops', async () => {
  const world = await anHttpWorld()
  const short = await opened(world, `${widgets}?watch=true&timeoutSeconds=5`)
  const long = await opened(world, `${widgets}?watch=true`)
  await world.realClock.advance(5000)
  expect(await short.frame()).toMatchObject({ opcode: CLOSE })
  expect(await short.frame()).toBeUndefined()
  await world.listener.stop()
  expect(await long.frame()).toMatchObject({ opcode: CLOSE })
  expect(await long.frame()).toBeUndefined()
})

test('a watch that cannot start is refused before the connection becomes a WebSocket', async () => {
  const world = await anHttpWorld()
  expect(await refused(world, `${widgets}?watch=true&resourceVersion=999`)).toMatchObject({ status: 504 })
  expect(await refused(world, `${widgets}?watch=true&fieldSelector=odd%3D1`)).toMatchObject({
    status: 400,
    headers: { connection: 'close' },
  })
  expect(await refused(world, '/apis/shop.example.dev/v1/gadgets?watch=true')).toMatchObject({ status: 404 })
  expect(await refused(world, `${widgets}?watch=true`, { 'Sec-WebSocket-Version': '8' })).toMatchObject({ status: 400 })
  expect(await refused(world, `${widgets}?watch=true`, { 'Sec-WebSocket-Key': 'short' })).toMatchObject({ status: 400 })
})

test('a WebSocket is guarded and authorized like every request', async () => {
  const world = await anHttpWorld()
  const ask = async (headers: object): Promise<number | string> => {
    const answer = await openWebSocket({
      host: '127.0.0.1',
      port: world.listener.port,
      path: `${widgets}?watch=true`,
      tls: { ca: tls.ca, servername: 'localhost' },
      headers: { Host: `localhost:${world.listener.port}`, ...headers },
    })
    if ('body' in answer) return answer.status
    answer.socket.destroy()
    return 'open'
  }
  const Authorization = `Bearer ${TOKEN}`
  expect(await ask({})).toBe(401)
  expect(await ask({ Authorization: 'Bearer wrong' })).toBe(401)
  expect(await ask({ Authorization, Origin: 'https://evil.example' })).toBe(403)
  expect(await ask({ Authorization, Host: 'evil.example' })).toBe(403)
  expect(await ask({ Authorization, 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
  expect(await ask({ Authorization, 'Impersonate-User': 'nobody' })).toBe(403)
  expect(await ask({ Authorization })).toBe('open')
  expect(await ask({ Authorization, Origin: `https://localhost:${world.listener.port}` })).toBe('open')
})

test('the first subprotocol that is offered is chosen', async () => {
  const watch = await opened(await anHttpWorld(), `${widgets}?watch=true`, { 'Sec-WebSocket-Protocol': 'one, two' })
  expect(watch.headers['sec-websocket-protocol']).toBe('one')
  watch.socket.destroy()
})

test('what is no watch is answered plainly, whatever it would rather become', async () => {
  const { http, https } = await anHttpWorld()
  const listed = await http(widgets, { headers: HANDSHAKE })
  expect([listed.status, listed.headers.connection, listed.json()]).toMatchObject([200, 'close', { kind: 'WidgetList' }])
  const created = await http(widgets, {
    method: 'POST',
    headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAAQAoAAAAAIAAAAA' },
    body: aWidget('a'),
  })
  expect(created.status).toBe(201)
  const spdy = { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', Authorization: `Bearer ${TOKEN}` }
  expect((await https(`${widgets}/a`, { headers: spdy })).json()).toMatchObject({ kind: 'Widget' })
  expect((await https(`${widgets}/a`, { headers: { ...spdy, Origin: 'https://evil.example' } })).status).toBe(403)
})

test('a connection that asked in vain goes on with its next request', async () => {
  const { socketPath } = await anHttpWorld()
  const socket = connect(socketPath)
  const asked = (extra: string): string => `GET /version HTTP/1.1\r\nHost: localhost\r\n${extra}\r\n`
  socket.write(asked('Connection: Upgrade\r\nUpgrade: h2c\r\n') + asked('Connection: close\r\n'))
  let got = ''
  for await (const bytes of socket) got += String(bytes)
  expect(got.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
})

test('a reader of a WebSocket that does not read costs nothing but its place', async () => {
  const world = await anHttpWorld()
  const watch = await opened(world, `${widgets}?watch=true`)
  watch.socket.pause()
  const color = 'x'.repeat(2000)
  for (let index = 0; index < 12_000; index++) await world.ask({ verb: 'create', object: aWidget(`w${index}`, { color }) })
  let seen = 0
  for (let frame = await watch.frame(); frame; frame = await watch.frame()) {
    if (frame.opcode === CLOSE) break
    expect(frame.text).toContain(`"name":"w${seen}"`)
    seen++
  }
  expect(seen).toBeGreaterThan(0)
  expect(seen).toBeLessThan(12_000)
})
