import type { Kind } from '../../apimachinery/kind.js'
import { readyColumns } from '../ready-columns.js'
import type { KIngress } from './schema.js'

export const kingressKind: Kind<KIngress> = {
  group: 'networking.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'Ingress',
  plural: 'ingresses',
  singular: 'ingress',
  shortNames: ['kingress', 'king'],
  categories: ['knative-internal', 'networking'],
  namespaced: true,
  status: true,
  columns: [...readyColumns],
}
