import { Worker } from 'node:worker_threads'
import type { LogCommit, LogRecord, LogsContent } from './append-log-file.js'
import type { LogsReply, LogsRequest, LogsWorkerOptions } from './append-log-messages.js'
import { errorFrom } from './sqlite-messages.js'
import { StorageError } from './store.js'

/** The worker thread of the logs, as calls; they are answered in order. */
export interface LogsWorker {
  readonly content: LogsContent
  /** Resolves when it is on disk; rejects with a StorageError, nothing changed. The payload is the worker's afterwards. */
  commit(commit: LogCommit): Promise<void>
  read(log: number, afterOffset: number, limit: { records: number; bytes: number }): Promise<LogRecord[]>
  /** Ends the thread. */
  close(): Promise<void>
}

type Answer = Extract<LogsReply, { type: 'done' | 'records' }>

/** Starts the thread and opens the file. Rejects with what openLogsFile throws; the thread has ended by then. */
export async function startLogsWorker(options: {
  workerFile: string
  path: string
  maxFileBytes: number | undefined
  onMigrated: (backup: string) => void
}): Promise<LogsWorker> {
  const { workerFile, path, maxFileBytes } = options
  const workerData: LogsWorkerOptions = { path, maxFileBytes }
  // Without the flags of this process: a loader for TypeScript, say, would be loaded there too.
  const thread = new Worker(workerFile, { workerData, name: 'append-log', execArgv: [] })

  const waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  let ended: Error | undefined
  const end = (error: Error): void => {
    ended ??= error
    for (const { reject } of waiting.splice(0)) reject(ended)
  }
  const exited = new Promise<void>((resolve) => {
    thread.once('exit', (exitCode) => {
      end(new StorageError('EIO', `cannot write to ${path}: its thread ended with code ${exitCode} (EIO)`))
      resolve()
    })
  })
  thread.once('error', (error) => end(new StorageError('EIO', `cannot write to ${path}: its thread failed: ${error.message} (EIO)`)))

  const ask = (request: LogsRequest, moved: ArrayBuffer[] = []): Promise<Answer> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended)
      waiting.push({ resolve, reject })
      thread.postMessage(request, moved)
    })

  const content = await new Promise<LogsContent>((resolve, reject) => {
    waiting.push({ resolve: () => {}, reject })
    thread.on('message', (reply: LogsReply) => {
      if (reply.type === 'migrated') options.onMigrated(reply.backup)
      else if (reply.type === 'opened') {
        waiting.shift()
        resolve(reply.content)
      } else if (reply.type === 'failed') waiting.shift()?.reject(errorFrom(reply.error))
      else waiting.shift()?.resolve(reply)
    })
  }).catch(async (error: unknown) => {
    await exited
    throw error
  })

  return {
    content,
    async commit(commit) {
      await ask({ type: 'commit', commit }, [commit.records.payload.buffer as ArrayBuffer])
    },
    async read(log, afterOffset, limit) {
      const answer = await ask({ type: 'read', log, afterOffset, limit })
      if (answer.type !== 'records') return []
      const { offsets, ends } = answer
      const payload = Buffer.from(answer.payload.buffer, answer.payload.byteOffset, answer.payload.length)
      return offsets.map((offset, at) => ({ offset, bytes: payload.subarray(ends[at - 1] ?? 0, ends[at]) }))
    },
    async close() {
      try {
        await ask({ type: 'close' })
      } finally {
        await exited
      }
    },
  }
}
