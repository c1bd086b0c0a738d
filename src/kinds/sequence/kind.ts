import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { Sequence } from './schema.js'

export const sequenceKind: Kind<Sequence> = {
  group: 'flows.knative.dev',
  version: 'v1',
  kind: 'Sequence',
  plural: 'sequences',
  singular: 'sequence',
  categories: ['all', 'knative', 'flows'],
  namespaced: true,
  status: true,
  definitionLabels: { 'duck.knative.dev/addressable': 'true' },
  columns: [
    { name: 'URL', type: 'string', jsonPath: '.status.address.url' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    ...readyColumns,
  ],
}
