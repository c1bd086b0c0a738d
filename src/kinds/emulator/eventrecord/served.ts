import type { ObjectSource, ServedKind } from '../../../apimachinery/kind.js'
import type { Schema } from '../../../apimachinery/schema.js'
import { eventRecordKind } from './kind.js'
import { EVENT_STATES, type EventRecord, HOP_OUTCOMES } from './schema.js'

const text: Schema = { type: 'string' }
const time: Schema = { type: 'string', format: 'date-time' }
const integer: Schema = { type: 'integer', format: 'int64' }
const said = (description: string, schema: Schema): Schema => ({ ...schema, description })
const place = { kind: text, namespace: text, name: text }
const answer = { time, destination: text, statusCode: integer, error: text }
const anObject = (properties: Readonly<Record<string, Schema>>): Schema => ({ type: 'object', properties })

/** Records are read from the journal (src/journal) and written by nobody: POST, PUT, PATCH and DELETE are 405. */
export function createEventRecordServed(source: ObjectSource<EventRecord>): ServedKind<EventRecord> {
  return {
    kind: eventRecordKind,
    builtIn: false,
    verbs: ['get', 'list', 'watch'],
    source,
    schema: {
      type: 'object',
      description: 'EventRecord is an event as a Broker or channel took it, and all that became of it there.',
      properties: {
        spec: anObject({
          id: text,
          source: text,
          type: text,
          subject: text,
          attributes: said('All context attributes and extensions, as they came.', {
            type: 'object',
            additionalProperties: { 'x-kubernetes-preserve-unknown-fields': true },
          }),
          data: said('What was kept of the payload.', { type: 'string', format: 'byte' }),
          dataBytes: said('Length of the payload as it came.', integer),
          acceptedAt: time,
          origin: said('The Broker or channel that took it, and the place in its log.', anObject({ ...place, offset: integer })),
          replyOf: said(
            'What this event is the answer to.',
            anObject({ at: anObject(place), origin: anObject({ ...place, offset: integer }), record: text }),
          ),
        }),
        status: anObject({
          state: { type: 'string', enum: EVENT_STATES, description: 'What became of it: the worst that happened anywhere.' },
          hops: {
            type: 'array',
            description: 'What became of it, for each Trigger or Subscription.',
            items: anObject({
              at: anObject(place),
              outcome: { type: 'string', enum: HOP_OUTCOMES },
              filtered: said(
                'Which clause of the filter kept it out.',
                anObject({ time, clause: text, expected: text, actual: text, reason: text, hint: text }),
              ),
              attempts: {
                type: 'array',
                description: 'The newest ones.',
                items: anObject({ ...answer, number: integer, note: text, took: text, retryIn: text }),
              },
              attemptCount: integer,
              delivered: anObject({ time, destination: text, statusCode: integer }),
              reply: anObject({ ...answer, id: text, source: text, type: text, record: text }),
              deadLetter: anObject(answer),
              dropped: anObject({ time, why: text }),
              looped: said(
                'The places that a reply went through to come back here. It is delivered all the same.',
                anObject({ time, cycle: { type: 'array', items: text } }),
              ),
            }),
          },
        }),
      },
    },
    fieldSelectors: {
      'spec.id': ({ spec }) => spec.id,
      'spec.source': ({ spec }) => spec.source,
      'spec.type': ({ spec }) => spec.type,
      'spec.subject': ({ spec }) => spec.subject ?? '',
      'spec.origin.kind': ({ spec }) => spec.origin.kind,
      'spec.origin.name': ({ spec }) => spec.origin.name,
      'status.state': ({ status }) => status.state,
    },
  }
}
