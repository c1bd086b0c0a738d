import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { PodAutoscaler } from './schema.js'

export const podAutoscalerKind: Kind<PodAutoscaler> = {
  group: 'autoscaling.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'PodAutoscaler',
  plural: 'podautoscalers',
  singular: 'podautoscaler',
  shortNames: ['kpa', 'pa'],
  categories: ['knative-internal', 'autoscaling'],
  namespaced: true,
  status: true,
  columns: [
    { name: 'DesiredScale', type: 'integer', jsonPath: '.status.desiredScale' },
    { name: 'ActualScale', type: 'integer', jsonPath: '.status.actualScale' },
    ...readyColumns,
  ],
}
