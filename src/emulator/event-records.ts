import { groupVersion, type ObjectSource } from '../apimachinery/kind.js'
import { timestamp } from '../apimachinery/object.js'
import type { Requirement } from '../apimachinery/selectors.js'
import { goDurationText } from '../base/duration.js'
import type { Logger } from '../base/logger.js'
import type { Journal, JournalEntry } from '../journal/journal.js'
import type { RecordFilter } from '../journal/journal-file.js'
import { outcomeOf, type State, type Step, stepsOf } from '../journal/record.js'
import { type JournalSettings, journalSettings } from '../journal/settings.js'
import { eventRecordKind } from '../kinds/emulator/eventrecord/kind.js'
import { BROKER_LABEL, type EventRecord, type RecordHop } from '../kinds/emulator/eventrecord/schema.js'

/** The journal as the API shows it. The newest record comes first. */
export function eventRecordsFrom(journal: Journal): ObjectSource<EventRecord> {
  return {
    version: () => journal.version(),
    find({ namespace = '', name }) {
      const entry = journal.find(namespace, name)
      return entry && recordFrom(entry)
    },
    page({ namespace, fields, after, upToVersion, limit }) {
      const filter = filterFrom(fields, namespace)
      return filter ? journal.page({ filter, after, upToVersion, limit }).map(recordFrom) : []
    },
    watch: ({ namespace, fromVersion }, listener) =>
      journal.watch({ namespace, fromVersion }, ({ type, entry, previousState, version }) => {
        const object = recordFrom(entry)
        // Of all that selectors look at, only the state ever changes.
        const previous = previousState && { ...object, status: { ...object.status, state: previousState } }
        listener({ type, object, previous: type === 'DELETED' ? object : previous, version })
      }),
  }
}

const FIELDS: Readonly<Record<string, keyof RecordFilter>> = {
  'metadata.namespace': 'namespace',
  'spec.id': 'id',
  'spec.source': 'source',
  'spec.type': 'type',
  'spec.subject': 'subject',
  'spec.origin.kind': 'originKind',
  'spec.origin.name': 'originName',
  'status.state': 'state',
}

/** The terms that the journal can look for itself; undefined when no record can match. Others are left to the caller. */
function filterFrom(fields: readonly Requirement[], namespace: string | undefined): RecordFilter | undefined {
  const filter: Partial<Record<keyof RecordFilter, string>> = namespace === undefined ? {} : { namespace }
  for (const { field, operator, value } of fields) {
    const name = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined
    // An empty value stands for what is absent, too.
    if (!name || operator !== '=' || value === '') continue
    if (filter[name] !== undefined && filter[name] !== value) return undefined
    filter[name] = value
  }
  return filter as RecordFilter
}

/** One entry as an object of the API. */
export function recordFrom({ name, uid, version, record, state, data }: JournalEntry): EventRecord {
  const { identity, origin, offset, atMs, attributes, dataBytes, replyOf } = record
  return {
    apiVersion: groupVersion(eventRecordKind),
    kind: eventRecordKind.kind,
    metadata: {
      name,
      namespace: origin.namespace,
      uid,
      resourceVersion: String(version),
      creationTimestamp: timestamp(atMs),
      ...(origin.kind === 'Broker' && { labels: { [BROKER_LABEL]: origin.name } }),
    },
    spec: {
      id: identity.id,
      source: identity.source,
      type: identity.type,
      ...(identity.subject !== undefined && { subject: identity.subject }),
      ...(attributes && { attributes }),
      ...(data && { data: data.toString('base64') }),
      ...(dataBytes !== undefined && { dataBytes }),
      acceptedAt: timeText(atMs),
      origin: { ...origin, offset },
      ...(replyOf && {
        replyOf: {
          at: replyOf.at,
          origin: { ...replyOf.origin, offset: replyOf.offset },
          ...(replyOf.record && { record: replyOf.record }),
        },
      }),
    },
    status: { state: state satisfies State, hops: stepsOf(record).map(hopFrom) },
  }
}

function hopFrom(step: Step): RecordHop {
  const { at, filtered, attempts, attemptCount, delivered, reply, deadLetter, dropped, looped } = step
  return {
    at,
    outcome: outcomeOf(step),
    ...(filtered && { filtered: timed(filtered) }),
    ...(attemptCount > 0 && {
      attempts: attempts.map(({ tookMs, retryInMs, ...attempt }) => ({
        ...timed(attempt),
        took: goDurationText(tookMs),
        ...(retryInMs !== undefined && { retryIn: goDurationText(retryInMs) }),
      })),
      attemptCount,
    }),
    ...(delivered && { delivered: timed(delivered) }),
    ...(reply && { reply: replyFrom(reply) }),
    ...(deadLetter && { deadLetter: timed(deadLetter) }),
    ...(dropped && { dropped: { time: timeText(dropped.atMs), why: dropped.why } }),
    ...(looped && { looped: timed(looped) }),
  }
}

function replyFrom({ event: { id, source, type }, ...reply }: NonNullable<Step['reply']>): NonNullable<RecordHop['reply']> {
  return { ...timed(reply), id, source, type }
}

function timed<T extends { atMs: number }>({ atMs, ...rest }: T): Omit<T, 'atMs'> & { time: string } {
  return { time: timeText(atMs), ...rest }
}

function timeText(epochMs: number): string {
  return new Date(Math.round(epochMs)).toISOString()
}

/** The journal's settings as a ConfigMap says them now; taken apart again only after it changed. What cannot be read is said once. */
export function followJournalSettings(
  read: () => Readonly<Record<string, string>> | undefined,
  log: Pick<Logger, 'warn'>,
): () => JournalSettings {
  let data: Readonly<Record<string, string>> | undefined
  let settings = journalSettings(undefined)
  return () => {
    const now = read()
    if (now !== data) {
      data = now
      settings = journalSettings(now, (key, value) => log.warn('a setting of the journal of events cannot be read', { key, value }))
    }
    return settings
  }
}
