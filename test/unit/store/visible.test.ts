import { expect, test } from 'vitest'
import { createHistory } from '../../../src/store/history.js'
import type { StoreEvent } from '../../../src/store/store.js'
import { createVisible } from '../../../src/store/visible.js'
import { aConfigMap, configMapKey } from '../../support/store.js'

const added = (name: string, version: number): StoreEvent => ({
  type: 'ADDED',
  key: configMapKey(name),
  object: { ...aConfigMap(name), metadata: { name, namespace: 'default', resourceVersion: String(version) } },
  previous: undefined,
  version,
})

test('a listener that throws keeps the change from nobody else', () => {
  const errors: unknown[] = []
  const seen: number[] = []
  const visible = createVisible({ historyChanges: 10, freeze: false, onListenerError: (error) => errors.push(error) })
  const failure = new Error('a bug in a listener')
  visible.watch({ resource: 'configmaps', fromVersion: 0 }, () => {
    throw failure
  })
  visible.watch({ resource: 'configmaps', fromVersion: 0 }, ({ version }) => seen.push(version))
  visible.apply(added('a', 1))
  visible.apply(added('b', 2))
  expect({ errors, seen }).toEqual({ errors: [failure, failure], seen: [1, 2] })
})

test('the history counts the changes of all resources, and finds those of one among them', () => {
  const history = createHistory({ changes: 100, start: 40 })
  const entry = (version: number) => {
    const resource = version % 10 === 0 ? 'rare' : 'frequent'
    return { version, resource, previousVersion: undefined, deleted: false, event: { ...added('a', version), version } }
  }
  const dropped: number[] = []
  for (let version = 41; version <= 300; version++) dropped.push(...history.append(entry(version)).map((each) => each.version))

  expect({ newest: history.newest, oldest: history.oldest }).toEqual({ newest: 300, oldest: 200 })
  expect(dropped).toEqual(Array.from({ length: 160 }, (_, index) => 41 + index))
  expect(history.since('rare', 255).map(({ version }) => version)).toEqual([260, 270, 280, 290, 300])
  expect(history.since('frequent', 297).map(({ version }) => version)).toEqual([298, 299])
  expect(history.since('unknown', 200)).toEqual([])
})

test('an empty history that begins at a version can be resumed from there only', () => {
  const history = createHistory({ changes: 10, start: 40 })
  expect(history.since('configmaps', 40)).toEqual([])
  expect(() => history.since('configmaps', 39)).toThrow('too old resource version: 39 (40)')
  expect(() => history.since('configmaps', 41)).toThrow('Too large resource version: 41, current: 40')
})

test('a history of no changes forgets each one at once', () => {
  const history = createHistory({ changes: 0 })
  for (const version of [1, 2, 3])
    history.append({ version, resource: 'r', previousVersion: undefined, deleted: false, event: added('a', version) })
  expect(history.since('r', 3)).toEqual([])
  expect(() => history.since('r', 2)).toThrow('too old resource version: 2 (3)')
})

test('a history keeps fewer changes where their objects are large', () => {
  const history = createHistory({ changes: 10, characters: 100 })
  const append = (version: number, characters: number) =>
    history
      .append({ version, resource: 'r', previousVersion: undefined, deleted: false, characters, event: added('a', version) })
      .map((dropped) => dropped.version)
  expect([append(1, 30), append(2, 30), append(3, 40)]).toEqual([[], [], []])
  expect(append(4, 50)).toEqual([1, 2])
  expect(history.since('r', 2).map(({ version }) => version)).toEqual([3, 4])
  expect(() => history.since('r', 1)).toThrow('too old resource version: 1 (2)')
  expect(append(5, 101)).toEqual([3, 4, 5])
  expect(history.since('r', 5)).toEqual([])
})

test('a change read from disk is decoded once, when a watch first resumes from it', () => {
  let decoded = 0
  const history = createHistory({ changes: 10 })
  const event = (): StoreEvent => {
    decoded++
    return added('a', 1)
  }
  history.append({ version: 1, resource: 'configmaps', previousVersion: undefined, deleted: false, event })
  expect(decoded).toBe(0)
  expect(history.since('configmaps', 0)[0]).toBe(history.since('configmaps', 0)[0])
  expect(decoded).toBe(1)
})
