import type { Kind } from '../../../apimachinery/kind.js'
import type { Node } from './schema.js'

export const nodeKind: Kind<Node> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  namespaced: false,
  status: true,
}
