import { closeSync, existsSync, openSync, read, readFileSync, readSync, statSync } from 'node:fs'
import { type LogFile, logTime, PIECE_BYTES, RECORD_HEAD_BYTES } from './log-file.js'
import type { LogOptions } from './runtime.js'

/** A line longer than this is handed out in parts, so that a program without line ends cannot fill the memory. */
const LONGEST_LINE_BYTES = 1024 * 1024
const BLOCK_BYTES = 64 * 1024
const TIME_BYTES = 30
const TAG_OFFSET = RECORD_HEAD_BYTES - 2
const NEWLINE = 0x0a
const FULL = 'F'.charCodeAt(0)

interface Line {
  time: string
  text: Buffer
}

/** Whether there is a log at this path. */
export function hasLog(path: string): boolean {
  return existsSync(path) || existsSync(`${path}.1`)
}

/**
 * The lines of a log, without their line ends, oldest first; bytes that are no UTF-8 become U+FFFD. `sinceMs` is a time, not a span.
 * With `follow` it goes on until the log's end or the signal; `log` is the open log, if its process still runs.
 * `limitBytes` counts what a client would get: line ends and, where asked for, times are part of it.
 *
 * @see kubernetes/kubernetes v1.35 staging/src/k8s.io/cri-client/pkg/logs/logs.go
 */
export async function* readLog(path: string, log: LogFile | undefined, options: LogOptions): AsyncGenerator<string, void, undefined> {
  const since = options.sinceMs === undefined ? undefined : logTime(Math.ceil(options.sinceMs))
  let bytesLeft = options.limitBytes ?? Number.POSITIVE_INFINITY
  for await (const { time, text } of followLines(path, log, options)) {
    if (since !== undefined && time < since) continue
    const line = options.timestamps ? Buffer.concat([Buffer.from(`${time} `), text]) : text
    if (line.length + 1 > bytesLeft) {
      if (bytesLeft > 0) yield line.toString('utf8', 0, bytesLeft)
      return
    }
    bytesLeft -= line.length + 1
    yield line.toString('utf8')
    if (bytesLeft === 0) return
  }
}

/** The end of a log: its last 80 lines, line ends included, and of these the last `bytes` bytes. Empty when there is no log. */
export function logTail(path: string, bytes: number): string {
  // Wide enough that the older file matters only where the newer one is short.
  const windowBytes = bytes + LAST_LINES * (RECORD_HEAD_BYTES + 1) + PIECE_BYTES
  const records = Buffer.concat([endOf(`${path}.1`, windowBytes), endOf(path, windowBytes)])
  const lines: Buffer[] = []
  const assemble = createAssembler(({ text }) => lines.push(text, Buffer.from('\n')))
  assemble.add(records.subarray(tailOffset(records, LAST_LINES).offset))
  assemble.flush()
  const text = Buffer.concat(lines)
  let start = Math.max(0, text.length - bytes)
  // Not in the middle of a character.
  while (start > 0 && start < text.length && (text[start]! & 0xc0) === 0x80) start++
  return text.toString('utf8', start)
}

/** @see kubernetes/kubernetes v1.35 pkg/kubelet/kuberuntime: MaxContainerTerminationMessageLogLines */
const LAST_LINES = 80

async function* followLines(path: string, log: LogFile | undefined, options: LogOptions): AsyncGenerator<Line, void, undefined> {
  const { signal, tailLines } = options
  const ready: Line[] = []
  const assemble = createAssembler((line) => ready.push(line))
  // Opened together, before anything can be rotated in between.
  let generation = log?.generation() ?? 0
  const files = [`${path}.1`, path].flatMap((file) => opened(file) ?? [])
  try {
    const positions = tailLines === undefined ? files.map(() => 0) : tailPositions(files, tailLines)
    while (files.length > 0 && !signal?.aborted) {
      const last = files.length === 1
      // Asked before reading, so that nothing written between the read and the wait is missed.
      const change = log?.changed()
      const isLive = log?.live() === true
      const newest = log?.generation() ?? 0
      const block = await readBlock(files[0]!, positions[0]!)
      positions[0]! += block.length
      assemble.add(block)
      while (ready.length > 0 && !signal?.aborted) yield ready.shift()!
      if (block.length > 0) continue
      if (last && options.follow && newest > generation) {
        // This file was rotated away and is now read to its end. Two rotations on, its successor is already the older file.
        const file = opened(newest === generation + 1 ? path : `${path}.1`)
        generation = newest === generation + 1 ? newest : newest - 1
        if (file !== undefined) files.push(file)
        positions.push(0)
      } else if (last && options.follow && isLive) {
        await changeOrAbort(change!, signal)
        continue
      }
      positions.shift()
      closeSync(files.shift()!)
    }
    assemble.flush()
    if (!signal?.aborted) yield* ready
  } finally {
    for (const file of files) closeSync(file)
  }
}

/** Puts pieces of lines together, for each stream by itself: bytes of records in, whole lines out. */
function createAssembler(line: (line: Line) => void): { add(bytes: Buffer): void; flush(): void } {
  let carry: Buffer | undefined
  const pieces = new Map<string, { time: string; parts: Buffer[]; bytes: number }>()
  const record = (bytes: Buffer): void => {
    const time = bytes.toString('latin1', 0, TIME_BYTES)
    const stream = bytes.toString('latin1', TIME_BYTES + 1, TAG_OFFSET - 1)
    const text = bytes.subarray(RECORD_HEAD_BYTES)
    const whole = bytes[TAG_OFFSET] === FULL
    const begun = pieces.get(stream) ?? { time, parts: [], bytes: 0 }
    begun.parts.push(text)
    begun.bytes += text.length
    if (whole || begun.bytes >= LONGEST_LINE_BYTES) {
      line({ time: begun.time, text: begun.parts.length === 1 ? text : Buffer.concat(begun.parts) })
      pieces.delete(stream)
    } else {
      pieces.set(stream, begun)
    }
  }
  return {
    add(bytes) {
      const all = carry ? Buffer.concat([carry, bytes]) : bytes
      let start = 0
      for (let end = all.indexOf(NEWLINE); end >= 0; end = all.indexOf(NEWLINE, start)) {
        if (end - start >= RECORD_HEAD_BYTES) record(all.subarray(start, end))
        start = end + 1
      }
      carry = start < all.length ? all.subarray(start) : undefined
    },
    flush() {
      for (const { time, parts } of pieces.values()) line({ time, text: Buffer.concat(parts) })
      pieces.clear()
    },
  }
}

/** Where the last `count` lines begin in these records, and how many there are. */
function tailOffset(records: Buffer, count: number): { offset: number; found: number } {
  let end = records.lastIndexOf(NEWLINE)
  let found = 0
  let offset = end + 1
  while (end >= 0) {
    const start = end === 0 ? 0 : records.lastIndexOf(NEWLINE, end - 1) + 1
    if (records[start + TAG_OFFSET] === FULL || found === 0) {
      if (found === count) break
      found++
    }
    offset = start
    end = start - 1
  }
  return { offset, found }
}

/** Where to begin in each of the files for the last `count` lines of them all. */
function tailPositions(files: readonly number[], count: number): number[] {
  let missing = count
  return files
    .toReversed()
    .map((file) => {
      const records = readFileSync(file)
      const { offset, found } = tailOffset(records, missing)
      missing -= found
      return offset
    })
    .toReversed()
}

/** A listener per wait, taken off again: a long-lived promise would collect one reaction per line. */
function changeOrAbort(change: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      signal?.removeEventListener('abort', done)
      resolve()
    }
    if (signal?.aborted) return done()
    signal?.addEventListener('abort', done, { once: true })
    void change.then(done)
  })
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}

function readBlock(file: number, position: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    read(file, Buffer.allocUnsafe(BLOCK_BYTES), 0, BLOCK_BYTES, position, (error, bytesRead, block) =>
      error ? reject(error) : resolve(block.subarray(0, bytesRead)),
    )
  })
}

function endOf(path: string, bytes: number): Buffer {
  const file = opened(path)
  if (file === undefined) return Buffer.alloc(0)
  try {
    const sizeBytes = statSync(path).size
    const wanted = Math.min(sizeBytes, bytes)
    const end = Buffer.alloc(wanted)
    readSync(file, end, 0, wanted, sizeBytes - wanted)
    // From the first whole record on.
    return wanted < sizeBytes ? end.subarray(end.indexOf(NEWLINE) + 1) : end
  } finally {
    closeSync(file)
  }
}
