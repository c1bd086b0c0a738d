import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { Broker } from './schema.js'

export const brokerKind: Kind<Broker> = {
  group: 'eventing.knative.dev',
  version: 'v1',
  kind: 'Broker',
  plural: 'brokers',
  singular: 'broker',
  categories: ['all', 'knative', 'eventing'],
  namespaced: true,
  status: true,
  definitionLabels: { 'duck.knative.dev/addressable': 'true' },
  columns: [
    { name: 'URL', type: 'string', jsonPath: '.status.address.url' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ...readyColumns,
    { name: 'Class', type: 'string', jsonPath: '.metadata.annotations.eventing\\.knative\\.dev/broker\\.class', priority: 1 },
  ],
}
