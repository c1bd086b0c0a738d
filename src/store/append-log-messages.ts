import type { LogCommit, LogsContent } from './append-log-file.js'
import type { ErrorMessage } from './sqlite-messages.js'

/** What the worker is started with. */
export interface LogsWorkerOptions {
  path: string
  maxFileBytes: number | undefined
}

/** To the worker. Each is answered once, in order. */
export type LogsRequest =
  | { type: 'commit'; commit: LogCommit }
  | { type: 'read'; log: number; afterOffset: number; limit: { records: number; bytes: number } }
  | { type: 'close' }

/** From the worker: first `opened`, or `failed`, then one answer per request. */
export type LogsReply =
  | { type: 'migrated'; backup: string }
  | { type: 'opened'; content: LogsContent }
  | { type: 'done' }
  /** `ends` are ends of records in `payload`. */
  | { type: 'records'; offsets: number[]; ends: number[]; payload: Uint8Array }
  | { type: 'failed'; error: ErrorMessage }
