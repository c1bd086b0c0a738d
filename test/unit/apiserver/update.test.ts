import { expect, test } from 'vitest'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { at, aWidget, aWorld, told, type Widget } from './support.js'

test('an update counts the generation for the spec, not for labels, and keeps what the server owns', async () => {
  const { ask, clock } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a', { size: 1 }) })
  await clock.advance(60_000)
  const labelled = await ask({ verb: 'update', name: 'a', object: { ...first, metadata: { ...first.metadata, labels: { x: 'y' } } } })
  expect(labelled.metadata).toMatchObject({ generation: 1, uid: first.metadata.uid, labels: { x: 'y' } })
  const grown = await ask({
    verb: 'update',
    name: 'a',
    object: {
      ...labelled,
      metadata: { ...labelled.metadata, creationTimestamp: '1999-01-01T00:00:00Z', generation: 40 },
      spec: { size: 2 },
    },
  })
  expect(grown.metadata).toMatchObject({ generation: 2, creationTimestamp: first.metadata.creationTimestamp })
  expect(grown.spec).toEqual({ size: 2, color: 'red' })
})

test('an update that changes nothing keeps the version and tells no watcher', async () => {
  const { ask, watch, store } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a') })
  const { events } = watch()
  const before = store.version
  const again = await ask({ verb: 'update', name: 'a', object: structuredClone(first) })
  expect(again).toBe(first)
  expect(store.version).toBe(before)
  expect(told(events)).toEqual(['ADDED a'])
})

test('an update of an older version is a conflict, and one of another uid too', async () => {
  const { ask, refusal } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a') })
  await ask({ verb: 'update', name: 'a', object: { ...first, spec: { size: 1 } } })
  expect((await refusal({ verb: 'update', name: 'a', object: { ...first, spec: { size: 2 } } })).status).toMatchObject({
    code: 409,
    reason: 'Conflict',
    message:
      'Operation cannot be fulfilled on widgets.shop.example.dev "a": the object has been modified; please apply your changes to the latest version and try again',
  })
  const other = { ...first, metadata: { ...first.metadata, uid: 'other' } }
  expect((await refusal({ verb: 'update', name: 'a', object: other })).message).toContain('Precondition failed: UID in precondition: other')
})

test('a custom resource needs its version in a PUT, a built-in kind does not', async () => {
  const { ask, refusal } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  expect((await refusal({ verb: 'update', name: 'a', object: aWidget('a') })).status).toMatchObject({
    code: 422,
    message: 'Widget.shop.example.dev "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  })
  await ask({ verb: 'create', ...at('notes'), object: { metadata: { name: 'n' }, data: { a: '1' } } })
  const note = await ask<KubeObject>({ verb: 'update', ...at('notes', 'n'), object: { metadata: { name: 'n' }, data: { a: '2' } } })
  expect(note).toMatchObject({ data: { a: '2' } })
})

test('a PUT of what does not exist is not found, unless the kind is created by it', async () => {
  const { call, refusal } = await aWorld()
  expect((await refusal({ verb: 'update', name: 'a', object: aWidget('a') })).code).toBe(404)
  const { code, object } = await call({ verb: 'update', ...at('leases', 'l'), object: { spec: { holder: 'me' } } })
  expect(code).toBe(201)
  expect(object).toMatchObject({ metadata: { name: 'l', namespace: 'shop', uid: expect.any(String) }, spec: { holder: 'me' } })
})

test('the main path ignores the status, and /status takes nothing else', async () => {
  const { ask } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a', { size: 1 }) })
  const viaMain = await ask({ verb: 'update', name: 'a', object: { ...first, status: { phase: 'Pretended' } } })
  expect(viaMain).toBe(first)

  const viaStatus = await ask({
    verb: 'update',
    subresource: 'status',
    name: 'a',
    object: {
      ...first,
      metadata: { ...first.metadata, labels: { sneaked: 'in' } },
      spec: { size: 99 },
      status: { phase: 'Ready', odd: 1 },
    },
  })
  expect(viaStatus).toMatchObject({ spec: { size: 1 }, status: { phase: 'Ready' }, metadata: { generation: 1 } })
  expect(viaStatus.status).toEqual({ phase: 'Ready' })
  expect(viaStatus.metadata.labels).toBeUndefined()
  expect(viaStatus.spec).toBe(first.spec)

  const later = await ask({ verb: 'update', name: 'a', object: { ...viaStatus, spec: { size: 2 } } })
  expect(later.status).toEqual({ phase: 'Ready' })
})

test('a status that breaks the schema is refused', async () => {
  const { ask, refusal } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a') })
  const refused = await refusal({ verb: 'update', subresource: 'status', name: 'a', object: { ...first, status: { replicas: 'many' } } })
  expect(refused.code).toBe(422)
  expect(refused.message).toContain('status.replicas')
})

test('the body of a PUT must carry the name of the URL', async () => {
  const { ask, refusal } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a') })
  expect((await refusal({ verb: 'update', name: 'b', object: first })).message).toBe(
    'the name of the object (a) does not match the name on the URL (b)',
  )
})

test('a dry run of an update answers with the outcome and leaves the object alone', async () => {
  const { ask } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a', { size: 1 }) })
  const tried = await ask({ verb: 'update', name: 'a', object: { ...first, spec: { size: 2 } }, options: { dryRun: true } })
  expect(tried).toMatchObject({ spec: { size: 2 }, metadata: { generation: 2, resourceVersion: first.metadata.resourceVersion } })
  expect(await ask({ verb: 'get', name: 'a' })).toBe(first)
})

test('while an object is being deleted finalizers can only be taken away, and the last one takes the object with it', async () => {
  const { ask, refusal, watch } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a', {}, { finalizers: ['x.dev/1', 'x.dev/2'] }) })
  const doomed = await ask<Widget>({ verb: 'delete', name: 'a' })
  const { events } = watch()

  const more = { ...doomed, metadata: { ...doomed.metadata, finalizers: ['x.dev/1', 'x.dev/2', 'x.dev/3'] } }
  expect((await refusal({ verb: 'update', name: 'a', object: more })).message).toContain(
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x.dev/3"}',
  )
  const one = await ask({ verb: 'update', name: 'a', object: { ...doomed, metadata: { ...doomed.metadata, finalizers: ['x.dev/2'] } } })
  const gone = await ask({ verb: 'update', name: 'a', object: { ...one, metadata: { ...one.metadata, finalizers: [] } } })
  expect(gone.metadata.name).toBe('a')
  expect(told(events)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a'])
  expect((await refusal({ verb: 'get', name: 'a' })).code).toBe(404)
})

test('the scale subresource shows and sets replicas of a custom resource', async () => {
  const { ask, refusal } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a', { replicas: 2 }) })
  await ask({ verb: 'update', subresource: 'status', name: 'a', object: { ...first, status: { replicas: 1, selector: 'app=a' } } })
  const scale = await ask<KubeObject>({ verb: 'get', subresource: 'scale', name: 'a' })
  expect(scale).toMatchObject({
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name: 'a', namespace: 'shop', uid: first.metadata.uid },
    spec: { replicas: 2 },
    status: { replicas: 1, selector: 'app=a' },
  })
  const scaled = await ask<KubeObject>({ verb: 'update', subresource: 'scale', name: 'a', object: { ...scale, spec: { replicas: 5 } } })
  expect(scaled).toMatchObject({ kind: 'Scale', spec: { replicas: 5 } })
  expect(await ask({ verb: 'get', name: 'a' })).toMatchObject({
    spec: { replicas: 5 },
    status: { replicas: 1 },
    metadata: { generation: 2 },
  })

  expect((await refusal({ verb: 'update', subresource: 'scale', name: 'a', object: { ...scale, spec: { replicas: 7 } } })).code).toBe(409)
  const patched = await ask<KubeObject>({
    verb: 'patch',
    subresource: 'scale',
    name: 'a',
    patch: { type: 'application/merge-patch+json', body: { spec: { replicas: 0 } } },
  })
  expect(patched).toMatchObject({ kind: 'Scale', spec: {} })
  expect(
    (
      await refusal({
        verb: 'patch',
        subresource: 'scale',
        name: 'a',
        patch: { type: 'application/merge-patch+json', body: { spec: { replicas: -1 } } },
      })
    ).message,
  ).toContain('spec.replicas: Invalid value: -1: must be greater than or equal to 0')
})
