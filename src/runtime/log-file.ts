import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../base/clock.js'

/** Both names are six letters, so the text of a record starts at a fixed place. */
export type LogStream = 'stdout' | 'stderr'

/**
 * The log of one attempt of one container, in the format of the Container Runtime Interface: `<RFC3339Nano> <stream> <F|P> <text>`,
 * where P marks a piece of a line that goes on in the next record of that stream. Bytes are kept as they came.
 *
 * @see kubernetes/design-proposals-archive node/kubelet-cri-logging.md
 */
export interface LogFile {
  write(stream: LogStream, bytes: Buffer): void
  /** Writes what is left of unfinished lines and closes the file. */
  end(): void
  /** False once the file is closed: whoever follows it has seen everything at its end. */
  live(): boolean
  /** How often the file was rotated: the file of the generation before is `<path>.1`. */
  generation(): number
  /** Resolves at the next write, rotation or end. */
  changed(): Promise<void>
}

/** The length of `2026-01-01T00:00:00.000000000Z stdout F `. */
export const RECORD_HEAD_BYTES = 40
/** @see containerd v2 internal/cri/config: max_container_log_line_size */
export const PIECE_BYTES = 16 * 1024
/** @see kubernetes/kubernetes v1.35 kubelet configuration, containerLogMaxSize */
export const DEFAULT_MAX_LOG_BYTES = 10 * 1024 * 1024

const NEWLINE = 0x0a

/** RFC 3339 with nine digits, always the same length, so that times compare as text. */
export function logTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000000Z`
}

/**
 * Opens the log. When it would grow beyond `maxBytes` it is renamed to `<path>.1`, replacing the one before it.
 * Writing is synchronous, so that a log is complete the moment its process has ended. `onProblem` hears of a full disk and the like, once.
 */
export function createLogFile(options: {
  path: string
  clock: Pick<Clock, 'now'>
  maxBytes: number
  onProblem(error: unknown): void
}): LogFile {
  const { path, clock, maxBytes } = options
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let file: number | undefined = openSync(path, 'a', 0o600)
  let sizeBytes = fstatSync(file).size
  let generation = 0
  let complained = false
  let notify: (() => void) | undefined
  let change: Promise<void> | undefined
  const unfinished: Record<LogStream, Buffer | undefined> = { stdout: undefined, stderr: undefined }

  const changed = (): void => {
    notify?.()
    notify = change = undefined
  }
  const rotate = (): void => {
    closeSync(file!)
    file = undefined
    renameSync(path, `${path}.1`)
    file = openSync(path, 'a', 0o600)
    sizeBytes = 0
    generation++
  }
  const put = (records: readonly Buffer[]): void => {
    if (records.length === 0 || file === undefined) return
    try {
      const bytes = Buffer.concat(records)
      if (sizeBytes > 0 && sizeBytes + bytes.length > maxBytes) rotate()
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset)
      sizeBytes += bytes.length
    } catch (error) {
      // A workload is not ended because its log cannot be kept.
      if (!complained) options.onProblem(error)
      complained = true
    }
    changed()
  }

  return {
    write(stream, bytes) {
      const time = logTime(clock.now())
      const [full, piece] = ['F', 'P'].map((tag) => Buffer.from(`${time} ${stream} ${tag} `, 'latin1')) as [Buffer, Buffer]
      const rest = unfinished[stream]
      const text = rest ? Buffer.concat([rest, bytes]) : bytes
      const records: Buffer[] = []
      let start = 0
      for (let end = text.indexOf(NEWLINE); end >= 0 || text.length - start >= PIECE_BYTES; end = text.indexOf(NEWLINE, start)) {
        if (end >= 0 && end - start <= PIECE_BYTES) {
          records.push(full, text.subarray(start, end + 1))
          start = end + 1
        } else {
          records.push(piece, text.subarray(start, start + PIECE_BYTES), NEWLINE_BYTES)
          start += PIECE_BYTES
        }
      }
      // Copied: the rest of a chunk must not keep the whole chunk in memory.
      unfinished[stream] = start < text.length ? Buffer.from(text.subarray(start)) : undefined
      put(records)
    },
    end() {
      if (file === undefined) return
      const time = logTime(clock.now())
      for (const stream of ['stdout', 'stderr'] as const) {
        const rest = unfinished[stream]
        if (rest) put([Buffer.from(`${time} ${stream} F `, 'latin1'), rest, NEWLINE_BYTES])
        unfinished[stream] = undefined
      }
      if (file !== undefined) closeSync(file)
      file = undefined
      changed()
    },
    live: () => file !== undefined,
    generation: () => generation,
    changed: () =>
      (change ??= new Promise((resolve) => {
        notify = resolve
      })),
  }
}

const NEWLINE_BYTES = Buffer.from('\n')
