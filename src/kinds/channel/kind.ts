import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { Channel } from './schema.js'

export const channelKind: Kind<Channel> = {
  group: 'messaging.knative.dev',
  version: 'v1',
  kind: 'Channel',
  plural: 'channels',
  singular: 'channel',
  shortNames: ['ch'],
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
