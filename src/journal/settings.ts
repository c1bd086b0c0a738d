import { goDurationMs } from '../base/duration.js'

/** How much the journal keeps. */
export interface JournalSettings {
  maxEvents: number
  maxBytes: number
  /** Of virtual time, since an event was accepted. */
  retentionMs: number
  /** How many bytes of a payload are kept: Infinity for all of them, 0 for none. */
  payloadBytes: number
}

/** Of the ConfigMap `kn-local` in knative-serving. */
export const JOURNAL_KEYS = {
  maxEvents: 'event-journal-max-events',
  maxBytes: 'event-journal-max-bytes',
  retention: 'event-journal-retention',
  payload: 'event-journal-payload',
} as const

export const JOURNAL_DEFAULTS: JournalSettings = {
  maxEvents: 100_000,
  maxBytes: 256 * 1024 * 1024,
  retentionMs: 24 * 3_600_000,
  payloadBytes: Number.POSITIVE_INFINITY,
}

/**
 * What a ConfigMap says of the journal: whole numbers above 0 for the limits, a Go duration for the retention, and for payloads
 * `on`, `off` or a number of bytes. What is absent or cannot be read is as by default; `onProblem` is told of the latter.
 */
export function journalSettings(
  data: Readonly<Record<string, string>> | undefined,
  onProblem: (key: string, value: string) => void = () => {},
): JournalSettings {
  const read = <T>(key: string, parse: (text: string) => T | undefined, otherwise: T): T => {
    const text = data && Object.hasOwn(data, key) ? data[key]!.trim() : ''
    if (text === '') return otherwise
    const value = parse(text)
    if (value === undefined) onProblem(key, text)
    return value ?? otherwise
  }
  return {
    maxEvents: read(JOURNAL_KEYS.maxEvents, positive, JOURNAL_DEFAULTS.maxEvents),
    maxBytes: read(JOURNAL_KEYS.maxBytes, positive, JOURNAL_DEFAULTS.maxBytes),
    retentionMs: read(JOURNAL_KEYS.retention, retention, JOURNAL_DEFAULTS.retentionMs),
    payloadBytes: read(JOURNAL_KEYS.payload, payload, JOURNAL_DEFAULTS.payloadBytes),
  }
}

function positive(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : undefined
}

function retention(text: string): number | undefined {
  const ms = goDurationMs(text)
  return ms !== undefined && ms > 0 ? ms : undefined
}

function payload(text: string): number | undefined {
  if (text === 'on') return Number.POSITIVE_INFINITY
  if (text === 'off') return 0
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
