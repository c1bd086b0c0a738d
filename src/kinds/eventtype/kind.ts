import type { Column, Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { EventType, EventTypeV1beta3 } from './schema.js'

const names = {
  group: 'eventing.knative.dev',
  kind: 'EventType',
  plural: 'eventtypes',
  singular: 'eventtype',
  categories: ['all', 'knative', 'eventing'],
  namespaced: true,
  status: true,
} as const

const referenceColumns: readonly Column[] = [
  { name: 'Reference Name', type: 'string', jsonPath: '.spec.reference.name' },
  { name: 'Reference Kind', type: 'string', jsonPath: '.spec.reference.kind' },
  { name: 'Description', type: 'string', jsonPath: '.spec.description' },
  ...readyColumns,
]

const typeColumns: readonly Column[] = [
  { name: 'Type', type: 'string', jsonPath: '.spec.type' },
  { name: 'Source', type: 'string', jsonPath: '.spec.source' },
  { name: 'Schema', type: 'string', jsonPath: '.spec.schema' },
  ...referenceColumns,
]

/** The version that is stored: caches and controllers use this one. */
export const eventTypeKind: Kind<EventType> = { ...names, version: 'v1beta2', columns: typeColumns }

/** The newest version, which clients prefer. */
export const eventTypeV1beta3Kind: Kind<EventTypeV1beta3> = {
  ...names,
  version: 'v1beta3',
  columns: [
    { name: 'Type', type: 'string', jsonPath: ".spec.attributes[?(@.name=='type')].value" },
    { name: 'Source', type: 'string', jsonPath: ".spec.attributes[?(@.name=='source')].value" },
    ...referenceColumns,
  ],
}

/** Of old; the same as v1beta2 but for its name. */
export const eventTypeV1beta1Kind: Kind<EventType> = { ...names, version: 'v1beta1', columns: typeColumns }
