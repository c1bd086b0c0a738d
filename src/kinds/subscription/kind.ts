import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { Subscription } from './schema.js'

export const subscriptionKind: Kind<Subscription> = {
  group: 'messaging.knative.dev',
  version: 'v1',
  kind: 'Subscription',
  plural: 'subscriptions',
  singular: 'subscription',
  shortNames: ['sub'],
  categories: ['all', 'knative', 'messaging'],
  namespaced: true,
  status: true,
  columns: [{ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }, ...readyColumns],
}
