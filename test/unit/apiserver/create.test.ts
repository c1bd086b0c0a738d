import { expect, test } from 'vitest'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { alice, at, aWidget, aWorld, testKinds, type Widget, widgetServed } from './support.js'

test('create stamps uid, time, version and generation, fills in defaults and forgets what the client may not set', async () => {
  const { call } = await aWorld()
  const sent = {
    metadata: { name: 'a', uid: 'mine', creationTimestamp: '1999-01-01T00:00:00Z', generation: 9, selfLink: '/x', labels: {} },
    spec: { size: 3 },
    status: { phase: 'Invented' },
  }
  const { code, object } = await call({ verb: 'create', object: sent })

  expect(code).toBe(201)
  expect(object).toEqual({
    apiVersion: 'shop.example.dev/v1',
    kind: 'Widget',
    metadata: {
      name: 'a',
      namespace: 'shop',
      uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: 1,
      resourceVersion: '2',
      annotations: { 'shop.example.dev/creator': alice.name },
      managedFields: [expect.objectContaining({ manager: 'unknown', operation: 'Update' })],
    },
    spec: { size: 3, color: 'red' },
  })
})

test('what a caller sent stays as it was, and changing it later does not reach the store', async () => {
  const { ask } = await aWorld()
  const sent = { metadata: { name: 'a' }, spec: { parts: ['wheel'] } }
  const stored = await ask({ verb: 'create', object: sent })
  sent.spec.parts.push('axle')
  expect(sent.metadata).toEqual({ name: 'a' })
  expect(stored.spec?.parts).toEqual(['wheel'])
})

test('answers share the stored object, so that nothing is copied on the way to a controller', async () => {
  const { ask, store } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  const stored = store.get({ resource: 'widgets.shop.example.dev', namespace: 'shop', name: 'a' })
  expect(await ask({ verb: 'get', name: 'a' })).toBe(stored)
})

test('generateName gives a name with five safe characters and keeps the prefix in the object', async () => {
  const { ask } = await aWorld()
  const { metadata } = await ask({ verb: 'create', object: { metadata: { generateName: `${'x'.repeat(70)}-` } } })
  expect(metadata.name).toMatch(/^x{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  expect(metadata.generateName).toBe(`${'x'.repeat(70)}-`)
})

test('a name that is generated is tried eight times, then given up', async () => {
  let drawn = 0
  const random = { ...createSeededRandom(7), float: () => 0 * ++drawn }
  const { ask, refusal } = await aWorld({ random })
  const object = { metadata: { generateName: 'many-' } }
  expect((await ask({ verb: 'create', object })).metadata.name).toBe('many-bbbbb')
  drawn = 0
  expect((await refusal({ verb: 'create', object })).status).toMatchObject({
    code: 409,
    reason: 'AlreadyExists',
    message: 'widgets.shop.example.dev "many-bbbbb" already exists, the server was not able to generate a unique name for the object',
  })
  expect(drawn).toBe(8 * 'bbbbb'.length)
})

test('a create without name or generateName is invalid', async () => {
  const { refusal } = await aWorld()
  const { status } = await refusal({ verb: 'create', object: { spec: {} } })
  expect(status).toMatchObject({
    code: 422,
    reason: 'Invalid',
    message: 'Widget.shop.example.dev "" is invalid: metadata.name: Required value: name or generateName is required',
  })
})

test('a second create of the same name is refused, and says so when the first one is on its way out', async () => {
  const { ask, refusal } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a', {}, { finalizers: ['shop.example.dev/wait'] }) })
  expect((await refusal({ verb: 'create', object: aWidget('a') })).status).toMatchObject({
    code: 409,
    reason: 'AlreadyExists',
    message: 'widgets.shop.example.dev "a" already exists',
    details: { name: 'a', group: 'shop.example.dev', kind: 'widgets' },
  })
  await ask({ verb: 'delete', name: 'a' })
  expect((await refusal({ verb: 'create', object: aWidget('a') })).message).toBe(
    'object is being deleted: widgets.shop.example.dev "a" already exists',
  )
})

test('a body with a resourceVersion is refused with 500 and no reason', async () => {
  const { refusal } = await aWorld()
  const { status } = await refusal({ verb: 'create', object: aWidget('a', {}, { resourceVersion: '5' }) })
  expect(status).toMatchObject({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' })
})

test.each([
  [
    { apiVersion: 'shop.example.dev/v2' },
    'the API version in the data (shop.example.dev/v2) does not match the expected API version (shop.example.dev/v1)',
  ],
  [
    { metadata: { name: 'a', namespace: 'other' } },
    'the namespace of the provided object does not match the namespace sent on the request',
  ],
  [{ metadata: { name: 'a', labels: { n: 1 } } }, 'cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string'],
])('a body that contradicts the call is a bad request: %j', async (object, message) => {
  const { refusal } = await aWorld()
  const refused = await refusal({ verb: 'create', object })
  expect(refused.code).toBe(400)
  expect(refused.message).toContain(message)
})

test('nothing can be created in a namespace that is missing or going away', async () => {
  const { ask, refusal } = await aWorld()
  expect((await refusal({ verb: 'create', namespace: 'ghost', object: aWidget('a') })).status).toMatchObject({
    code: 404,
    message: 'namespaces "ghost" not found',
  })
  await ask({ verb: 'delete', ...at('namespaces', 'shop') })
  expect((await refusal({ verb: 'create', object: aWidget('a') })).status).toMatchObject({
    code: 403,
    reason: 'Forbidden',
    message: 'widgets.shop.example.dev "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
    details: { causes: [{ reason: 'NamespaceTerminating', field: 'metadata.namespace' }] },
  })
})

test('a dry run answers as if it had happened, stores nothing and is still refused for a name that is taken', async () => {
  const { call, refusal, store } = await aWorld()
  const before = store.version
  const { code, object } = await call({ verb: 'create', object: aWidget('a'), options: { dryRun: true } })
  expect(code).toBe(201)
  expect((object as KubeObject).metadata).toMatchObject({ name: 'a', uid: expect.any(String) })
  expect((object as KubeObject).metadata.resourceVersion).toBeUndefined()
  expect(store.version).toBe(before)

  await call({ verb: 'create', object: aWidget('a') })
  expect((await refusal({ verb: 'create', object: aWidget('a'), options: { dryRun: true } })).reason).toBe('AlreadyExists')
})

test('unknown fields are dropped with a warning, refused when strict, and dropped silently when ignored', async () => {
  const { call, refusal } = await aWorld()
  const object = { metadata: { name: 'a' }, spec: { size: 1, weight: 2 } }
  const decodingProblems = ['duplicate field "spec.size"']

  const strict = await refusal({ verb: 'create', object, decodingProblems, options: { fieldValidation: 'Strict' } })
  expect(strict.code).toBe(400)
  expect(strict.message).toBe(
    'Widget in version "v1" cannot be handled as a Widget: strict decoding error: duplicate field "spec.size", unknown field "spec.weight"',
  )
  const warned = await call({ verb: 'create', object, decodingProblems })
  expect(warned.warnings).toEqual(['duplicate field "spec.size"', 'unknown field "spec.weight"'])
  expect((warned.object as Widget).spec).toEqual({ size: 1, color: 'red' })

  const ignored = await call({ verb: 'create', object: { ...object, metadata: { name: 'b' } }, options: { fieldValidation: 'Ignore' } })
  expect(ignored.warnings).toEqual([])
})

test('the schema speaks before the webhook, and the webhook denies in its own words', async () => {
  const { refusal } = await aWorld()
  const wrongType = await refusal({ verb: 'create', object: aWidget('a', { size: -1, color: 'invisible' }) })
  expect(wrongType.code).toBe(422)
  expect(wrongType.message).toContain('spec.size')

  const denied = await refusal({ verb: 'create', object: aWidget('a', { color: 'invisible' }) })
  expect(denied.status).toMatchObject({
    code: 400,
    reason: 'BadRequest',
    message:
      'admission webhook "validation.webhook.shop.example.dev" denied the request: validation failed: invalid value: invisible: spec.color',
  })
})

test('a repeated owner reference is dropped with a warning', async () => {
  const { call } = await aWorld()
  const owner = { apiVersion: 'v1', kind: 'Note', name: 'n', uid: 'u1' }
  const { object, warnings } = await call({ verb: 'create', object: aWidget('a', {}, { ownerReferences: [owner, owner] }) })
  expect((object as Widget).metadata.ownerReferences).toEqual([owner])
  expect(warnings[0]).toContain('duplicate UID(s) observed: u1')
})

test('a kind without generation never gets one', async () => {
  const { ask } = await aWorld()
  const note = await ask<KubeObject>({ verb: 'create', ...at('notes'), object: { metadata: { name: 'n' }, data: { a: 'b', c: null } } })
  expect(note.metadata.generation).toBeUndefined()
  expect(note).toMatchObject({ data: { a: 'b' } })
})

test('members that defaults leave undefined are absent, for the schema and in the store', async () => {
  const careless = {
    ...widgetServed,
    defaults: (widget: Widget) => void Object.assign(widget.spec!, { size: undefined }),
    prepare: (widget: Widget) => void Object.assign(widget.spec!, { replicas: undefined }),
  }
  const { ask } = await aWorld({ kinds: [...testKinds.slice(1), careless] as never })
  const { spec } = await ask({ verb: 'create', object: aWidget('a', { color: 'blue' }) })
  expect(Object.keys(spec!)).toEqual(['color'])
})

test('defaults that stumble over a value of the wrong type leave the answer to the schema', async () => {
  const trusting = { ...widgetServed, defaults: (widget: Widget) => void widget.spec!.parts!.map((part) => part.trim()) }
  const { refusal } = await aWorld({ kinds: [...testKinds.slice(1), trusting] as never })
  const refused = await refusal({ verb: 'create', object: { metadata: { name: 'a' }, spec: { parts: 7 } } })
  expect(refused.code).toBe(422)
  expect(refused.message).toContain('spec.parts in body must be of type array')
})
