import type { ServerResponse } from 'node:http'
import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { streamLines } from '../../../../src/apiserver/http/pod-log.js'

async function* linesOf(...lines: string[]): AsyncGenerator<string> {
  yield* lines
}

async function sent(lines: AsyncIterable<string>, limitBytes?: number): Promise<string> {
  const pieces: Buffer[] = []
  const response = new Writable({
    write(piece: Buffer, _encoding, done) {
      pieces.push(piece)
      done()
    },
  })
  await streamLines(lines, Object.assign(response, { writeHead() {}, flushHeaders() {} }) as unknown as ServerResponse, limitBytes)
  return Buffer.concat(pieces).toString('latin1')
}

test.each([
  [undefined, 'one\nt\xc3\xbc\n'],
  [3, 'one'],
  [4, 'one\n'],
  [6, 'one\nt\xc3'],
  [100, 'one\nt\xc3\xbc\n'],
])('a log of at most %s bytes has exactly so many, wherever that cuts it', async (limitBytes, text) => {
  expect(await sent(linesOf('one', 'tü'), limitBytes)).toBe(text)
})
