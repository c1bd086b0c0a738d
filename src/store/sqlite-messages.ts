import type { Commit, Marks } from './sqlite-file.js'
import type { ChangeRow } from './sqlite-format.js'
import { CorruptStoreError, StorageError, StoreFormatError } from './store.js'

/** What the worker is started with. */
export interface WorkerOptions {
  path: string
  maxFileBytes: number | undefined
}

/** To the worker. Each is answered once, in order. */
export type Request = { type: 'hold' } | { type: 'commit'; commit: Commit } | { type: 'close'; marks: Marks }

/** From the worker: first what is in the file, ending with `read`, then one answer per request. */
export type Reply =
  | { type: 'rows'; rows: ChangeRow[] }
  | { type: 'migrated'; backup: string }
  | { type: 'read'; marks: Marks }
  | { type: 'done' }
  | { type: 'failed'; error: ErrorMessage }

/** An error as it crosses threads, where its class would be lost. */
export type ErrorMessage =
  | { kind: 'storage'; code: string; message: string }
  | { kind: 'corrupt'; path: string; message: string }
  | { kind: 'format'; path: string; found: number; supported: number }
  | { kind: 'other'; message: string; stack: string | undefined }

export function errorMessageFrom(error: unknown, path: string): ErrorMessage {
  if (error instanceof StorageError) return { kind: 'storage', code: error.code, message: error.message }
  if (error instanceof CorruptStoreError) return { kind: 'corrupt', path: error.path, message: error.message }
  if (error instanceof StoreFormatError) return { kind: 'format', path, found: error.found, supported: error.supported }
  if (error instanceof Error) return { kind: 'other', message: error.message, stack: error.stack }
  return { kind: 'other', message: String(error), stack: undefined }
}

export function errorFrom(message: ErrorMessage): Error {
  if (message.kind === 'storage') return new StorageError(message.code, message.message)
  if (message.kind === 'corrupt') return new CorruptStoreError(message.path, message.message)
  if (message.kind === 'format') return new StoreFormatError(message.path, message.found, message.supported)
  const error = new Error(message.message)
  if (message.stack) error.stack = message.stack
  return error
}
