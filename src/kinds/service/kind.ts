import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { Service } from './schema.js'

export const serviceKind: Kind<Service> = {
  group: 'serving.knative.dev',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['kservice', 'ksvc'],
  categories: ['all', 'knative', 'serving'],
  namespaced: true,
  status: true,
  definitionLabels: { 'duck.knative.dev/addressable': 'true', 'duck.knative.dev/podspecable': 'true' },
  columns: [
    { name: 'URL', type: 'string', jsonPath: '.status.url' },
    { name: 'LatestCreated', type: 'string', jsonPath: '.status.latestCreatedRevisionName' },
    { name: 'LatestReady', type: 'string', jsonPath: '.status.latestReadyRevisionName' },
    ...readyColumns,
  ],
}
