import type { Kind } from '../../../apimachinery/kind.js'
import type { CoreService } from './schema.js'

export const coreServiceKind: Kind<CoreService> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  status: true,
}
