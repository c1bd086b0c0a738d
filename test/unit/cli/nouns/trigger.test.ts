import { expect, test } from 'vitest'
import { editedTrigger, filterChangesFrom, triggerFrom, triggerText } from '../../../../src/cli/nouns/trigger.js'
import { defaultNamespaceFirst } from '../../../../src/cli/print/lists.js'
import type { Trigger } from '../../../../src/kinds/trigger/schema.js'

const ref = { namespace: 'default', name: 't' }
const subscriber = { ref: { kind: 'Service', apiVersion: 'serving.knative.dev/v1', name: 'hello', namespace: 'default' } }

const trigger: Trigger = {
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { ...ref, creationTimestamp: '2026-05-04T11:55:00Z' },
  spec: { broker: 'b', filter: { attributes: { type: 'a', source: '/s' } }, subscriber },
  status: { conditions: [{ type: 'Ready', status: 'Unknown', lastTransitionTime: '2026-05-04T11:59:00Z' }] },
}
const updated = (...words: string[]) =>
  editedTrigger(trigger, { filters: filterChangesFrom(words, 't'), subscriber: undefined }).spec.filter

test('a trigger wants the attributes that are given, or all events', () => {
  expect(triggerFrom(ref, { broker: 'b', filter: ['type=a', '__proto__=x=y'] }, subscriber)).toEqual({
    metadata: ref,
    spec: { broker: 'b', filter: { attributes: JSON.parse('{"type":"a","__proto__":"x=y"}') }, subscriber },
  })
  expect(triggerFrom(ref, { broker: 'b' }, subscriber).spec).toEqual({ broker: 'b', filter: {}, subscriber })
})

test.each([
  [['type'], 'Argument requires a value that contains the "=" character; got "type"'],
  [['type-'], 'Argument requires a value that contains the "=" character; got "type-"'],
  [['=x'], 'The key is empty'],
  [['type=a', 'type=b'], 'The key "type" has been duplicate in [type=a type=b]'],
])('a new trigger is refused the filters %j', (filter, why) => {
  expect(() => triggerFrom(ref, { broker: 'b', filter }, subscriber)).toThrow(`cannot create trigger 't' because Invalid --filter: ${why}`)
})

test('an update sets, adds and takes away attributes; the last one leaves a filter that lets everything through', () => {
  expect(updated('type=b', 'subject=x')).toEqual({ attributes: { type: 'b', source: '/s', subject: 'x' } })
  expect(updated('type-')).toEqual({ attributes: { source: '/s' } })
  expect(updated('type-=whatever', 'nonesuch-')).toEqual({ attributes: { source: '/s' } })
  expect(updated('type')).toEqual({ attributes: { type: '', source: '/s' } })
  expect(updated('type-', 'source-')).toEqual({})
  expect(() => updated('=x')).toThrow("cannot update trigger 't' because Invalid --filter: The key is empty")
})

test('an update of the sink replaces it whole and touches nothing else', () => {
  const uri = { uri: 'http://example.org' }
  expect(editedTrigger(trigger, { filters: undefined, subscriber: uri })).toEqual({
    ...trigger,
    spec: { ...trigger.spec, subscriber: uri },
  })
})

const options = { verbose: false, nowMs: Date.parse('2026-05-04T12:00:00Z') }

test('a trigger is described with its broker, its filter and its sink', () => {
  expect(triggerText(trigger, options)).toBe(
    [
      'Name:       t',
      'Namespace:  default',
      'Age:        5m',
      'Broker:     b',
      'Filter:     ',
      '  source:   /s',
      '  type:     a',
      '',
      'Sink:        ',
      '  Name:      hello',
      '  Resource:  Service (serving.knative.dev/v1)',
      '',
      'Conditions:  ',
      '  OK TYPE     AGE REASON',
      '  ?? Ready     1m ',
      '',
    ].join('\n'),
  )
})

test('a sink in another namespace and the filters of all dialects are described as they nest', () => {
  const spec: Trigger['spec'] = {
    broker: 'b',
    filters: [
      { cesql: "type = 'a'" },
      { any: [{ exact: { type: 'a' } }, { not: { prefix: { source: '/x' }, cesql: 'true' } }] },
      { all: [{ suffix: { subject: '.png' } }] },
    ],
    subscriber: { ref: { ...subscriber.ref, namespace: 'other' }, uri: '/path' },
  }
  expect(
    triggerText({ ...trigger, spec }, options)
      .split('\n')
      .slice(3, -4),
  ).toEqual([
    'Broker:     b',
    '',
    'Filters (experimental):  ',
    "  cesql:                 type = 'a'",
    '  any:                   ',
    '    exact:               ',
    '      type:              a',
    '    not:                 ',
    '      prefix:            ',
    '        source:          /x',
    '      cesql:             true',
    '  all:                   ',
    '    suffix:              ',
    '      subject:           .png',
    '',
    'Sink:         ',
    '  Name:       hello',
    '  Namespace:  other',
    '  Resource:   Service (serving.knative.dev/v1)',
    '  URI:        /path',
    '',
  ])
})

test('of all namespaces, triggers of default come first, the others by namespace, and else as they came', () => {
  const at = (namespace: string, name: string): Trigger => ({ ...trigger, metadata: { namespace, name } })
  const listed = [at('b', '2'), at('default', 'z'), at('a', '1'), at('b', '1'), at('default', 'y')]
  expect(defaultNamespaceFirst(listed).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
    'default/z',
    'default/y',
    'a/1',
    'b/2',
    'b/1',
  ])
})
