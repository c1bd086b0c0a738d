import { readFileSync, rmSync, writeSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { createSystemClock } from '../base/clock.js'
import { writeFileAtomically } from '../base/files.js'
import { createLogger } from '../base/logger.js'
import { createSystemRandom } from '../base/random.js'
import { UserError } from '../base/user-error.js'
import { PROGRAM_VERSION } from '../base/versions.js'
import { openSqliteStore } from '../store/sqlite.js'
import { CorruptStoreError, StorageError, StoreFormatError } from '../store/store.js'
import { restoreClock } from './clock.js'
import { type Emulator, startEmulator } from './emulator.js'
import type { DaemonMessage } from './instance.js'
import { type InstancePaths, pathsIn } from './paths.js'
import { programFile } from './programs.js'
import { CLOCK_MODES, type ClockChoice, type InstanceRecord, type RunningRecord, serviceAccountKeyOf, withAllPorts } from './record.js'

/** When the first process of a version keeps its compiled code for the next, in real milliseconds after its start: it has done most things once. */
const KEEP_CODE_MS = 5000

/**
 * The emulator's process: `emulator-process.cjs DIRECTORY [--attached] [--clock=real|virtual]`. Its log is its standard output.
 * Whoever started it hears `ready`, or in words what failed, over the channel between them; attached, it ends when that
 * channel closes. `--clock` overrules how the clock was left. `keepCode` is given when there is no compiled code of this version yet.
 */
export async function runDaemon(directory: string, words: readonly string[], keepCode?: () => void): Promise<void> {
  const isAttached = words.includes('--attached')
  const clockChoice = (Object.keys(CLOCK_MODES) as ClockChoice[]).find((choice) => words.includes(`--clock=${choice}`))
  const clock = createSystemClock()
  const log = createLogger({ clock, write: writeLine, format: 'text' })
  const paths = pathsIn(directory)
  const tell = (message: DaemonMessage): void => void process.send?.(message)

  const fail = (error: unknown): void => {
    log.error('the emulator could not start', { error })
    const { code, what, why, remedies } = userErrorFrom(error, paths)
    tell({ failed: { code, what, remedies, ...(why && { why }) } })
    process.exitCode = 1
    setImmediateExit()
  }

  let emulator: Emulator
  let record = JSON.parse(readFileSync(paths.record, 'utf8')) as InstanceRecord
  try {
    record = await withAllPorts(record, paths)
    const opening = openSqliteStore({
      path: paths.store,
      workerFile: programFile('store-worker.cjs'),
      log: log.with({ part: 'store' }),
    })
    // The first one of a process reads all authorities that Node brings, whoever is trusted: while the store's thread starts.
    createSecureContext({ ca: record.certificates.caCertificate })
    const store = await opening
    if (paths.socket) rmSync(paths.socket, { force: true })
    emulator = await startEmulator({
      store,
      ports: record.ports,
      host: '127.0.0.1',
      ...(paths.socket && { socketPath: paths.socket }),
      certificates: record.certificates,
      token: record.token,
      serviceAccountKey: serviceAccountKeyOf(record, paths),
      marker: record.marker,
      workloadsDirectory: paths.workloads,
      eventsFile: paths.events,
      journalFile: paths.journal,
      hostEnv: process.env,
      clock: restoreClock({
        store,
        base: clock,
        mode: clockChoice && CLOCK_MODES[clockChoice],
        firstMode: CLOCK_MODES[record.clock ?? 'real'],
      }),
      realClock: clock,
      random: createSystemRandom(),
      log,
    })
    const running: RunningRecord = { pid: process.pid, version: PROGRAM_VERSION, startedAtMs: clock.now() }
    writeFileAtomically(paths.running, `${JSON.stringify(running)}\n`)

    let isCodeKept = false
    if (keepCode)
      createSystemClock({ unref: true }).after(KEEP_CODE_MS, () => {
        isCodeKept = true
        keepCode()
      })
    let stopping = false
    const stop = async (why: string): Promise<void> => {
      if (stopping) return
      stopping = true
      log.info('stopping', { why })
      await emulator.stop()
      await store.close()
      rmSync(paths.running, { force: true })
      if (paths.socket) rmSync(paths.socket, { force: true })
      if (isAttached) rmSync(paths.directory, { recursive: true, force: true })
      // Once more, with all that has run meanwhile.
      if (isCodeKept) keepCode?.()
      log.info('stopped')
      process.exit(0)
    }
    process.on('SIGTERM', () => void stop('SIGTERM'))
    process.on('SIGINT', () => void stop('SIGINT'))
    if (isAttached) process.on('disconnect', () => void stop('the command that needed it has ended'))
    log.info('emulator is ready', { ...record.ports, pid: process.pid, version: PROGRAM_VERSION })
    tell({ ready: true })
  } catch (error) {
    fail(error)
  }
}

/** Lets the message to the parent out before the process ends. */
function setImmediateExit(): void {
  if (process.connected) process.disconnect()
  createSystemClock({ unref: true }).after(1000, () => process.exit())
}

function userErrorFrom(error: unknown, paths: InstancePaths): UserError {
  if (error instanceof UserError) return error
  const what = 'cannot start the emulator'
  if (error instanceof CorruptStoreError) {
    return new UserError({
      code: 'store-corrupt',
      what,
      why: error.message,
      remedies: ['restore the file from a backup', 'kn emulator reset'],
    })
  }
  if (error instanceof StoreFormatError) {
    return new UserError({ code: 'state-newer', what, why: error.message, remedies: ['use the newer kn', 'kn emulator reset'] })
  }
  if (error instanceof StorageError) {
    const remedies =
      error.code === 'EBUSY' ? ['kn emulator status', 'kn emulator stop'] : ['free some space, or make the directory writable']
    return new UserError({ code: error.code === 'EBUSY' ? 'state-in-use' : 'state-unusable', what, why: error.message, remedies })
  }
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return new UserError({ code: 'port-in-use', what, why: message, remedies: ['kn emulator status'] })
  return new UserError({ code: 'start-failed', what, why: message, remedies: [`see ${paths.log}`] })
}

/** To the log, which is standard output. A disk that is full must not end the emulator: the line is lost instead. */
function writeLine(line: string): void {
  try {
    writeSync(1, `${line}\n`)
  } catch {
    // Nowhere is left to say it.
  }
}

process.on('uncaughtException', (error) => {
  writeLine(error.stack ?? error.message)
  process.exit(70)
})
process.on('unhandledRejection', (error) => {
  writeLine(String(error instanceof Error ? error.stack : error))
  process.exit(70)
})
