import { MessageChannel, type MessagePort, receiveMessageOnPort, type TransferListItem, Worker } from 'node:worker_threads'
import type { JournalTables, JournalWrite, JournalWriter } from './journal-file.js'

/** What the worker is started with. */
export interface JournalWorkerOptions {
  path: string
  port: MessagePort
  /** One integer: how many requests are answered. */
  answered: SharedArrayBuffer
}

/** To the worker. Each is answered once, in order. */
type Request = { type: 'write'; write: JournalWrite; attempt: number } | { type: 'close' }
interface Reply {
  error?: { message: string; errcode: number | undefined }
}

/** A worker that does not answer for so long has ended, in real milliseconds. */
const ANSWER_MS = 10_000

/**
 * Writes a journal in a thread of its own (`workerFile`, built from src/emulator/journal-worker.ts), so that the event loop, which is
 * the data path's, waits for none of it. After a write that was refused all that are on their way are refused too: they build on it.
 */
export function startJournalThread(options: { workerFile: string; path: string }): JournalWriter {
  const { port1: port, port2 } = new MessageChannel()
  const shared = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  const answered = new Int32Array(shared)
  const workerData: JournalWorkerOptions = { path: options.path, port: port2, answered: shared }
  // Without the flags of this process: a loader for TypeScript, say, would be loaded there too.
  const thread = new Worker(options.workerFile, { workerData, transferList: [port2], name: 'journal', execArgv: [] })
  const waiting: ((error?: unknown) => void)[] = []
  let asked = 0
  let attempt = 0
  let ended: Error | undefined
  // It is written to the end when it is closed; until then it keeps no process alive.
  thread.unref()
  thread.on('error', (error) => end(error))
  thread.on('exit', () => end(new Error('its thread has ended')))
  port.on('message', (reply: Reply) => take(reply))
  port.unref()

  function take({ error }: Reply): void {
    if (error) attempt++
    waiting.shift()?.(error && Object.assign(new Error(error.message), { errcode: error.errcode }))
  }
  function end(error: Error): void {
    ended ??= error
    for (const done of waiting.splice(0)) done(ended)
  }
  function ask(request: Request, moved: TransferListItem[], done: (error?: unknown) => void): void {
    if (ended) {
      done(ended)
      return
    }
    asked++
    waiting.push(done)
    port.postMessage(request, moved)
  }
  function flush(): void {
    while (waiting.length > 0) {
      const count = Atomics.load(answered, 0)
      const received = receiveMessageOnPort(port) as { message: Reply } | undefined
      if (received) take(received.message)
      else if (count < asked && Atomics.wait(answered, 0, count, ANSWER_MS) === 'timed-out') {
        void thread.terminate()
        end(new Error('its thread does not answer'))
      }
    }
  }

  return {
    get backlog() {
      return waiting.length
    },
    get hasEnded() {
      return ended !== undefined
    },
    write(write, done) {
      ask({ type: 'write', write, attempt }, [write.payload.buffer as ArrayBuffer], done)
    },
    flush,
    close() {
      ask({ type: 'close' }, [], () => {})
      flush()
      port.close()
    },
  }
}

/** The other end: owns a connection for writing until it is told to close it. */
export function serveJournal({ port, answered }: JournalWorkerOptions, openTables: () => JournalTables): void {
  const count = new Int32Array(answered)
  let tables: JournalTables | undefined
  let refused = -1
  const answer = (request: Request): Reply => {
    try {
      if (request.type === 'close') tables?.close()
      else {
        if (request.attempt === refused) throw new Error('a write before it was refused')
        tables ??= openTables()
        tables.write(request.write)
      }
      return {}
    } catch (error) {
      if (request.type === 'write') refused = request.attempt
      const { message, errcode } = error as { message: string; errcode?: number }
      return { error: { message, errcode } }
    }
  }
  port.on('message', (request: Request) => {
    port.postMessage(answer(request))
    Atomics.add(count, 0, 1)
    Atomics.notify(count, 0)
    if (request.type === 'close') port.close()
  })
}
