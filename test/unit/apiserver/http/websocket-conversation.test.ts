import { type Duplex, duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { createWebSocketConversation } from '../../../../src/apiserver/http/websocket.js'

const [CONTINUATION, TEXT, BINARY, CLOSE, PING] = [0, 1, 2, 8, 9] as const

/** A client's frame, masked unless it is to be a broken one. */
function frame(opcode: number, payload: Buffer | string, { isLast = true, isMasked = true } = {}): Buffer {
  const body = Buffer.from(payload)
  const length = body.length < 126 ? Buffer.from([body.length]) : Buffer.from([126, body.length >> 8, body.length & 0xff])
  length[0]! |= isMasked ? 0x80 : 0
  const mask = isMasked ? Buffer.from([1, 2, 3, 4]) : Buffer.alloc(0)
  const masked = isMasked ? body.map((byte, index) => byte ^ mask[index & 3]!) : body
  return Buffer.concat([Buffer.from([(isLast ? 0x80 : 0) | opcode]), length, mask, masked])
}

function conversation(early: Buffer = Buffer.alloc(0)) {
  const [server, client] = duplexPair() as [Duplex, Duplex]
  const said: Buffer[] = []
  client.on('data', (bytes: Buffer) => said.push(bytes))
  const socket = createWebSocketConversation(server, early)
  const messages: string[] = []
  let closings = 0
  socket.onMessage((payload) => messages.push(payload.toString()))
  socket.onClose(() => closings++)
  return { socket, client, messages, said: () => Buffer.concat(said), closings: () => closings }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)))

test('messages come whole, in pieces and with pings in between, from the first bytes on', async () => {
  const { client, messages, said } = conversation(frame(BINARY, 'early'))
  client.write(
    Buffer.concat([
      frame(TEXT, 'one '),
      frame(BINARY, 'in ', { isLast: false }),
      frame(CONTINUATION, 'three ', { isLast: false }),
      frame(PING, 'still there?'),
      frame(CONTINUATION, 'pieces'),
      frame(BINARY, ''),
    ]),
  )
  await settled()
  expect(messages).toEqual(['early', 'one ', 'in three pieces', ''])
  expect(said()).toEqual(Buffer.concat([Buffer.from([0x8a, 12]), Buffer.from('still there?')]))
})

test('byte by byte is the same', async () => {
  const { client, messages } = conversation()
  for (const byte of Buffer.concat([frame(BINARY, 'x'.repeat(300)), frame(BINARY, 'y')])) client.write(Buffer.from([byte]))
  await settled()
  expect(messages).toEqual(['x'.repeat(300), 'y'])
})

test('what is sent is a frame of its own, and is told when it is out', async () => {
  const { socket, said, closings } = conversation()
  let told = ''
  socket.send(Buffer.from('bytes'), 'binary', () => (told += 'a'))
  socket.send(Buffer.from('text'), 'text', () => (told += 'b'))
  await settled()
  expect(said()).toEqual(Buffer.concat([Buffer.from([0x82, 5]), Buffer.from('bytes'), Buffer.from([0x81, 4]), Buffer.from('text')]))
  expect(told).toBe('ab')
  socket.end()
  expect(closings()).toBe(1)
  // Nobody is there any more, and whoever waits is not left waiting.
  socket.send(Buffer.from('late'), 'binary', () => (told += 'c'))
  expect(told).toBe('abc')
  await settled()
  expect(said().subarray(-4)).toEqual(Buffer.from([0x88, 2, 1000 >> 8, 1000 & 0xff]))
})

test.each([
  ['an unmasked frame', frame(BINARY, 'x', { isMasked: false }), 1002],
  ['a continuation of nothing', frame(CONTINUATION, 'x'), 1002],
  ['a new message inside of another', Buffer.concat([frame(TEXT, 'x', { isLast: false }), frame(TEXT, 'y')]), 1002],
  ['a message longer than any client sends', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x02, 0, 0, 0, 1, 2, 3, 4]), 1009],
  ['a goodbye', frame(CLOSE, ''), 1000],
])('%s ends the conversation with its code', async (_what, bytes, code) => {
  const { client, messages, said, closings } = conversation()
  client.write(bytes)
  client.write(frame(BINARY, 'behind it'))
  await settled()
  expect(messages).toEqual([])
  expect(closings()).toBe(1)
  expect(said()).toEqual(Buffer.from([0x88, 2, code >> 8, code & 0xff]))
})

test('who is paused is not read', async () => {
  const { socket, client, messages } = conversation()
  client.write(frame(BINARY, 'first'))
  await settled()
  socket.pause()
  client.write(frame(BINARY, 'second'))
  await settled()
  expect(messages).toEqual(['first'])
  socket.resume()
  await settled()
  expect(messages).toEqual(['first', 'second'])
})
