import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { exchangeWhole } from '../../../src/client/exchange.js'
import { createUnixExchange } from '../../../src/client/unix-exchange.js'

let directory: string
let socket: string
let server: Server | undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kn-unix-'))
  socket = join(directory, 's')
})
afterEach(() => {
  server?.close()
  server = undefined
  rmSync(directory, { recursive: true, force: true })
})

/** Answers whatever is asked with these bytes, in these pieces; keeps what was asked. */
async function serving(pieces: readonly string[], { end = true } = {}): Promise<{ asked: () => string }> {
  let asked = ''
  server = createServer((connection) => {
    connection.on('error', () => {})
    connection.once('data', async (chunk) => {
      asked = chunk.toString()
      for (const piece of pieces) {
        connection.write(piece)
        // Lets each piece go out as a packet of its own.
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (end) connection.end()
    })
  })
  await new Promise<void>((resolve) => server!.listen(socket, resolve))
  return { asked: () => asked }
}

const request = { method: 'GET', path: '/x?y=1', headers: { Host: 'h', 'X-Two': ['a', 'b'] } }

test('a request goes out with its headers and body, and the connection is not kept', async () => {
  const { asked } = await serving(['HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'])
  await exchangeWhole(createUnixExchange(socket), { ...request, method: 'POST', body: Buffer.from('{}') })
  expect(asked()).toBe('POST /x?y=1 HTTP/1.1\r\nConnection: close\r\nHost: h\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 2\r\n\r\n{}')
})

test.each([
  ['a length', ['HTTP/1.1 201 Created\r\nContent-Length: 5\r\nWarning: a\r\nWarning: b\r\n\r\nhello'], 201],
  [
    'chunks, cut anywhere',
    ['HTTP/1.1 200 OK\r\nTransfer-Enco', 'ding: chunked\r\n\r\n2', '\r\nhe\r', '\n3;x=y\r\nllo\r\n0\r\nTrailer: x\r\n', '\r\n'],
    200,
  ],
  ['the end of the connection', ['HTTP/1.1 200 OK\r\n\r\nhel', 'lo'], 200],
  ['an interim answer first', ['HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'], 200],
])('an answer delimited by %s is read whole', async (_, pieces, status) => {
  await serving(pieces)
  const answer = await exchangeWhole(createUnixExchange(socket), request)
  expect({ status: answer.status, body: answer.body.toString() }).toEqual({ status, body: 'hello' })
})

test('headers of the same name are kept apart', async () => {
  await serving(['HTTP/1.1 200 OK\r\nContent-Length: 0\r\nWarning: a\r\nwarning:  b \r\n\r\n'])
  expect((await exchangeWhole(createUnixExchange(socket), request)).headers['warning']).toEqual(['a', 'b'])
})

test.each([
  ['is cut off', ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello'], 'unexpected EOF'],
  ['never begins', [''], 'unexpected EOF'],
  ['is not HTTP', ['SSH-2.0-x\r\n\r\n'], 'malformed HTTP response'],
  ['has a bad length', ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'], 'malformed HTTP response'],
  ['has a bad chunk', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'], 'malformed HTTP response'],
])('an answer that %s is an error', async (_, pieces, message) => {
  await serving(pieces)
  await expect(exchangeWhole(createUnixExchange(socket), request)).rejects.toThrow(message)
})

test('no socket, or nobody behind it, is the error of the system', async () => {
  await expect(exchangeWhole(createUnixExchange(socket), request)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('nothing is delivered after an exchange was cut off', async () => {
  await serving(['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n'], { end: false })
  const told: string[] = []
  await new Promise<void>((resolve) => {
    const cut = createUnixExchange(socket)(request, {
      head: () => told.push('head'),
      data: (chunk) => {
        told.push(chunk.toString())
        cut()
        setImmediate(resolve)
      },
      end: () => told.push('end'),
    })
  })
  expect(told).toEqual(['head', 'ab'])
})

test('a header value with a line break is refused', () => {
  expect(() => createUnixExchange(socket)({ ...request, headers: { A: 'x\r\nB: y' } }, { head() {}, data() {}, end() {} })).toThrow(
    'line break',
  )
})
