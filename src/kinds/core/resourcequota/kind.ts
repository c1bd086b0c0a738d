import type { Kind } from '../../../apimachinery/kind.js'
import type { ResourceQuota } from './schema.js'

export const resourceQuotaKind: Kind<ResourceQuota> = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  namespaced: true,
  status: true,
}
