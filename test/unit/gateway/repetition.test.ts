import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { readIntoSharedMemory } from '../../../src/gateway/raw-listener.js'
import { aKIngress, aRule, bodyOf, type RawClient, rawClient, startApp, startTcpApp, startTestGateway, turns } from './support.js'

/** What is kept of a request or an answer that comes again is only that: nothing may be taken over that has changed meanwhile. */

const GET = 'GET /x HTTP/1.1\r\nHost: hello.default.localhost\r\n\r\n'

/** Sends the same, and waits for one more answer; returns what has come since. */
async function once(client: RawClient, request: string, until: RegExp): Promise<string> {
  const before = client.text().length
  client.send(request)
  for (;;) {
    const text = client.text().slice(before)
    if (until.test(text)) return text
    await client.until(new RegExp(`^[\\s\\S]{${before + text.length + 1}}`))
  }
}

test('a request that comes again goes where its host leads now', async () => {
  const one = await startApp((request, response) => response.end(`one:${request.headers['x-route']}`))
  const other = await startApp((_request, response) => response.end('other'))
  const gateway = await startTestGateway()
  gateway.serve('hello', [one.port])
  const client = rawClient(gateway.externalPort)
  const answers = async () => (await once(client, GET, /\w+(:\w+)?$/)).split('\r\n\r\n')[1]
  for (let count = 0; count < 4; count++) expect(await answers()).toBe('one:undefined')

  const rule = aRule('hello.default.localhost', 'hello')
  rule.http.paths[0]!.splits[0]!.appendHeaders = { 'X-Route': 'new' }
  gateway.informers.kingresses.put(aKIngress('hello', [rule]))
  for (let count = 0; count < 4; count++) expect(await answers()).toBe('one:new')

  gateway.serve('second', [other.port])
  gateway.informers.kingresses.put(aKIngress('hello', [aRule('hello.default.localhost', 'second')]))
  for (let count = 0; count < 4; count++) expect(await answers()).toBe('other')

  gateway.informers.kingresses.remove(aKIngress('hello', []))
  expect(await once(client, GET, /\r\n\r\n$/)).toMatch(/^HTTP\/1.1 404 /)
})

test('the same answer is passed on to each as it asked: to HEAD without, to HTTP/1.0 and to the last of a connection with an end', async () => {
  // The very same bytes each time.
  const port = await startTcpApp((socket) => {
    socket.on('data', (bytes) => {
      const isHead = bytes.toString('latin1').startsWith('HEAD')
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${isHead ? '' : 'hello'}`)
    })
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort)
  const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
  const bare = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n'
  for (let count = 0; count < 4; count++) expect(await once(client, GET, /hello$/)).toBe(whole)
  for (let count = 0; count < 4; count++) expect(await once(client, GET.replace('GET', 'HEAD'), /\r\n\r\n$/)).toBe(bare)
  for (let count = 0; count < 4; count++) expect(await once(client, GET, /hello$/)).toBe(whole)
  const old = GET.replace('HTTP/1.1', 'HTTP/1.0').replace('\r\n\r\n', '\r\nConnection: keep-alive\r\n\r\n')
  for (let count = 0; count < 3; count++) expect(await once(client, old, /hello$/)).toContain('Connection: keep-alive\r\n')
  expect(await once(client, GET, /hello$/)).toBe(whole)
  const last = await once(client, GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'), /hello$/)
  expect(last).toContain('Connection: close\r\n')
  await client.closed
})

test('an answer of the same length that differs in its last byte is passed on as it is', async () => {
  let count = 0
  const port = await startTcpApp((socket) => {
    socket.on('data', () => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${100 + (count++ >> 2)}`))
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort)
  for (let asked = 0; asked < 16; asked++) expect(await once(client, GET, /\d{3}$/)).toMatch(new RegExp(`\r\n\r\n${100 + (asked >> 2)}$`))
})

test('a repeated head may come in pieces, and behind it a body that differs', async () => {
  const { port } = await startApp((request, response) => void request.pipe(response))
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const client = rawClient(gateway.externalPort)
  const head = 'POST / HTTP/1.1\r\nHost: hello.default.localhost\r\nContent-Length: 4\r\n\r\n'
  for (const body of ['aaaa', 'bbbb', 'cccc']) expect(await once(client, head + body, /\r\n\r\n[\s\S]*\w{4}/)).toContain(body)
  for (const body of ['dddd', 'eeee', 'ffff']) {
    client.send(head)
    await turns()
    expect(await once(client, body, /\w{4}\r\n0\r\n\r\n$|\w{4}$/)).toContain(body)
  }
  client.send(head.slice(0, 30))
  await turns()
  client.send(head.slice(30))
  await turns()
  expect(await once(client, 'gggg', /gggg/)).toContain('gggg')
})

test('connections that read into the same memory keep what is theirs', async () => {
  const { port } = await startApp(async (request, response) => {
    const letter = request.headers['x-letter'] as string
    const isWhole = (await bodyOf(request)) === letter.repeat(LENGTH)
    response.end(`${request.url}: ${isWhole ? 'whole' : 'mixed'}`)
  })
  const LENGTH = 30_000
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const senders = Array.from({ length: 20 }, (_, index) => {
    const letter = String.fromCharCode(97 + index)
    const head = `POST /${letter} HTTP/1.1\r\nHost: hello.default.localhost\r\nX-Letter: ${letter}\r\nContent-Length: ${LENGTH}\r\n\r\n`
    return { letter, client: rawClient(gateway.externalPort), rest: head + letter.repeat(LENGTH) }
  })
  // Heads and bodies in pieces, in turn, so that each piece lies where the others' lay.
  while (senders.some(({ rest }) => rest !== '')) {
    for (const sender of senders) {
      sender.client.send(sender.rest.slice(0, 1700))
      sender.rest = sender.rest.slice(1700)
    }
    await turns(3)
  }
  for (const { client, letter } of senders) expect(await client.until(/whole|mixed/)).toMatch(new RegExp(`/${letter}: whole$`))
})

test('what an application does not take yet is not written over by what comes over another connection', async () => {
  const SIZE = 16 * 1024 * 1024
  let takeOn = (): void => {}
  const mayTake = new Promise<void>((resolve) => {
    takeOn = resolve
  })
  const { port } = await startApp(async (request, response) => {
    const letter = request.url!.slice(1)
    if (letter === 'a') await mayTake
    let others = 0
    for await (const chunk of request) if ((chunk as Buffer).some((byte) => byte !== letter.charCodeAt(0))) others++
    response.end(`chunks with others: ${others}`)
  })
  const gateway = await startTestGateway()
  gateway.serve('hello', [port])
  const post = (letter: string) => {
    const client = rawClient(gateway.externalPort)
    client.send(`POST /${letter} HTTP/1.1\r\nHost: hello.default.localhost\r\nContent-Length: ${SIZE}\r\n\r\n${letter.repeat(SIZE)}`)
    return client
  }
  const held = post('a')
  // As much as the buffers on the way have room for.
  await turns(200)
  expect(await post('b').until(/others: \d+$/)).toMatch(/others: 0$/)
  takeOn()
  expect(await held.until(/others: \d+$/)).toMatch(/others: 0$/)
})

test('where Node has no such handle, connections are taken in its own way', () => {
  const server = createServer()
  expect(readIntoSharedMemory(server, () => {})).toBe(false)
  const withoutCallback = Object.assign(createServer(), { _handle: {} })
  expect(readIntoSharedMemory(withoutCallback, () => {})).toBe(false)
})
