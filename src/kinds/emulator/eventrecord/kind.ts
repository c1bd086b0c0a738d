import type { Kind } from '../../../apimachinery/kind.js'
import { EMULATOR_GROUP } from '../image/kind.js'
import type { EventRecord } from './schema.js'

export const eventRecordKind: Kind<EventRecord> = {
  group: EMULATOR_GROUP,
  version: 'v1alpha1',
  kind: 'EventRecord',
  plural: 'eventrecords',
  singular: 'eventrecord',
  shortNames: ['er'],
  namespaced: true,
  columns: [
    { name: 'ID', type: 'string', jsonPath: '.spec.id', description: 'Of the event, as its producer named it.' },
    { name: 'Type', type: 'string', jsonPath: '.spec.type' },
    { name: 'Source', type: 'string', jsonPath: '.spec.source' },
    {
      name: 'Origin',
      type: 'string',
      description: 'The Broker or channel that took it.',
      cell: ({ spec: { origin } }: EventRecord) => `${origin.kind.toLowerCase()}/${origin.name}`,
    },
    { name: 'State', type: 'string', jsonPath: '.status.state', description: 'What became of it: the worst that happened anywhere.' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
    { name: 'Subject', type: 'string', jsonPath: '.spec.subject', priority: 1 },
  ],
}
