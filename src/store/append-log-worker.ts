import { parentPort, workerData } from 'node:worker_threads'
import { type LogsFile, openLogsFile } from './append-log-file.js'
import type { LogsReply, LogsRequest, LogsWorkerOptions } from './append-log-messages.js'
import { loadSqlite } from './sqlite-engine.js'
import { errorMessageFrom } from './sqlite-messages.js'

/** The thread that owns the file of the logs (dist/append-log-worker.cjs): the objects' commits never wait behind an event's. */
function serve(port: NonNullable<typeof parentPort>, { path, maxFileBytes }: LogsWorkerOptions): void {
  const reply = (message: LogsReply, moved: ArrayBuffer[] = []): void => port.postMessage(message, moved)
  const failed = (error: unknown): void => reply({ type: 'failed', error: errorMessageFrom(error, path) })

  let file: LogsFile
  try {
    file = openLogsFile({
      open: loadSqlite(),
      path,
      maxFileBytes,
      onMigrated: (backup) => reply({ type: 'migrated', backup }),
    })
  } catch (error) {
    failed(error)
    return
  }

  const answer = (request: LogsRequest): void => {
    if (request.type === 'commit') file.commit(request.commit)
    else if (request.type === 'close') file.close()
    else {
      const records = file.read(request.log, request.afterOffset, request.limit)
      const payload = new Uint8Array(records.reduce((total, { bytes }) => total + bytes.length, 0))
      let end = 0
      const ends = records.map(({ bytes }) => {
        payload.set(bytes, end)
        return (end += bytes.length)
      })
      reply({ type: 'records', offsets: records.map(({ offset }) => offset), ends, payload }, [payload.buffer])
      return
    }
    reply({ type: 'done' })
  }
  port.on('message', (request: LogsRequest) => {
    try {
      answer(request)
    } catch (error) {
      failed(error)
    }
    // With nothing left to listen to the thread ends, and with it the lock on the file.
    if (request.type === 'close') port.close()
  })
  reply({ type: 'opened', content: file.content })
}

if (parentPort) serve(parentPort, workerData as LogsWorkerOptions)
