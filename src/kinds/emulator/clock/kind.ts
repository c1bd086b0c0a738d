import type { Kind } from '../../../apimachinery/kind.js'
import { EMULATOR_GROUP } from '../image/kind.js'
import type { EmulatorClock } from './schema.js'

export const emulatorClockKind: Kind<EmulatorClock> = {
  group: EMULATOR_GROUP,
  version: 'v1alpha1',
  kind: 'Clock',
  plural: 'clocks',
  singular: 'clock',
  namespaced: false,
  status: true,
  columns: [
    { name: 'Mode', type: 'string', jsonPath: '.status.mode' },
    { name: 'Now', type: 'string', jsonPath: '.status.now' },
    { name: 'Offset', type: 'string', jsonPath: '.status.offset', description: 'How far it is ahead of the clock of this machine.' },
    { name: 'Next Timer', type: 'string', jsonPath: '.status.nextTimer', priority: 1 },
  ],
}
