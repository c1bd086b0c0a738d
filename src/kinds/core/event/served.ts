import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { described, fields, int32, objectReference, objectSchema, text, time } from '../schema-parts.js'
import { eventKind } from './kind.js'
import type { Event } from './schema.js'

const sourceText = ({ source, reportingComponent, reportingInstance }: Event): string =>
  [source?.component || reportingComponent, source?.host || reportingInstance].filter(Boolean).join(', ')
const firstSeen = ({ firstTimestamp, eventTime }: Event): string | null | undefined => firstTimestamp || eventTime

const columns: readonly Column[] = [
  { name: 'Last Seen', type: 'string', description: 'Time of the last occurrence.', cell: lastSeenCell },
  { name: 'Type', type: 'string', description: 'Normal or Warning.', cell: ({ type }: Event) => type ?? '' },
  { name: 'Reason', type: 'string', cell: ({ reason }: Event) => reason ?? '' },
  { name: 'Object', type: 'string', cell: ({ involvedObject: { kind, name } }: Event) => `${(kind ?? '').toLowerCase()}/${name ?? ''}` },
  { name: 'Subobject', type: 'string', priority: 1, cell: ({ involvedObject }: Event) => involvedObject.fieldPath ?? '' },
  { name: 'Source', type: 'string', priority: 1, cell: sourceText },
  { name: 'Message', type: 'string', cell: ({ message }: Event) => (message ?? '').trim() },
  { name: 'First Seen', type: 'string', priority: 1, cell: (event: Event, nowMs) => age(firstSeen(event), nowMs) },
  { name: 'Count', type: 'string', priority: 1, cell: ({ count, series }: Event) => String(series?.count ?? (count || 1)) },
  { name: 'Name', type: 'string', priority: 1, cell: ({ metadata }: Event) => metadata.name },
]

export const eventServed: ServedKind<Event> = {
  kind: { ...eventKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  createsOnUpdate: true,
  generation: false,
  schema: objectSchema(
    'Event is a report of something that happened to an object.',
    {
      action: text,
      count: int32,
      eventTime: time,
      firstTimestamp: time,
      involvedObject: described('The object that this event is about.', objectReference),
      lastTimestamp: time,
      message: text,
      reason: text,
      related: objectReference,
      reportingComponent: { type: 'string', default: '' },
      reportingInstance: { type: 'string', default: '' },
      series: fields({ count: int32, lastObservedTime: time }),
      source: fields({ component: text, host: text }),
      type: text,
    },
    ['involvedObject'],
  ),
  validate({ metadata, involvedObject }) {
    // Events about cluster-scoped objects live in the default namespace (or in kube-system).
    const isAtHome = involvedObject.namespace
      ? involvedObject.namespace === metadata.namespace
      : metadata.namespace === 'default' || metadata.namespace === 'kube-system'
    return isAtHome ? [] : [causes.invalid('involvedObject.namespace', involvedObject.namespace ?? '', 'does not match event.namespace')]
  },
  fieldSelectors: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => source?.component || (reportingComponent ?? ''),
    type: ({ type }) => type ?? '',
  },
}

/** `2m10s (x5 over 10m)` once it happened more than once. */
function lastSeenCell(event: Event, nowMs: number): string {
  const { series, lastTimestamp, count = 1 } = event
  const first = firstSeen(event)
  if (series) return `${age(series.lastObservedTime, nowMs)} (x${series.count} over ${age(first, nowMs)})`
  const last = age(lastTimestamp || first, nowMs)
  return count > 1 ? `${last} (x${count} over ${age(first, nowMs)})` : last
}
