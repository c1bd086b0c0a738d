import type { Kind } from '../../../apimachinery/kind.js'
import type { APIService } from './schema.js'

export const apiServiceKind: Kind<APIService> = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  singular: 'apiservice',
  categories: ['api-extensions'],
  namespaced: false,
  status: true,
}
