import type { Kind } from '../../apimachinery/kind.js'
import type { Image } from './schema.js'

export const imageKind: Kind<Image> = {
  group: 'caching.internal.knative.dev',
  version: 'v1alpha1',
  kind: 'Image',
  plural: 'images',
  singular: 'image',
  categories: ['knative-internal', 'caching'],
  namespaced: true,
  status: true,
  columns: [{ name: 'Image', type: 'string', jsonPath: '.spec.image' }],
}
