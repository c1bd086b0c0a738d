import { parentPort, workerData } from 'node:worker_threads'
import { loadSqlite } from './sqlite-engine.js'
import { type ReadStoreFile, readStoreFile, type StoreFile } from './sqlite-file.js'
import { errorMessageFrom, type Reply, type Request, type WorkerOptions } from './sqlite-messages.js'

/** The thread that owns a store file (dist/store-worker.cjs): every sync waits here, and nobody else waits with it. */
function serve(port: NonNullable<typeof parentPort>, { path, maxFileBytes }: WorkerOptions): void {
  const reply = (message: Reply): void => port.postMessage(message)
  const failed = (error: unknown): void => reply({ type: 'failed', error: errorMessageFrom(error, path) })

  let content: ReadStoreFile
  try {
    content = readStoreFile({
      open: loadSqlite(),
      path,
      maxFileBytes,
      onRows: (rows) => reply({ type: 'rows', rows }),
      onMigrated: (backup) => reply({ type: 'migrated', backup }),
    })
  } catch (error) {
    failed(error)
    return
  }

  let file: StoreFile | undefined
  port.on('message', (request: Request) => {
    try {
      if (request.type === 'hold') file = content.hold()
      else if (request.type === 'commit') file!.commit(request.commit)
      else file?.close(request.marks)
      reply({ type: 'done' })
    } catch (error) {
      failed(error)
    }
    // With nothing left to listen to the thread ends, and with it the lock on the file.
    if (request.type === 'close') port.close()
  })
  reply({ type: 'read', marks: content.marks })
}

if (parentPort) serve(parentPort, workerData as WorkerOptions)
