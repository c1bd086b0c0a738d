import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { WebSocketConversation } from '../../../../src/apiserver/http/websocket.js'
import { commandOverWebSocket, type ExitStatus } from '../../../../src/apiserver/streams/remote-command.js'

const FAILED: ExitStatus = { metadata: {}, status: 'Failure', message: 'it went wrong', reason: 'NonZeroExitCode' }
const SUCCESS: ExitStatus = { metadata: {}, status: 'Success' }
const ALL = { stdin: true, stdout: true, stderr: true, tty: false }

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A client's side of a WebSocket, as messages; a slow one takes each when it is told to. */
function conversation({ isSlow = false } = {}) {
  const owed: (() => void)[] = []
  const sent: { text: string; as: string }[] = []
  let hear: (payload: Buffer) => void = () => {}
  let isEnded = false
  const socket: WebSocketConversation = {
    onMessage(listener) {
      hear = listener
    },
    send(payload, as = 'binary', told = () => {}) {
      sent.push({ text: payload.toString('latin1'), as })
      if (isSlow) owed.push(told)
      else told()
    },
    pause() {},
    resume() {},
    onClose() {},
    end() {
      isEnded = true
    },
  }
  return {
    socket,
    sent,
    say: (...bytes: (number | string)[]) => hear(Buffer.from(bytes.map(asText).join(''), 'latin1')),
    isEnded: () => isEnded,
    take: () => owed.shift()?.(),
  }
}
const asText = (part: number | string): string => (typeof part === 'number' ? String.fromCharCode(part) : part)

test('a channel for each stream; the fifth version closes its input', async () => {
  const { socket, sent, say, isEnded } = conversation()
  const client = commandOverWebSocket(socket, 'v5.channel.k8s.io', ALL)
  client.stdout!.write('out')
  client.stderr!.write('err')
  say(0, 'typed')
  say(255, 0)
  expect(await text(client.stdin!)).toBe('typed')
  client.finish(SUCCESS)
  await turn()
  expect(sent.map(({ text: message }) => message)).toEqual(['\u0001', '\u0001out', '\u0002err', '\u0003{"metadata":{},"status":"Success"}'])
  expect(isEnded()).toBe(true)
})

test('how it ended comes behind everything that was written, however slow the client is', async () => {
  const { socket, sent, isEnded, take } = conversation({ isSlow: true })
  const client = commandOverWebSocket(socket, 'v5.channel.k8s.io', ALL)
  for (const piece of ['a', 'b', 'c']) client.stdout!.write(piece)
  client.stderr!.write('d')
  client.finish(SUCCESS)
  await turn()
  expect(isEnded()).toBe(false)
  for (let round = 0; round < 10; round++) {
    take()
    await turn()
  }
  const said = sent.map(({ text: message }) => message).slice(1)
  expect(said.toSorted()).toEqual(['\u0001a', '\u0001b', '\u0001c', '\u0002d', '\u0003{"metadata":{},"status":"Success"}'])
  expect(said.at(-1)).toMatch(/Success/)
  expect(isEnded()).toBe(true)
})

test('in the base64 protocols all of it is text', async () => {
  const { socket, sent, say } = conversation()
  const client = commandOverWebSocket(socket, 'v4.base64.channel.k8s.io', ALL)
  client.stdout!.write('grüße')
  const first = new Promise((resolve) => client.stdin!.once('data', resolve))
  say('0', Buffer.from('typed').toString('base64'))
  expect(String(await first)).toBe('typed')
  client.finish(FAILED)
  await turn()
  const end = Buffer.from(JSON.stringify(FAILED)).toString('base64')
  expect(sent).toEqual([
    { text: '1', as: 'text' },
    { text: `1${Buffer.from('grüße').toString('base64')}`, as: 'text' },
    { text: `3${end}`, as: 'text' },
  ])
})

test.each([
  [SUCCESS, []],
  [FAILED, ['\u0003it went wrong']],
])('before the fourth version success was silent, and a failure a text', async (status, said) => {
  const { socket, sent } = conversation()
  const client = commandOverWebSocket(socket, 'channel.k8s.io', { ...ALL, stdin: false })
  client.finish(status)
  await turn()
  expect(sent.slice(1).map(({ text: message }) => message)).toEqual(said)
  expect(client.stdin).toBeUndefined()
})

test('a terminal has one output, and sizes in either spelling; a size that came before anyone listened counts', () => {
  const { socket, say } = conversation()
  const client = commandOverWebSocket(socket, 'v5.channel.k8s.io', { ...ALL, tty: true })
  expect(client.stderr).toBeUndefined()
  const sizes: [number, number][] = []
  say(4, '{"Width":80,"Height":24}\n{"Width":100,"Height":40}\n')
  client.onResize((columns, rows) => sizes.push([columns, rows]))
  say(4, '{"height":33,"width":111}')
  for (const odd of ['', '{}', '{"Width":0,"Height":0}', '{"Width":99999,"Height":1}', '[', '{"Width":"80; rm","Height":3}']) say(4, odd)
  expect(sizes).toEqual([
    [100, 40],
    [111, 33],
  ])
})
