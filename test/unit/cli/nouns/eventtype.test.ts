import { expect, test } from 'vitest'
import { eventTypeFrom, eventTypeText } from '../../../../src/cli/nouns/eventtype.js'

const ref = { namespace: 'default', name: 'paid' }

test('an event type refers to the broker that is named, or to the object that was found', () => {
  expect(eventTypeFrom(ref, { type: 'dev.paid', source: '/shop', broker: 'b' }, undefined)).toEqual({
    metadata: ref,
    spec: { type: 'dev.paid', source: '/shop', reference: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'b' } },
  })
  const reference = { apiVersion: 'x.dev/v1', kind: 'Thing', name: 'x', namespace: 'ns' }
  expect(eventTypeFrom(ref, { type: 'dev.paid' }, reference).spec).toEqual({ type: 'dev.paid', reference })
  expect(eventTypeFrom(ref, { type: 'dev.paid' }, undefined).spec).toEqual({ type: 'dev.paid' })
})

test.each([
  [':x', 'parse ":x": missing protocol scheme'],
  ['1a:b', 'parse "1a:b": first path segment in URL cannot contain colon'],
  ['http://a\u0001', 'parse "http://a\\x01": net/url: invalid control character in URL'],
])('a source %j that is no URI is refused in the words of Go', (source, message) => {
  expect(() => eventTypeFrom(ref, { type: 't', source }, undefined)).toThrow(message)
})

test('an event type is described with what it refers to; its namespace only where that is another one', () => {
  const text = (namespace: string): string =>
    eventTypeText(
      {
        apiVersion: 'eventing.knative.dev/v1beta2',
        kind: 'EventType',
        metadata: { ...ref, creationTimestamp: '2026-05-04T11:55:00Z' },
        spec: { type: 'dev.paid', reference: { apiVersion: 'x.dev/v1', kind: 'Thing', name: 'x', namespace } },
        status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-05-04T11:59:00Z' }] },
      },
      { verbose: false, nowMs: Date.parse('2026-05-04T12:00:00Z') },
    )
  expect(text('default')).toBe(
    [
      'Name:          paid',
      'Namespace:     default',
      'Age:           5m',
      'Source:        ',
      'Reference:     ',
      '  APIVersion:  x.dev/v1',
      '  Kind:        Thing',
      '  Name:        x',
      '',
      '',
      'Conditions:  ',
      '  OK TYPE     AGE REASON',
      '  ++ Ready     1m ',
      '',
    ].join('\n'),
  )
  expect(text('other')).toContain('  Name:        x\n  Namespace:   other\n')
})
