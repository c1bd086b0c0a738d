import type { Kind } from '../../../apimachinery/kind.js'
import type { EmulatorImage } from './schema.js'

/** Group of what only the emulator has. */
export const EMULATOR_GROUP = 'emulator.kn-local.dev'

export const emulatorImageKind: Kind<EmulatorImage> = {
  group: EMULATOR_GROUP,
  version: 'v1alpha1',
  kind: 'Image',
  plural: 'images',
  singular: 'image',
  namespaced: false,
  columns: [
    { name: 'Repository', type: 'string', jsonPath: '.spec.repository' },
    { name: 'Type', type: 'string', jsonPath: '.spec.type' },
    { name: 'Description', type: 'string', jsonPath: '.spec.description' },
    { name: 'Digest', type: 'string', jsonPath: '.spec.digest', priority: 1 },
  ],
}
