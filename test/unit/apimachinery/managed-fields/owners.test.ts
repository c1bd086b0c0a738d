import { expect, test } from 'vitest'
import { conflictError, conflictsBeyond } from '../../../../src/apimachinery/managed-fields/conflicts.js'
import {
  entriesFrom,
  entriesJson,
  expandedEntries,
  type ManagerId,
  ownerOf,
  ownersFrom,
  sameOwnership,
  sentEntries,
} from '../../../../src/apimachinery/managed-fields/entries.js'
import { type Owners, updatedOwners } from '../../../../src/apimachinery/managed-fields/update.js'

const id = (manager: string, more: Partial<ManagerId> = {}): ManagerId => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  subresource: '',
  ...more,
})
const entry = (manager: string, fieldsV1: unknown, more: object = {}) => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time: '2026-01-01T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1,
  ...more,
})
const added = (field: string) => ({ added: { [`f:${field}`]: {} }, modified: {}, removed: {} })

test('who adds or modifies a field owns it alone, and what is removed has no owner', () => {
  let owners: Owners = updatedOwners(new Map(), { added: { 'f:a': {}, 'f:b': {}, 'f:c': {} }, modified: {}, removed: {} }, id('one'), 't1')
  owners = updatedOwners(owners, { added: { 'f:d': {} }, modified: { 'f:a': {} }, removed: { 'f:b': {} } }, id('two'), 't2')
  expect(entriesFrom(owners)).toMatchObject([
    { manager: 'one', time: 't1', fieldsV1: '{"f:c":{}}' },
    { manager: 'two', time: 't2', fieldsV1: '{"f:a":{},"f:d":{}}' },
  ])
  owners = updatedOwners(owners, { added: {}, modified: {}, removed: { 'f:c': {} } }, id('two'), 't3')
  expect(entriesFrom(owners)).toMatchObject([{ manager: 'two', time: 't2' }])
})

test('an entry that a change does not touch stays the very same', () => {
  const stored = sentEntries([entry('one', { 'f:spec': {} })]) as never
  const owners = updatedOwners(ownersFrom(stored), added('status'), id('two', { subresource: 'status' }), '2026-01-02T00:00:00Z')
  expect(entriesFrom(owners)![0]).toBe((stored as unknown[])[0])
})

test('the oldest of more than ten managers that update are merged as ancient changes', () => {
  let owners: Owners = new Map([['x', ownerOf(id('applier', { operation: 'Apply' }), { 'f:x': {} }, undefined)]])
  for (let n = 10; n <= 22; n++) owners = updatedOwners(owners, added(`m${n}`), id(`m${n}`), `2026-01-01T00:00:${n}Z`)
  const entries = entriesFrom(owners)!
  expect(entries.map(({ manager }) => manager)).toEqual([
    'applier',
    'ancient-changes',
    ...['m14', 'm15', 'm16', 'm17', 'm18', 'm19', 'm20', 'm21', 'm22'],
  ])
  expect(entries[1]).toMatchObject({ time: '2026-01-01T00:00:13Z', fieldsV1: '{"f:m10":{},"f:m11":{},"f:m12":{},"f:m13":{}}' })
})

test('entries are listed applies first, then by time, manager and subresource', () => {
  const owners = ownersFrom(
    sentEntries([
      entry('b', {}),
      entry('a', {}, { subresource: 'status' }),
      entry('a', {}),
      entry('z', {}, { time: '2025-01-01T00:00:00Z' }),
      entry('z', {}, { operation: 'Apply', time: '2027-01-01T00:00:00Z' }),
    ]) as never,
  )
  expect(entriesFrom(owners)!.map(({ manager, subresource = '', operation }) => `${operation} ${manager} ${subresource}`.trim())).toEqual([
    'Apply z',
    'Update z',
    'Update a',
    'Update a status',
    'Update b',
  ])
})

test.each<[string, unknown, unknown]>([
  ['nothing', undefined, undefined],
  ['an empty list asks for a reset', [], 'reset'],
  ['one empty entry asks for a reset', [{}], 'reset'],
  ['another operation', [entry('a', {}, { operation: 'Merge' })], undefined],
  ['no version', [entry('a', {}, { apiVersion: '' })], undefined],
  ['another type of fields', [entry('a', {}, { fieldsType: 'FieldsV2' })], undefined],
  ['a set that is none', [entry('a', { spec: {} })], undefined],
  ['a text that is no set', [entry('a', '{')], undefined],
  ['a time that is none', [entry('a', {}, { time: 'soon' })], undefined],
  ['no map', ['a'], undefined],
  [
    'an entry in the form of clients',
    [entry('a', { 'f:b': {}, 'f:a': {} }, { time: '2026-01-01T00:00:00.5Z' })],
    [entry('a', '{"f:a":{},"f:b":{}}')],
  ],
])('what a writer sends as managed fields: %s', (_, sent, read) => {
  expect(sentEntries(sent)).toEqual(read)
})

test('clients see sets as maps, however they get them', () => {
  const stored = [entry('a', '{"f:a":{}}', { subresource: 'status' }), entry('b', { 'f:b': {} })]
  const shown = [entry('a', { 'f:a': {} }, { subresource: 'status' }), entry('b', { 'f:b': {} })]
  expect(expandedEntries(stored)).toEqual(shown)
  expect(JSON.parse(entriesJson(stored))).toEqual(shown)
})

test('ownership is the same when only the times differ, or the order', () => {
  const [a, b] = [entry('a', '{}'), entry('b', '{}')]
  expect(sameOwnership([a, b], [{ ...b, time: '2030-01-01T00:00:00Z' }, a])).toBe(true)
  expect(sameOwnership([a, b], [a])).toBe(false)
  expect(sameOwnership([a], [{ ...a, subresource: 'status' }])).toBe(false)
  expect(sameOwnership(undefined, [])).toBe(true)
})

test('one conflict is told in one line, several by manager', () => {
  const scale = { owner: id('hpa', { apiVersion: 'apps/v1', subresource: 'scale' }), fields: { 'f:spec': { 'f:replicas': {} } } }
  const applied = { owner: id('ci', { operation: 'Apply' }), fields: { 'f:spec': { 'f:template': {}, 'f:paused': {} } } }
  expect(conflictError([scale]).status).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code: 409,
    reason: 'Conflict',
    message: 'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using apps/v1: .spec.replicas',
    details: {
      causes: [
        { reason: 'FieldManagerConflict', message: 'conflict with "hpa" with subresource "scale" using apps/v1', field: '.spec.replicas' },
      ],
    },
  })
  expect(conflictError([scale, applied]).message).toBe(
    'Apply failed with 3 conflicts: conflicts with "ci":\n- .spec.paused\n- .spec.template\nconflicts with "hpa" with subresource "scale" using apps/v1:\n- .spec.replicas',
  )
  expect(conflictsBeyond([scale, applied], { 'f:spec': { 'f:paused': {}, 'f:template': {} } })).toEqual([scale])
})
