import { Worker } from 'node:worker_threads'
import type { Commit, Marks } from './sqlite-file.js'
import type { ChangeRow } from './sqlite-format.js'
import { errorFrom, type Reply, type Request, type WorkerOptions } from './sqlite-messages.js'
import { StorageError } from './store.js'

/** The worker thread, as calls. */
export interface StoreWorker {
  /** As they are in the file that was read. */
  readonly marks: Marks
  /** Opens the file for writing and locks it; rejects with a StorageError. */
  hold(): Promise<void>
  /** Resolves when it is on disk; rejects with a StorageError. One at a time. */
  commit(commit: Commit): Promise<void>
  /** Writes the marks, if the file is held, and ends the thread; rejects, with the thread ended, when they could not be written. */
  close(marks: Marks): Promise<void>
}

/** Rows pass through the thread and are gone: left alone, its heap grows by what they are at the start, and never shrinks again. */
const YOUNG_MB = 4

/** Starts the thread and reads the file. Rejects with what readStoreFile throws; the thread has ended by then. */
export async function startStoreWorker(options: {
  workerFile: string
  path: string
  maxFileBytes: number | undefined
  onRows: (rows: ChangeRow[]) => void
  onMigrated: (backup: string) => void
}): Promise<StoreWorker> {
  const { workerFile, path, maxFileBytes } = options
  const workerData: WorkerOptions = { path, maxFileBytes }
  // Without the flags of this process: a loader for TypeScript, say, would be loaded there too.
  const thread = new Worker(workerFile, { workerData, name: 'store', execArgv: [], resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } })

  let answer: { resolve: () => void; reject: (error: Error) => void } | undefined
  let ended: Error | undefined
  const settle = (error?: Error): void => {
    const waiting = answer
    answer = undefined
    if (error) waiting?.reject(error)
    else waiting?.resolve()
  }
  const exited = new Promise<void>((resolve) => {
    thread.once('exit', (exitCode) => {
      ended ??= new StorageError('EIO', `cannot write to ${path}: its thread ended with code ${exitCode} (EIO)`)
      settle(ended)
      resolve()
    })
  })
  thread.once('error', (error) => {
    ended = new StorageError('EIO', `cannot write to ${path}: its thread failed: ${error.message} (EIO)`)
    settle(ended)
  })

  const ask = (request: Request): Promise<void> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended)
      answer = { resolve, reject }
      thread.postMessage(request)
    })

  const marks = await new Promise<Marks>((resolve, reject) => {
    answer = { resolve: () => {}, reject }
    thread.on('message', (reply: Reply) => {
      if (reply.type === 'rows') options.onRows(reply.rows)
      else if (reply.type === 'migrated') options.onMigrated(reply.backup)
      else if (reply.type === 'read') resolve(reply.marks)
      else settle(reply.type === 'failed' ? errorFrom(reply.error) : undefined)
    })
  }).catch(async (error: unknown) => {
    await exited
    throw error
  })

  return {
    marks,
    hold: () => ask({ type: 'hold' }),
    commit: (commit) => ask({ type: 'commit', commit }),
    async close(last) {
      try {
        await ask({ type: 'close', marks: last })
      } finally {
        await exited
      }
    },
  }
}
