import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { constants, createDeflate, createInflate } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { createSpdySession, type SpdySession, type SpdyStream } from '../../../../src/apiserver/streams/spdy.js'
import { controlFrame, createEmptyHeaderWriter, dataFrame, spdyDictionary } from '../../../../src/apiserver/streams/spdy-frames.js'

const [SYN_STREAM, RST_STREAM, SETTINGS, PING, HEADERS, WINDOW_UPDATE, CANCEL] = [1, 3, 4, 6, 8, 9, 5] as const
const NAMES: Record<number, string> = { 2: 'SYN_REPLY', 3: 'RST_STREAM', 6: 'PING', 7: 'GOAWAY' }

/** What the server sent, a line for each frame: `1 some data`, `1 its last data FIN`, `RST_STREAM 1 5`. */
async function* framesFrom(source: Duplex): AsyncGenerator<string, undefined> {
  let rest = Buffer.alloc(0)
  for await (const bytes of source) {
    rest = Buffer.concat([rest, bytes])
    for (let end = 0; rest.length >= 8 && rest.length >= (end = 8 + rest.readUIntBE(5, 3)); rest = rest.subarray(end)) {
      const [payload, name] = [rest.subarray(8, end), NAMES[rest.readUInt16BE(2)]!]
      if (rest[0]! < 0x80) yield [rest.readUInt32BE(0), payload, ...(rest[4] === 1 ? ['FIN'] : [])].join(' ')
      else if (name === 'PING' || name === 'SYN_REPLY') yield `${name} ${payload.readUInt32BE(0)}`
      else yield `${name} ${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)}`
    }
  }
}

/** Header blocks as a client makes them: all are one zlib stream. */
function headerBlocks(dictionary: Buffer | undefined = spdyDictionary): (headers: Record<string, string>) => Promise<Buffer> {
  const deflate = createDeflate(dictionary ? { dictionary } : {})
  const word = (value: string): Buffer => Buffer.concat([uint32(Buffer.byteLength(value)), Buffer.from(value)])
  return async (headers) => {
    const pairs = Object.entries(headers)
    deflate.write(Buffer.concat([uint32(pairs.length), ...pairs.flat().map(word)]))
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
    return deflate.read() as Buffer
  }
}
const uint32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 0xff))
const synStream = (id: number, block: Buffer): Buffer => controlFrame(SYN_STREAM, [id, 0], Buffer.concat([Buffer.alloc(2), block]))

/** A session between two sockets: `client` is the other end, whose frames `next` gives one by one, undefined at the end. */
async function aSession(early?: Buffer) {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect({ port: (server.address() as { port: number }).port, host: '127.0.0.1', noDelay: true })
  const [connection] = (await once(server, 'connection')) as [Socket]
  server.close()
  client.on('error', () => {})
  onTestFinished(() => void client.destroy())
  const session = createSpdySession(connection, early ?? Buffer.alloc(0))
  return { client, connection, session, ...spoken(client, session) }
}

function spoken(client: Duplex, session: SpdySession) {
  const sent = framesFrom(client)
  const next = async (): Promise<string | undefined> => (await sent.next().catch(() => undefined))?.value
  const arrived: SpdyStream[] = []
  const closed: string[] = []
  session.onStream((stream) => void arrived.push(stream))
  session.onClose(() => void closed.push('closed'))
  const blockFor = headerBlocks()
  const opened = async (id: number, headers: Record<string, string> = { streamtype: 'data' }): Promise<SpdyStream> => {
    client.write(synStream(id, await blockFor(headers)))
    expect(await next()).toBe(`SYN_REPLY ${id}`)
    return arrived.at(-1)!
  }
  return { next, arrived, closed, opened }
}

/** Everything up to the client's end. `for await`, and with it node:stream/consumers, would destroy the stream there. */
async function readAll(stream: SpdyStream): Promise<Buffer> {
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => void parts.push(part))
  await once(stream, 'end')
  return Buffer.concat(parts)
}
const textOf = async (stream: SpdyStream): Promise<string> => (await readAll(stream)).toString()

test('the dictionary is the one of SPDY/3', () => {
  const [a, b] = spdyDictionary.reduce(([low, high], byte) => [(low! + byte) % 65521, (high! + low! + byte) % 65521], [1, 0])
  expect([spdyDictionary.length, b! * 0x1_0000 + a!]).toEqual([1423, 0xe3c6a7c2])
})

test('the headers of every stream are read, and each is replied to without any', async () => {
  const { opened, arrived } = await aSession()
  const headers: Record<string, string>[] = [{ streamtype: 'error', port: '80' }, {}, { port: '80', 'content-type': 'a\0b', x: 'ü' }]
  for (const [index, each] of headers.entries()) await opened(index * 2 + 1, each)
  expect(arrived.map((stream) => stream.headers)).toEqual(headers)

  const blockFor = headerBlocks()
  const other = await aSession(synStream(5, await blockFor({ early: 'yes' })))
  other.client.write(controlFrame(HEADERS, [5], await blockFor({ 'x-later': 'yes', 'x-long': 'y'.repeat(40_000) })))
  other.client.write(synStream(3, await blockFor({ 'x-later': 'yes', early: 'no' })))
  expect([await other.next(), await other.next()]).toEqual(['SYN_REPLY 5', 'SYN_REPLY 3'])
  expect(other.arrived.map((stream) => stream.headers)).toEqual([{ early: 'yes' }, { 'x-later': 'yes', early: 'no' }])
})

test('a zlib reader takes the blocks of several replies for empty headers', async () => {
  const inflate = createInflate({ dictionary: spdyDictionary })
  const blocks = createEmptyHeaderWriter()
  for (let count = 0; count < 4; count++) inflate.write(blocks())
  await new Promise<void>((resolve) => inflate.flush(resolve))
  expect(inflate.read()).toEqual(Buffer.alloc(16))
})

test('data goes both ways, and either side may end first', async () => {
  const { opened, client, next, closed } = await aSession()
  const first = await opened(1)
  client.write(Buffer.concat([dataFrame(1, Buffer.from('ping '), false), dataFrame(1, Buffer.from('pong'), true)]))
  expect(await textOf(first)).toBe('ping pong')
  first.write('still ')
  first.end('there')
  expect([await next(), await next(), await next()]).toEqual(['1 still ', '1 there', '1  FIN'])

  const second = await opened(3)
  second.end()
  expect(await next()).toBe('3  FIN')
  client.write(Buffer.concat([dataFrame(3, Buffer.from('go on'), false), dataFrame(3, Buffer.alloc(0), true)]))
  expect(await textOf(second)).toBe('go on')
  await expect.poll(() => [first.closed, second.closed]).toEqual([true, true])
  expect(closed).toEqual([])
})

test('a stream that is only written closes once both sides have ended', async () => {
  const { opened, client } = await aSession()
  const stream = await opened(1)
  client.write(dataFrame(1, Buffer.alloc(0), true))
  stream.end('out')
  await once(stream, 'close')
  expect(stream.readableEnded).toBe(true)
})

test('what comes byte by byte is read like any other', async () => {
  const { client, next, arrived } = await aSession()
  const blockFor = headerBlocks()
  const frames = [synStream(1, await blockFor({ a: 'b' })), dataFrame(1, Buffer.from('hello'), false), controlFrame(SETTINGS, [0])]
  frames.push(controlFrame(WINDOW_UPDATE, [1, 99]), controlFrame(PING, [7]), dataFrame(1, Buffer.alloc(0), true))
  frames.push(synStream(3, await blockFor({ a: 'b', c: 'd' })))
  for (const byte of Buffer.concat(frames)) {
    client.write(Buffer.from([byte]))
    await nextTurn()
  }
  expect([await next(), await next(), await next()]).toEqual(['SYN_REPLY 1', 'PING 7', 'SYN_REPLY 3'])
  expect(await textOf(arrived[0]!)).toBe('hello')
  expect(arrived[1]!.headers).toEqual({ a: 'b', c: 'd' })
})

test('a stream that either side resets is closed without an error, and others go on', async () => {
  const { opened, client, next } = await aSession()
  const [cancelled, reset, other] = [await opened(1), await opened(3), await opened(5)]
  cancelled.destroy(new Error('enough'))
  expect(await next()).toBe('RST_STREAM 1 5')
  client.write(Buffer.concat([dataFrame(1, Buffer.from('too late'), true), controlFrame(RST_STREAM, [3, CANCEL])]))
  await once(reset, 'close')
  reset.write('nobody hears this')
  other.end('fine')
  expect([await next(), await next()]).toEqual(['5 fine', '5  FIN'])
})

test('a slow reader holds up the client, and nothing is lost or reordered', async () => {
  const { opened, client, connection, arrived } = await aSession()
  const [slow] = [await opened(1), await opened(3)]
  const all = Buffer.alloc(
    32 * 1024 * 1024,
    Uint8Array.from({ length: 65_521 }, (_, index) => index),
  )
  for (let at = 0; at < all.length; at += 100_000) client.write(dataFrame(1, all.subarray(at, at + 100_000), at + 100_000 >= all.length))
  client.write(dataFrame(3, Buffer.from('behind'), true))
  await sleep(200)
  expect(connection.bytesRead).toBeLessThan(1024 * 1024)
  expect(arrived[1]!.readableLength).toBe(0)
  const [read, behind] = await Promise.all([readAll(slow), textOf(arrived[1]!)])
  expect([read.equals(all), behind]).toEqual([true, 'behind'])
})

test('a reader that catches up with the last frame of its stream lets the others go on', async () => {
  const { opened, client } = await aSession()
  const [slow, other] = [await opened(1), await opened(3)]
  client.write(Buffer.concat([dataFrame(1, Buffer.alloc(100_000), true), dataFrame(3, Buffer.from('behind'), true)]))
  await once(slow, 'readable')
  await nextTurn()
  expect([slow.readableLength, other.readableLength]).toEqual([100_000, 0])
  expect([(await readAll(slow)).length, await textOf(other)]).toEqual([100_000, 'behind'])
})

test('a stream that is written faster than the client reads has to wait, and takes turns with others', async () => {
  const [connection, client] = duplexPair()
  const { opened, next } = spoken(client, createSpdySession(connection, Buffer.alloc(0)))
  const [one, two] = [await opened(1), await opened(3)]
  const written: string[] = []
  one.write('1'.repeat(100_000), () => void written.push('one'))
  two.write('2'.repeat(100_000), () => void written.push('two'))
  await nextTurn()
  expect([written, connection.writableLength < 100_000]).toEqual([[], true])
  const turns: string[] = []
  for (let count = 0; count < 8; count++) turns.push((await next())!)
  expect(turns.map((turn) => turn[0]).join('')).toBe('13131313')
  expect(turns.map((turn) => turn.length - 2)).toEqual([32_768, 32_768, 32_768, 1696].flatMap((bytes) => [bytes, bytes]))
  await expect.poll(() => written).toEqual(['one', 'two'])
})

test('a client that does not read its answers is not read any further', async () => {
  const [connection, client] = duplexPair()
  createSpdySession(connection, Buffer.alloc(0))
  let taken = 0
  for (let count = 0; count < 1000; count++) client.write(Buffer.concat(Array(100).fill(controlFrame(PING, [1]))), () => void taken++)
  await sleep(50)
  expect(taken).toBeLessThan(200)
  client.resume()
  await expect.poll(() => taken).toBe(1000)
})

test('the end of a session comes behind everything that was written', async () => {
  const { opened, client, next, session, closed } = await aSession()
  const [stream, unread] = [await opened(1), await opened(3)]
  stream.write('x'.repeat(40_000))
  session.end()
  session.end()
  const sent: string[] = []
  for (let each = await next(); each; each = await next()) sent.push(each)
  expect(sent.filter((each) => each !== '3  FIN')).toEqual([`1 ${'x'.repeat(32_768)}`, `1 ${'x'.repeat(7232)}`, '1  FIN', 'GOAWAY 3 0'])
  expect([stream.destroyed, unread.destroyed, closed, client.readableEnded]).toEqual([true, true, ['closed'], true])
})

test.each([
  ['is reset', (client: Socket) => void client.resetAndDestroy()],
  ['ends', (client: Socket) => void client.end()],
])('a connection that %s takes its streams with it, and the session closes once', async (_how, leave) => {
  const { opened, client, session, closed } = await aSession()
  const stream = await opened(1)
  stream.write('unheard')
  leave(client)
  await once(stream, 'close')
  stream.destroy()
  session.end()
  await expect.poll(() => closed).toEqual(['closed'])
  await nextTurn()
  session.onClose(() => void closed.push('late'))
  expect(closed).toEqual(['closed', 'late'])
})

const opening = async (headers: Record<string, string>, id = 1, blocks = headerBlocks()): Promise<Buffer> =>
  synStream(id, await blocks(headers))
test.each([
  ['another version', async () => Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1])],
  ['a frame of more than 1 MiB', async () => Buffer.from([0, 0, 0, 1, 0, 0x10, 0, 1])],
  ['a frame that is too short', async () => Buffer.from([0x80, 3, 0, PING, 0, 0, 0, 0])],
  ['headers of more than 64 KiB', () => opening({ a: 'x'.repeat(0x1_0000) })],
  ['headers without the dictionary', () => opening({ a: 'b' }, 1, headerBlocks(Buffer.from('none')))],
  ['headers that are not compressed', async () => synStream(1, Buffer.alloc(20))],
  ['no headers', async () => synStream(1, Buffer.alloc(0))],
  ['headers that are cut off', async () => synStream(1, (await headerBlocks()({ a: 'some value' })).subarray(0, 14))],
  ['a stream of ours', () => opening({}, 2)],
  ['a stream that is open', () => opening({}, 7)],
])('a client that sends %s loses its connection', async (_what, bytes) => {
  const { opened, client, connection, next, closed } = await aSession()
  const stream = await opened(7)
  client.write(await bytes())
  expect(await next()).toBeUndefined()
  await expect.poll(() => closed).toEqual(['closed'])
  expect([stream.destroyed, connection.destroyed]).toEqual([true, true])
})

test('a client may open a thousand streams at once, and as many more as it has ended', async () => {
  const { opened, client, next, closed, arrived } = await aSession()
  for (let id = 1; id < 2001; id += 2) await opened(id, {})
  arrived[0]!.end()
  expect(await next()).toBe('1  FIN')
  client.write(dataFrame(1, Buffer.alloc(0), true))
  await opened(2001, {})
  expect(closed).toEqual([])
  await expect(opened(2003, {})).rejects.toThrow()
  await expect.poll(() => closed).toEqual(['closed'])
})
