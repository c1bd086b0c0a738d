import type { Clock } from './clock.js'

export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Fields = Record<string, unknown>

/** Constant messages with fields. Values of Secrets and bodies of events never go in. */
export interface Logger {
  debug(message: string, fields?: Fields): void
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** A logger that adds these fields to every line. */
  with(fields: Fields): Logger
}

const LEVELS: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 }

/** Lines of JSON or text, handed to `write` without a trailing newline. Lines below `level` cost one comparison. */
export function createLogger(options: {
  clock: Pick<Clock, 'now'>
  write: (line: string) => void
  level?: Level
  format?: 'text' | 'json'
}): Logger {
  const least = LEVELS[options.level ?? 'info']
  const make = (bound: Fields): Logger => {
    const log = (level: Level) => (message: string, fields?: Fields) => {
      if (LEVELS[level] < least) return
      const time = new Date(options.clock.now()).toISOString()
      const all = printable({ ...bound, ...fields })
      if (options.format === 'text') {
        const tail = Object.entries(all).map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        options.write(`${time} ${level.padEnd(5)} ${message}${tail.join('')}`)
      } else {
        options.write(JSON.stringify({ time, level, message, ...all }))
      }
    }
    return {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      with: (fields) => make({ ...bound, ...fields }),
    }
  }
  return make({})
}

/** Says nothing. */
export function createSilentLogger(): Logger {
  const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent }
  return silent
}

function printable(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? (value.stack ?? value.message) : value]),
  )
}
