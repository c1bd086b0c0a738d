import type { Kind } from '../../../apimachinery/kind.js'
import type { Secret } from './schema.js'

export const secretKind: Kind<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  namespaced: true,
}
