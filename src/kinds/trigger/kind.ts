import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { Trigger } from './schema.js'

export const triggerKind: Kind<Trigger> = {
  group: 'eventing.knative.dev',
  version: 'v1',
  kind: 'Trigger',
  plural: 'triggers',
  singular: 'trigger',
  categories: ['all', 'knative', 'eventing'],
  namespaced: true,
  status: true,
  columns: [
    { name: 'Broker', type: 'string', jsonPath: '.spec.broker' },
    { name: 'Subscriber_URI', type: 'string', jsonPath: '.status.subscriberUri' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ...readyColumns,
  ],
}
