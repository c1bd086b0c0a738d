import type { Kind } from '../../../apimachinery/kind.js'
import type { Job } from './schema.js'

export const jobKind: Kind<Job> = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  plural: 'jobs',
  singular: 'job',
  categories: ['all'],
  namespaced: true,
  status: true,
}
