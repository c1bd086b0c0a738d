import { expect, test } from 'vitest'
import { createMemoryStore } from '../../../src/store/memory.js'
import { aConfigMap, configMapKey, put } from '../../support/store.js'
import { describeStore } from './contract.js'

describeStore('the store in memory', async (options) => createMemoryStore(options))

test('a write in memory is visible, and its watchers are told, before write returns', () => {
  const store = createMemoryStore()
  const seen: number[] = []
  store.watch({ resource: 'configmaps', fromVersion: 0 }, ({ version }) => seen.push(version))
  void store.write(configMapKey('a'), put(aConfigMap('a')))
  expect({ seen, version: store.version }).toEqual({ seen: [1], version: 1 })
  expect(store.get(configMapKey('a'))).toBeDefined()
})
