import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { InMemoryChannel } from './schema.js'

export const inMemoryChannelKind: Kind<InMemoryChannel> = {
  group: 'messaging.knative.dev',
  version: 'v1',
  kind: 'InMemoryChannel',
  plural: 'inmemorychannels',
  singular: 'inmemorychannel',
  shortNames: ['imc'],
  categories: ['all', 'knative', 'messaging', 'channel'],
  namespaced: true,
  status: true,
  definitionLabels: { 'duck.knative.dev/addressable': 'true', 'messaging.knative.dev/subscribable': 'true' },
  columns: [
    { name: 'URL', type: 'string', jsonPath: '.status.address.url' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ...readyColumns,
  ],
}
