import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { Route } from './schema.js'

export const routeKind: Kind<Route> = {
  group: 'serving.knative.dev',
  version: 'v1',
  kind: 'Route',
  plural: 'routes',
  singular: 'route',
  shortNames: ['rt'],
  categories: ['all', 'knative', 'serving'],
  namespaced: true,
  status: true,
  definitionLabels: { 'duck.knative.dev/addressable': 'true' },
  columns: [{ name: 'URL', type: 'string', jsonPath: '.status.url' }, ...readyColumns],
}
