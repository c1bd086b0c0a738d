import { expect, test } from 'vitest'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { startInformer } from '../../../src/client/informer.js'
import { createBench, type Widget, widgetKind } from '../controller/support.js'

/** An informer of Widgets, and what to change them with: each change is in the cache once it has resolved. */
async function anInformer() {
  const { client, realClock, log } = createBench([])
  const informer = startInformer({ client, kind: widgetKind, clock: realClock, log })
  await informer.synced
  const told = (): Promise<void> =>
    new Promise((resolve) => {
      let isReplayed = false
      const end = informer.onChange(() => {
        if (!isReplayed) return
        end()
        resolve()
      })
      isReplayed = true
    })
  const changing = async (change: () => Promise<unknown>): Promise<void> => {
    await Promise.all([told(), change()])
  }
  const create = (namespace: string, name: string, labels: Record<string, string> = {}): Promise<void> =>
    changing(() => client.create(widgetKind, { metadata: { namespace, name, labels }, spec: {} }))
  return { informer, client, changing, create }
}

const names = (objects: readonly KubeObject[]): string[] => objects.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort()

test('a list is the same array until something changes, and what was handed out stays as it was', async () => {
  const { informer, create } = await anInformer()
  await create('one', 'a')
  const [all, ofOne] = [informer.list(), informer.list('one')]
  expect([informer.list(), informer.list('one')]).toEqual([all, ofOne])
  expect(informer.list()).toBe(all)
  expect(informer.list('one')).toBe(ofOne)

  await create('two', 'b')
  expect(names(informer.list())).toEqual(['one/a', 'two/b'])
  expect(names(informer.list('one'))).toEqual(['one/a'])
  expect(names(informer.list('two'))).toEqual(['two/b'])
  expect(names(all)).toEqual(['one/a'])
  informer.stop()
})

test('objects are found by a label that was never asked for before, and go on being found as it changes', async () => {
  const { informer, client, changing, create } = await anInformer()
  await create('one', 'a', { app: 'shop' })
  await create('two', 'b', { app: 'shop' })
  await create('one', 'c', { tier: 'front' })
  expect(names(informer.labelled('app', 'shop'))).toEqual(['one/a', 'two/b'])
  expect(names(informer.labelled('app', 'shop', 'two'))).toEqual(['two/b'])

  const relabel = (name: string, app: string | null): Promise<void> =>
    changing(() =>
      client.patch(
        widgetKind,
        { namespace: 'one', name },
        { type: 'application/merge-patch+json', body: { metadata: { labels: { app } } } },
      ),
    )
  await relabel('c', 'shop')
  await relabel('a', 'bank')
  expect(names(informer.labelled('app', 'shop'))).toEqual(['one/c', 'two/b'])
  expect(names(informer.labelled('app', 'bank'))).toEqual(['one/a'])

  await relabel('c', null)
  await changing(() => client.delete(widgetKind, { namespace: 'two', name: 'b' }))
  expect(informer.labelled('app', 'shop')).toEqual([])
  expect(informer.labelled('app', 'constructor')).toEqual([])
  expect(informer.labelled('constructor', 'shop')).toEqual([])
  informer.stop()
})

test('an object that is found by its label is the newest there is', async () => {
  const { informer, client, changing, create } = await anInformer()
  await create('one', 'a', { app: 'shop' })
  expect(informer.labelled('app', 'shop')).toHaveLength(1)
  await changing(() =>
    client.patch(widgetKind, { namespace: 'one', name: 'a' }, { type: 'application/merge-patch+json', body: { spec: { size: 7 } } }),
  )
  expect(informer.labelled('app', 'shop')).toMatchObject([{ spec: { size: 7 } } satisfies Partial<Widget>])
  informer.stop()
})
