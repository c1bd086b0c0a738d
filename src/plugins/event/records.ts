import type { ObjectList } from '../../apimachinery/call.js'
import { type Status, StatusError } from '../../apimachinery/status-error.js'
import { UserError } from '../../base/user-error.js'
import type { Client } from '../../client/client.js'
import { eventRecordKind } from '../../kinds/emulator/eventrecord/kind.js'
import type { EventRecord, EventState } from '../../kinds/emulator/eventrecord/schema.js'

/** What records are selected by; all that are given have to be equal. */
export interface RecordFilter {
  type?: string | undefined
  source?: string | undefined
  subject?: string | undefined
  broker?: string | undefined
  id?: string | undefined
  state?: EventState | undefined
}

const PAGE = 500
/** The server cannot go on from that version any more. */
const EXPIRED = 410

/** The filter as a field selector; '' for everything. */
export function selectorFrom({ type, source, subject, broker, id, state }: RecordFilter): string {
  const terms: [field: string, value: string | undefined][] = [
    ['spec.type', type],
    ['spec.source', source],
    ['spec.subject', subject],
    ['spec.id', id],
    ['spec.origin.kind', broker === undefined ? undefined : 'Broker'],
    ['spec.origin.name', broker],
    ['status.state', state],
  ]
  return terms.flatMap(([field, value]) => (value === undefined ? [] : `${field}=${escaped(value)}`)).join(',')
}

const escaped = (value: string): string => value.replace(/[\\,=]/g, '\\$&')

/** The newest records, the newest first, and the version that a watch goes on from. */
export async function newestRecords(
  client: Client,
  namespace: string | undefined,
  { filter = {}, limit }: { filter?: RecordFilter; limit: number },
): Promise<{ items: readonly EventRecord[]; resourceVersion: string }> {
  const fieldSelector = selectorFrom(filter)
  return fromJournal(() => client.listWithVersion(eventRecordKind, namespace, { limit, ...(fieldSelector && { fieldSelector }) }))
}

/** All records, the newest first, a page at a time. */
export async function* pagesOfRecords(
  client: Client,
  namespace: string | undefined,
  filter: RecordFilter,
): AsyncGenerator<readonly EventRecord[]> {
  const { group, version, plural } = eventRecordKind
  const fieldSelector = selectorFrom(filter)
  for (let token: string | undefined; ; ) {
    const options = { limit: PAGE, ...(fieldSelector && { fieldSelector }), ...(token && { continue: token }) }
    const call = { user: client.user, verb: 'list' as const, group, version, plural, ...(namespace && { namespace }), options }
    const { items, metadata } = (await fromJournal(() => client.transport.call(call))).object as ObjectList
    yield items as readonly EventRecord[]
    token = metadata.continue
    if (!token) return
  }
}

/** All records, the oldest first. */
export async function recordsInOrder(client: Client, namespace: string | undefined, filter: RecordFilter): Promise<EventRecord[]> {
  const records: EventRecord[] = []
  for await (const page of pagesOfRecords(client, namespace, filter)) records.push(...page)
  return records.reverse()
}

/**
 * Records as they come and change, from a version on, until the signal is aborted. A watch that the server ends goes on where it was, or,
 * where the server has forgotten too much since, from now.
 */
export async function* changesOfRecords(
  client: Client,
  namespace: string | undefined,
  options: { filter: RecordFilter; resourceVersion: string; signal: AbortSignal },
): AsyncGenerator<EventRecord> {
  const { signal } = options
  const fieldSelector = selectorFrom(options.filter)
  let { resourceVersion } = options
  while (!signal.aborted) {
    try {
      const watching = { namespace, resourceVersion, signal, ...(fieldSelector && { fieldSelector }) }
      for await (const event of client.watch(eventRecordKind, watching)) {
        if (event.type === 'ERROR') throw refusalFrom(event.object)
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion
        if (event.type === 'ADDED' || event.type === 'MODIFIED') yield event.object
      }
    } catch (error) {
      if (!(error instanceof StatusError && error.status.code === EXPIRED)) throw error
      ;({ resourceVersion } = await newestRecords(client, namespace, { limit: 1 }))
    }
  }
}

function refusalFrom({ code = 500, reason = 'InternalError', message = 'the watch failed', details }: Status): StatusError {
  return new StatusError({ code, reason, message, ...(details && { details }) })
}

/**
 * The record of an event: by the event's id, or by the record's own name. Of several with the same id the newest, and how many others
 * there are. Throws a UserError when there is none.
 */
export async function recordOf(
  client: Client,
  namespace: string,
  id: string,
  filter: Omit<RecordFilter, 'id'> = {},
): Promise<{ record: EventRecord; others: readonly EventRecord[] }> {
  const { items } = await newestRecords(client, namespace, { filter: { ...filter, id }, limit: PAGE })
  const [newest, ...others] = items
  if (newest) return { record: newest, others }
  const named = /^e\d{10,}$/.test(id) ? await client.find(eventRecordKind, { namespace, name: id }) : undefined
  if (named) return { record: named, others: [] }
  throw new UserError({
    code: 'no-event',
    what: `no event '${id}' in the journal of namespace '${namespace}'`,
    remedies: ['kn event list', 'kn event list --all-namespaces'],
  })
}

/** A sentence where an id means several records, else ''. */
export function othersText({ metadata, spec }: EventRecord, others: readonly EventRecord[]): string {
  if (others.length === 0) return ''
  const names = others.slice(0, 5).map((other) => other.metadata.name)
  const more = others.length > names.length ? ' …' : ''
  return `The id '${spec.id}' came ${others.length + 1} times; this is the newest, ${metadata.name}. The others: ${names.join(' ')}${more}`
}

/** The payload as it came. Throws a UserError when the journal kept less than that. */
export function payloadOf({ metadata, spec }: EventRecord): Buffer | undefined {
  const kept = spec.data === undefined ? undefined : Buffer.from(spec.data, 'base64')
  if ((kept?.length ?? 0) === (spec.dataBytes ?? 0)) return kept
  throw new UserError({
    code: 'payload-not-kept',
    what: `the journal has ${kept?.length ?? 0} of the ${spec.dataBytes} bytes that event '${spec.id}' (${metadata.name}) carried`,
    remedies: ["set 'event-journal-payload' in ConfigMap knative-serving/kn-local to 'on', for events to come"],
  })
}

async function fromJournal<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const isMissing =
      (error instanceof StatusError && error.status.code === 404) || (error instanceof UserError && error.code === 'api-missing')
    if (!isMissing) throw error
    throw new UserError({
      code: 'no-journal',
      what: 'this server keeps no journal of events',
      why: 'a Knative cluster has none, only the emulator of kn does',
      remedies: ['kn --context kn-emulator event list'],
      cause: error,
    })
  }
}
