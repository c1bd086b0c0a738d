import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { Parallel } from './schema.js'

export const parallelKind: Kind<Parallel> = {
  group: 'flows.knative.dev',
  version: 'v1',
  kind: 'Parallel',
  plural: 'parallels',
  singular: 'parallel',
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
