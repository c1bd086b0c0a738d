import { isMainThread, workerData } from 'node:worker_threads'
import { openJournalTables } from '../journal/journal-file.js'
import { type JournalWorkerOptions, serveJournal } from '../journal/journal-thread.js'
import { loadSqlite } from '../store/sqlite-engine.js'

/** The thread that writes the journal (dist/journal-worker.cjs). */
if (!isMainThread) {
  const options = workerData as JournalWorkerOptions
  serveJournal(options, () => openJournalTables(loadSqlite(), options.path))
}
