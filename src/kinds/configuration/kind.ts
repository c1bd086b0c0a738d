import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { Configuration } from './schema.js'

export const configurationKind: Kind<Configuration> = {
  group: 'serving.knative.dev',
  version: 'v1',
  kind: 'Configuration',
  plural: 'configurations',
  singular: 'configuration',
  shortNames: ['config', 'cfg'],
  categories: ['all', 'knative', 'serving'],
  namespaced: true,
  status: true,
  definitionLabels: { 'duck.knative.dev/podspecable': 'true' },
  columns: [
    { name: 'LatestCreated', type: 'string', jsonPath: '.status.latestCreatedRevisionName' },
    { name: 'LatestReady', type: 'string', jsonPath: '.status.latestReadyRevisionName' },
    ...readyColumns,
  ],
}
