import { expect, test } from 'vitest'
import type { ObjectList } from '../../../src/apimachinery/call.js'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import type { Status } from '../../../src/apimachinery/status-error.js'
import { at, aWidget, aWorld, told } from './support.js'

test('a deletion answers with a Status that names what is gone, and watchers see its last state', async () => {
  const { ask, refusal, watch, store } = await aWorld()
  const { metadata } = await ask({ verb: 'create', object: aWidget('a', { size: 1 }) })
  const { events } = watch()
  expect(await ask<Status>({ verb: 'delete', name: 'a' })).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: 'a', group: 'shop.example.dev', kind: 'widgets', uid: metadata.uid },
  })
  expect(events[1]).toMatchObject({ type: 'DELETED', object: { spec: { size: 1 }, metadata: { resourceVersion: String(store.version) } } })
  expect(events[1]).not.toHaveProperty('object.metadata.deletionTimestamp')
  expect((await refusal({ verb: 'delete', name: 'a' })).message).toBe('widgets.shop.example.dev "a" not found')
})

test('finalizers hold an object: it is marked, counted as a new generation, and stays', async () => {
  const { ask, watch } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a', {}, { finalizers: ['x.dev/hold'] }) })
  const { events } = watch()
  const marked = await ask({ verb: 'delete', name: 'a' })
  expect(marked.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0, generation: 2 })
  expect(await ask({ verb: 'delete', name: 'a' })).toEqual(marked)
  expect(told(events)).toEqual(['ADDED a', 'MODIFIED a'])
})

test('a kind with grace is marked for later; a second deletion may shorten the grace but not lengthen it', async () => {
  const { ask, refusal } = await aWorld()
  await ask({ verb: 'create', ...at('pods'), object: { metadata: { name: 'p' } } })
  const marked = await ask<KubeObject>({ verb: 'delete', ...at('pods', 'p') })
  expect(marked.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 })
  const longer = await ask<KubeObject>({ verb: 'delete', ...at('pods', 'p'), options: { gracePeriodSeconds: 60 } })
  expect(longer).toEqual(marked)
  const shorter = await ask<KubeObject>({ verb: 'delete', ...at('pods', 'p'), options: { gracePeriodSeconds: 5 } })
  expect(shorter.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:05Z', deletionGracePeriodSeconds: 5 })

  const options = { gracePeriodSeconds: 0, preconditions: { uid: marked.metadata.uid! } }
  const gone = await ask<KubeObject>({ verb: 'delete', ...at('pods', 'p'), options })
  expect(gone).toMatchObject({ kind: 'Pod', metadata: { name: 'p' } })
  expect((await refusal({ verb: 'get', ...at('pods', 'p') })).code).toBe(404)
})

test('an update while grace is running does not end it', async () => {
  const { ask } = await aWorld()
  await ask({ verb: 'create', ...at('pods'), object: { metadata: { name: 'p' } } })
  const marked = await ask<KubeObject>({ verb: 'delete', ...at('pods', 'p') })
  await ask({ verb: 'update', subresource: 'status', ...at('pods', 'p'), object: { ...marked, status: { phase: 'Failed' } } })
  expect(await ask({ verb: 'get', ...at('pods', 'p') })).toMatchObject({ status: { phase: 'Failed' } })
})

test('foreground and orphan deletion put their finalizer on, background takes them off', async () => {
  const { ask, refusal } = await aWorld()
  for (const name of ['f', 'o', 'b']) await ask({ verb: 'create', object: aWidget(name) })
  const foreground = await ask({ verb: 'delete', name: 'f', options: { propagationPolicy: 'Foreground' } })
  expect(foreground.metadata.finalizers).toEqual(['foregroundDeletion'])
  const orphan = await ask({ verb: 'delete', name: 'o', options: { propagationPolicy: 'Orphan' } })
  expect(orphan.metadata.finalizers).toEqual(['orphan'])
  await ask({ verb: 'delete', name: 'b', options: { propagationPolicy: 'Background' } })
  expect((await refusal({ verb: 'get', name: 'b' })).code).toBe(404)
})

test('preconditions protect a successor from the deletion of its predecessor', async () => {
  const { ask, refusal } = await aWorld()
  const { metadata } = await ask({ verb: 'create', object: aWidget('a') })
  const byUid = await refusal({ verb: 'delete', name: 'a', options: { preconditions: { uid: 'old' } } })
  expect(byUid.status).toMatchObject({
    code: 409,
    message: `Operation cannot be fulfilled on widgets.shop.example.dev "a": the UID in the precondition (old) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
  })
  const byVersion = await refusal({ verb: 'delete', name: 'a', options: { preconditions: { resourceVersion: '1' } } })
  expect(byVersion.message).toContain('the ResourceVersion in the precondition (1) does not match')
})

test('a dry run deletes nothing', async () => {
  const { ask } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a') })
  expect(await ask<Status>({ verb: 'delete', name: 'a', options: { dryRun: true } })).toMatchObject({ status: 'Success' })
  expect(await ask({ verb: 'get', name: 'a' })).toBe(first)
})

test('deletecollection deletes what the selector matches and lists it', async () => {
  const { ask } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a', {}, { labels: { team: 'x' } }) })
  await ask({ verb: 'create', object: aWidget('b', {}, { labels: { team: 'y' } }) })
  await ask({ verb: 'create', object: aWidget('c', {}, { labels: { team: 'x' } }) })
  const gone = await ask<ObjectList>({ verb: 'deletecollection', options: { labelSelector: 'team=x' } })
  expect(gone).toMatchObject({ kind: 'WidgetList', items: [{ metadata: { name: 'a' } }, { metadata: { name: 'c' } }] })
  const left = await ask<ObjectList>({ verb: 'list' })
  expect(left.items.map(({ metadata }) => metadata.name)).toEqual(['b'])
})

test('a namespace waits, terminating, until its own finalizer is taken off through /finalize', async () => {
  const { ask, refusal } = await aWorld()
  const terminating = await ask<KubeObject>({ verb: 'delete', ...at('namespaces', 'shop') })
  expect(terminating).toMatchObject({
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Terminating' },
  })
  expect(await ask({ verb: 'delete', ...at('namespaces', 'shop') })).toEqual(terminating)

  const sneaky = await ask<KubeObject>({ verb: 'update', ...at('namespaces', 'shop'), object: { ...terminating, spec: {} } })
  expect(sneaky).toMatchObject({ spec: { finalizers: ['kubernetes'] } })
  await ask({ verb: 'update', subresource: 'finalize', ...at('namespaces', 'shop'), object: { ...terminating, spec: { finalizers: [] } } })
  expect((await refusal({ verb: 'get', ...at('namespaces', 'shop') })).message).toBe('namespaces "shop" not found')
})

test.each(['default', 'kube-system', 'kube-public'])(
  'namespace %s may not be deleted, and namespaces never as a collection',
  async (name) => {
    const { refusal } = await aWorld()
    expect((await refusal({ verb: 'delete', ...at('namespaces', name) })).status).toMatchObject({
      code: 403,
      message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    })
    expect((await refusal({ verb: 'deletecollection', ...at('namespaces') })).code).toBe(405)
  },
)
