import type { Kind } from '../../../apimachinery/kind.js'
import type { Namespace } from './schema.js'

export const namespaceKind: Kind<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  namespaced: false,
  status: true,
}
