import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createVirtualClock, type VirtualClock } from '../../../src/base/clock.js'
import { createLogFile, type LogFile } from '../../../src/runtime/log-file.js'
import { logTail, readLog } from '../../../src/runtime/log-reader.js'
import type { LogOptions } from '../../../src/runtime/runtime.js'

let directory: string
let path: string
let clock: VirtualClock
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'log-'))
  path = join(directory, 'pod', '0.log')
  clock = createVirtualClock({ startMs: Date.UTC(2026, 0, 1) })
})
afterEach(() => rmSync(directory, { recursive: true }))

const open = (maxBytes = 1e6): LogFile =>
  createLogFile({
    path,
    clock,
    maxBytes,
    onProblem: (error) => {
      throw error
    },
  })
const out = (log: LogFile, text: string): void => log.write('stdout', Buffer.from(text))
async function read(options: LogOptions = {}, log?: LogFile): Promise<string[]> {
  const lines: string[] = []
  for await (const line of readLog(path, log, options)) lines.push(line)
  return lines
}

test('lines are kept with their time and stream, whichever chunks they came in', async () => {
  const log = open()
  out(log, 'one\ntw')
  await clock.advance(1500)
  log.write('stderr', Buffer.from('oops\n'))
  out(log, 'o\n')

  expect(readFileSync(path, 'utf8')).toBe(
    '2026-01-01T00:00:00.000000000Z stdout F one\n2026-01-01T00:00:01.500000000Z stderr F oops\n2026-01-01T00:00:01.500000000Z stdout F two\n',
  )
  expect(await read()).toEqual(['one', 'oops', 'two'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a last line without an end is there once the process has ended', async () => {
  const log = open()
  out(log, 'prompt> ')
  expect(await read()).toEqual([])
  log.end()
  expect(await read()).toEqual(['prompt> '])
})

test('a character split over two chunks stays whole, and bytes that are no text do no harm', async () => {
  const log = open()
  const bytes = Buffer.from('grüße\n')
  log.write('stdout', bytes.subarray(0, 3))
  log.write('stdout', bytes.subarray(3))
  log.write('stdout', Buffer.from([0x00, 0xff, 0x41, 0x0a]))
  expect(await read()).toEqual(['grüße', '\0\ufffdA'])
})

test('long lines are stored in pieces and read whole, even where another stream writes in between', async () => {
  const log = open()
  const long = 'x'.repeat(50_000)
  out(log, long.slice(0, 40_000))
  log.write('stderr', Buffer.from('between\n'))
  out(log, `${long.slice(40_000)}\nnext\n`)
  expect(await read()).toEqual(['between', long, 'next'])
  out(log, `${long}\nlast\n`)
  expect(await read({ tailLines: 2 })).toEqual([long, 'last'])
  expect(logTail(path, 20)).toBe(`${'x'.repeat(14)}\nlast\n`)
})

test('a program that writes no line ends is read in parts of a mebibyte', async () => {
  const log = open(1e7)
  for (let chunk = 0; chunk < 40; chunk++) out(log, 'x'.repeat(65_536))
  log.end()
  expect((await read()).map((line) => line.length)).toEqual([1_048_576, 1_048_576, 524_288])
})

test('times, a tail, a limit and a beginning can be asked for', async () => {
  const log = open()
  for (const word of ['one', 'two', 'three', 'four']) {
    out(log, `${word}\n`)
    await clock.advance(1000)
  }
  expect(await read({ tailLines: 2, timestamps: true })).toEqual([
    '2026-01-01T00:00:02.000000000Z three',
    '2026-01-01T00:00:03.000000000Z four',
  ])
  expect(await read({ tailLines: 0 })).toEqual([])
  expect(await read({ tailLines: 99 })).toEqual(['one', 'two', 'three', 'four'])
  expect(await read({ sinceMs: Date.UTC(2026, 0, 1, 0, 0, 2) })).toEqual(['three', 'four'])
  expect(await read({ limitBytes: 10 })).toEqual(['one', 'two', 'th'])
  expect(await read({ limitBytes: 8 })).toEqual(['one', 'two'])
})

test('a log is rotated before it grows too large, and one older file is kept', async () => {
  const log = open(500)
  for (let line = 0; line < 30; line++) out(log, `line ${line}\n`)
  log.end()
  const kept = await read()
  expect(kept.at(-1)).toBe('line 29')
  expect(kept.length).toBeGreaterThan(10)
  expect(kept).toEqual(kept.map((_, index) => `line ${30 - kept.length + index}`))
  expect(await read({ tailLines: 12 })).toEqual(kept.slice(-12))
  expect(logTail(path, 1e6)).toBe(kept.map((line) => `${line}\n`).join(''))
  expect(statSync(path).size).toBeLessThanOrEqual(500)
})

test('following goes on over rotations and stops when the process has ended', async () => {
  const log = open(500)
  out(log, 'first\n')
  const following = read({ follow: true, tailLines: 1 }, log)
  for (let line = 0; line < 30; line++) {
    out(log, `line ${line}\n`)
    // Lets the reader come along: it reads from the disk.
    await new Promise((resolve) => setImmediate(resolve))
    if (line % 5 === 0) await read()
  }
  log.end()
  expect(await following).toEqual(['first', ...Array.from({ length: 30 }, (_, line) => `line ${line}`)])
})

test('following ends when its signal says so', async () => {
  const log = open()
  out(log, 'one\n')
  const abort = new AbortController()
  const lines: string[] = []
  for await (const line of readLog(path, log, { follow: true, signal: abort.signal })) {
    lines.push(line)
    if (lines.length === 1) out(log, 'two\n')
    else abort.abort()
  }
  expect(lines).toEqual(['one', 'two'])
})

test('the end of a log has at most 80 lines and so many bytes, beginning with a whole character', () => {
  const log = open()
  for (let line = 0; line < 200; line++) out(log, `${line}\n`)
  const tail = logTail(path, 100_000).split('\n')
  expect([tail[0], tail.length]).toEqual(['120', 81])
  out(log, 'ää\n')
  expect(logTail(path, 4)).toBe('ä\n')
  expect(logTail(join(directory, 'none'), 100)).toBe('')
})
