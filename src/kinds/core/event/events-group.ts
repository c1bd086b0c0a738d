import { causes } from '../../../apimachinery/causes.js'
import type { Column, Kind, ServedKind } from '../../../apimachinery/kind.js'
import type { KubeObject } from '../../../apimachinery/object.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { described, fields, int32, objectReference, objectSchema, text, time } from '../schema-parts.js'
import type { Event, ObjectReference } from './schema.js'
import { eventServed } from './served.js'

/** An Event as group events.k8s.io shows it: the same object, under other names. */
export interface GroupEvent extends KubeObject {
  eventTime?: string | null
  series?: Event['series']
  reportingController?: string
  reportingInstance?: string
  action?: string
  reason?: string
  regarding?: ObjectReference
  related?: ObjectReference
  note?: string
  type?: string
  deprecatedSource?: Event['source']
  deprecatedFirstTimestamp?: string | null
  deprecatedLastTimestamp?: string | null
  deprecatedCount?: number
}

export const groupEventKind: Kind<GroupEvent> = {
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
}

/** What differs by name only: here, and in the core group. */
const NAMES: readonly (readonly [here: keyof GroupEvent, core: keyof Event])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
]

/** @see kubernetes/kubernetes v1.35 pkg/apis/events/v1/conversion.go */
export function groupEventFrom(event: Event): GroupEvent {
  return renamed(event, 'events.k8s.io/v1', new Map(NAMES.map(([here, core]) => [core, here]))) as unknown as GroupEvent
}

export function coreEventFrom(event: GroupEvent): Event {
  const core = renamed(event, 'v1', new Map(NAMES)) as unknown as Event
  return core.involvedObject ? core : { ...core, involvedObject: {} }
}

function renamed(object: KubeObject, apiVersion: string, names: ReadonlyMap<string, string>): Record<string, unknown> {
  return { ...Object.fromEntries(Object.entries(object).map(([key, value]) => [names.get(key) ?? key, value])), apiVersion }
}

const columns: readonly Column[] = eventServed.kind.columns!.map(({ cell, ...column }) => ({
  ...column,
  cell: (event: GroupEvent, nowMs: number) => cell!(coreEventFrom(event) as never, nowMs),
}))

/** The second way to the Events of the core group: one store, two forms. */
export const groupEventServed: ServedKind<GroupEvent> = {
  kind: { ...groupEventKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  createsOnUpdate: true,
  generation: false,
  storedAs: {
    apiVersion: 'v1',
    resource: 'events',
    convert: (object, apiVersion) => (apiVersion === 'v1' ? coreEventFrom(object as GroupEvent) : groupEventFrom(object as Event)),
  },
  schema: objectSchema('Event is a report of something that happened to an object.', {
    action: text,
    deprecatedCount: int32,
    deprecatedFirstTimestamp: time,
    deprecatedLastTimestamp: time,
    deprecatedSource: fields({ component: text, host: text }),
    eventTime: time,
    note: text,
    reason: text,
    regarding: described('The object that this event is about.', objectReference),
    related: objectReference,
    reportingController: text,
    reportingInstance: text,
    series: fields({ count: int32, lastObservedTime: time }),
    type: text,
  }),
  validate: (event, { old }) => [...placeCauses(event), ...(old ? updateCauses(event, old) : createCauses(event))],
  fieldSelectors: Object.fromEntries(
    Object.entries(eventServed.fieldSelectors ?? {}).map(([label, value]) => [
      label.replace(/^involvedObject\./, 'regarding.').replace(/^reportingComponent$/, 'reportingController'),
      (event: GroupEvent) => value(coreEventFrom(event)),
    ]),
  ),
}

function placeCauses({ metadata: { namespace }, regarding }: GroupEvent): Cause[] {
  const isAtHome = regarding?.namespace ? regarding.namespace === namespace : namespace === 'default' || namespace === 'kube-system'
  return isAtHome ? [] : [causes.invalid('involvedObject.namespace', regarding?.namespace ?? '', 'does not match event.namespace')]
}

const LONGEST = 128
const LONGEST_NOTE = 1024

/** @see kubernetes/kubernetes v1.35 pkg/apis/core/validation/events.go, ValidateEventCreate */
function createCauses(event: GroupEvent): Cause[] {
  const { eventTime, type = '', reportingController = '', reportingInstance = '', action = '', reason = '', note = '' } = event
  const found: Cause[] = []
  if (!eventTime) found.push(causes.required('eventTime'))
  if (type !== 'Normal' && type !== 'Warning') found.push(causes.invalid('type', '', `has invalid value: ${type}`))
  if (event.deprecatedFirstTimestamp) found.push(causes.invalid('firstTimestamp', '', 'needs to be unset'))
  if (event.deprecatedLastTimestamp) found.push(causes.invalid('lastTimestamp', '', 'needs to be unset'))
  if (event.deprecatedCount) found.push(causes.invalid('count', '', 'needs to be unset'))
  if (event.deprecatedSource?.component || event.deprecatedSource?.host) found.push(causes.invalid('source', '', 'needs to be unset'))
  if (!reportingController) found.push(causes.required('reportingController'))
  const short = (field: string, value: string, isRequired: boolean): void => {
    if (isRequired && !value) found.push(causes.required(field))
    if (value.length > LONGEST) found.push(causes.invalid(field, '', `can have at most ${LONGEST} characters`))
  }
  short('reportingInstance', reportingInstance, true)
  short('action', action, true)
  short('reason', reason, true)
  if (Buffer.byteLength(note) > LONGEST_NOTE) found.push(causes.invalid('message', '', `can have at most ${LONGEST_NOTE} characters`))
  return found
}

/** Of an Event that was made through this group, only its series goes on. */
const FIXED = ['regarding', 'reason', 'note', 'type', 'eventTime', 'action', 'related', 'reportingController', 'reportingInstance'] as const

function updateCauses(event: GroupEvent, old: GroupEvent): Cause[] {
  if (!old.eventTime) return []
  return FIXED.flatMap((field) =>
    isSameJson(event[field] ?? null, old[field] ?? null) ? [] : [causes.invalid(field, event[field] ?? null, 'field is immutable')],
  )
}
