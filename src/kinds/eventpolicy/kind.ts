import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { EventPolicy } from './schema.js'

export const eventPolicyKind: Kind<EventPolicy> = {
  group: 'eventing.knative.dev',
  version: 'v1alpha1',
  kind: 'EventPolicy',
  plural: 'eventpolicies',
  singular: 'eventpolicy',
  categories: ['all', 'knative', 'eventing'],
  namespaced: true,
  status: true,
  columns: readyColumns,
}
