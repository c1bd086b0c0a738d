import type { Kind } from '../../../apimachinery/kind.js'
import type { Event } from './schema.js'

export const eventKind: Kind<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  namespaced: true,
}
