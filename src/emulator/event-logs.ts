import { existsSync } from 'node:fs'
import type { Logger } from '../base/logger.js'
import { type AppendLogs, openAppendLogs } from '../store/append-log.js'
import { programFile } from './programs.js'

/** The file of the logs of Brokers and channels, opened when it is first needed. */
export interface EventLogs {
  /** Rejects as openAppendLogs does; another call then tries again. */
  open(): Promise<AppendLogs>
  /** A file that is there is opened at once: one that cannot be trusted is to end the start, as the objects' store does. */
  ready: Promise<unknown>
  close(): Promise<void>
}

export function createEventLogs(path: string, log: Logger): EventLogs {
  let opened: Promise<AppendLogs> | undefined
  const open = (): Promise<AppendLogs> => {
    opened ??= openAppendLogs({ path, workerFile: programFile('append-log-worker.cjs'), log }).catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
  const ready = existsSync(path) || existsSync(`${path}-wal`) ? open() : Promise.resolve()
  // Whoever starts the emulator gets to it only later.
  ready.catch(() => {})
  return {
    open,
    ready,
    close: async () => (await opened?.catch(() => undefined))?.close(),
  }
}
