import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { ServerlessService } from './schema.js'

export const serverlessServiceKind: Kind<ServerlessService> = {
  group: 'networking.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'ServerlessService',
  plural: 'serverlessservices',
  singular: 'serverlessservice',
  shortNames: ['sks'],
  categories: ['knative-internal', 'networking'],
  namespaced: true,
  status: true,
  columns: [
    { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
    { name: 'Activators', type: 'integer', jsonPath: '.spec.numActivators' },
    { name: 'ServiceName', type: 'string', jsonPath: '.status.serviceName' },
    { name: 'PrivateServiceName', type: 'string', jsonPath: '.status.privateServiceName' },
    ...readyColumns,
  ],
}
