import { expect, test } from 'vitest'
import type { ApiCall, CallOptions } from '../../../src/apimachinery/call.js'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { expanded } from '../../../src/apiserver/field-managers.js'
import { at, aWidget, aWorld, type Widget, type World } from './support.js'

interface Entry {
  manager: string
  operation: string
  apiVersion: string
  time: string
  subresource?: string
  fieldsV1: object
}

const widget = (spec: object, metadata: object = {}): object => ({
  apiVersion: 'shop.example.dev/v1',
  kind: 'Widget',
  metadata: { name: 'a', ...metadata },
  spec,
})
const applying = (body: unknown, options: CallOptions = {}, more: Partial<ApiCall> = {}): Partial<ApiCall> & Pick<ApiCall, 'verb'> => ({
  verb: 'patch',
  name: 'a',
  patch: { type: 'application/apply-patch+yaml', body },
  options: { fieldManager: 'alice', ...options },
  ...more,
})
const merging = (body: object, fieldManager = 'bob', more: Partial<ApiCall> = {}): Partial<ApiCall> & Pick<ApiCall, 'verb'> => ({
  verb: 'patch',
  name: 'a',
  patch: { type: 'application/merge-patch+json', body },
  options: { fieldManager },
  ...more,
})
const entriesOf = (object: KubeObject): Entry[] => (expanded(object).metadata.managedFields ?? []) as Entry[]
const managersOf = (object: KubeObject): string[] =>
  entriesOf(object).map(({ manager, operation, subresource }) => [manager, operation, ...(subresource ? [subresource] : [])].join(' '))
const stored = (world: World): Promise<Widget> => world.ask<Widget>({ verb: 'get', name: 'a' })

test('an apply creates what is missing and owns what it says, not what is filled in', async () => {
  const { call } = await aWorld()
  const { code, object } = await call(applying(widget({ size: 1, parts: ['x'] }, { labels: { app: 'a' } })))
  expect(code).toBe(201)
  expect(object).toMatchObject({ metadata: { generation: 1 }, spec: { size: 1, color: 'red', parts: ['x'] } })
  expect(entriesOf(object as KubeObject)).toEqual([
    {
      manager: 'alice',
      operation: 'Apply',
      apiVersion: 'shop.example.dev/v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:metadata': { 'f:labels': { 'f:app': {} } }, 'f:spec': { 'f:parts': {}, 'f:size': {} } },
    },
  ])
})

test('applying the same again changes nothing, not even a time', async () => {
  const world = await aWorld()
  const first = await world.ask(applying(widget({ size: 1 })))
  await world.clock.advance(5000)
  const again = await world.call(applying(widget({ size: 1 })))
  expect([again.code, again.object]).toEqual([200, first])
})

test('what is no longer applied goes, unless somebody else owns it', async () => {
  const world = await aWorld()
  await world.ask(applying(widget({ size: 1, replicas: 2 }, { labels: { a: '1', b: '1' } })))
  await world.ask(merging({ metadata: { labels: { c: '1' } } }))
  await world.ask(applying(widget({ size: 1 }, { labels: { b: '1' } }), { fieldManager: 'carol' }))
  const after = await world.ask(applying(widget({ color: 'blue' })))
  expect(after).toMatchObject({ metadata: { labels: { b: '1', c: '1' } }, spec: { size: 1, color: 'blue' } })
  expect(after.metadata.labels).not.toHaveProperty('a')
  expect(after.spec).not.toHaveProperty('replicas')
  expect(managersOf(after)).toEqual(['alice Apply', 'carol Apply', 'bob Update'])
})

test('a field that another manager set differently is a conflict, and nothing is stored', async () => {
  const world = await aWorld()
  await world.ask(applying(widget({ size: 1 })))
  const changed = await world.ask(merging({ spec: { size: 2, color: 'blue' } }))
  const refused = await world.refusal(applying(widget({ size: 1, color: 'green' })))
  expect(refused.status).toMatchObject({
    code: 409,
    reason: 'Conflict',
    message: 'Apply failed with 2 conflicts: conflicts with "bob" using shop.example.dev/v1:\n- .spec.color\n- .spec.size',
    details: { causes: [{ reason: 'FieldManagerConflict', field: '.spec.color' }, { field: '.spec.size' }] },
  })
  expect(await stored(world)).toBe(changed)

  const forced = await world.ask(applying(widget({ size: 1, color: 'green' }), { force: true }))
  expect(forced.spec).toEqual({ size: 1, color: 'green' })
  expect(managersOf(forced)).toEqual(['alice Apply'])
})

test('a value that both want is owned by both', async () => {
  const world = await aWorld()
  await world.ask(applying(widget({ size: 1 })))
  const both = await world.ask(applying(widget({ size: 1 }), { fieldManager: 'bob' }))
  expect(entriesOf(both).map(({ manager, fieldsV1 }) => [manager, fieldsV1])).toEqual([
    ['alice', { 'f:spec': { 'f:size': {} } }],
    ['bob', { 'f:spec': { 'f:size': {} } }],
  ])
  expect((await world.refusal(applying(widget({ size: 2 }), { fieldManager: 'bob' }))).message).toBe(
    'Apply failed with 1 conflict: conflict with "alice": .spec.size',
  )
})

test('a dry apply tells what would be, and what would conflict', async () => {
  const world = await aWorld()
  const first = await world.ask(applying(widget({ size: 1 })))
  expect(await world.ask(applying(widget({ size: 2 }), { dryRun: true }))).toMatchObject({ spec: { size: 2 } })
  expect((await world.refusal(applying(widget({ size: 3 }), { dryRun: true, fieldManager: 'bob' }))).code).toBe(409)
  expect(await stored(world)).toBe(first)
  expect((await world.call(applying(widget({}, { name: 'b' }), { dryRun: true }, { name: 'b' }))).code).toBe(201)
  expect((await world.refusal({ verb: 'get', name: 'b' })).code).toBe(404)
})

test.each<[string, unknown, CallOptions, number, string]>([
  [
    'without a field manager',
    widget({}),
    { fieldManager: '' },
    422,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  ],
  ['of another kind', { ...widget({}), kind: 'Gadget' }, {}, 400, 'invalid object type: shop.example.dev/v1, Kind=Gadget'],
  ['of another version', { ...widget({}), apiVersion: 'v1' }, {}, 400, 'invalid object type: /v1, Kind=Widget'],
  ['without a type', { metadata: { name: 'a' } }, {}, 400, 'invalid object type: /, Kind='],
  ['that is no object', ['a'], {}, 400, 'error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}'],
  ['with managed fields', widget({}, { managedFields: [{ manager: 'x' }] }), {}, 400, 'metadata.managedFields must be nil'],
  [
    'with an unknown field',
    widget({ sized: 1 }, { namespace: 'shop' }),
    {},
    500,
    'failed to create typed patch object (shop/a; shop.example.dev/v1, Kind=Widget): .spec.sized: field not declared in schema',
  ],
  [
    'with several problems',
    widget({ size: '1', sized: 1 }),
    {},
    500,
    'failed to create typed patch object (/a; shop.example.dev/v1, Kind=Widget): errors:\n  .spec.size: expected numeric (int or float), got &value.valueUnstructured{Value:"1"}\n  .spec.sized: field not declared in schema',
  ],
  ['with another name', widget({}, { name: 'b' }), {}, 400, 'the name of the object (b) does not match the name on the URL (a)'],
  [
    'with a uid, of what is not there',
    widget({}, { uid: 'u' }),
    {},
    409,
    'Operation cannot be fulfilled on widgets.shop.example.dev "a": uid mismatch: the provided object specified uid u, and no existing object was found',
  ],
])('an apply %s is refused', async (_, body, options, code, message) => {
  const { refusal } = await aWorld()
  const refused = await refusal(applying(body, options))
  expect([refused.code, refused.message]).toEqual([code, message])
})

test('a resourceVersion in an apply is a precondition', async () => {
  const world = await aWorld()
  const { metadata } = await world.ask(applying(widget({ size: 1 })))
  await world.ask(merging({ spec: { color: 'blue' } }))
  const { resourceVersion } = metadata
  expect((await world.refusal(applying(widget({ size: 2 }, { resourceVersion })))).reason).toBe('Conflict')
})

test('repeated keys in an apply are refused when asked for strictness, else warned of', async () => {
  const { call, refusal } = await aWorld()
  const decodingProblems = ['duplicate field "spec.size"']
  const refused = await refusal(applying(widget({ size: 1 }), { fieldValidation: 'Strict' }, { decodingProblems }))
  expect([refused.code, refused.message]).toEqual([400, 'error strict decoding patch: duplicate field "spec.size"'])
  expect((await call(applying(widget({ size: 1 }), {}, { decodingProblems }))).warnings).toEqual(decodingProblems)
})

test('every write is tracked: who created, who updated, who wrote the status, who scaled', async () => {
  const world = await aWorld()
  await world.ask({ verb: 'create', object: aWidget('a', { size: 1 }), userAgent: 'curl/8.0' })
  const { metadata, ...rest } = await stored(world)
  await world.clock.advance(1000)
  await world.ask({
    verb: 'update',
    name: 'a',
    object: { ...rest, metadata, spec: { ...rest.spec, size: 2 } },
    options: { fieldManager: 'bob' },
  })
  await world.ask(merging({ status: { phase: 'Ready' } }, 'controller', { subresource: 'status' }))
  await world.ask(merging({ spec: { replicas: 3 } }, 'scaler', { subresource: 'scale' }))
  const entries = entriesOf(await stored(world))
  expect(entries.map(({ manager, operation, subresource = '', fieldsV1 }) => [manager, operation, subresource, fieldsV1])).toEqual([
    ['curl', 'Update', '', { 'f:spec': { '.': {}, 'f:color': {} } }],
    ['bob', 'Update', '', { 'f:spec': { 'f:size': {} } }],
    ['controller', 'Update', 'status', { 'f:status': { '.': {}, 'f:phase': {} } }],
    ['scaler', 'Update', 'scale', { 'f:spec': { 'f:replicas': {} } }],
  ])
  expect(entries.map(({ time }) => time)).toEqual(['2026-01-01T00:00:00Z', ...Array(3).fill('2026-01-01T00:00:01Z')])
})

test('a write that changes nothing takes no fields and makes no version', async () => {
  const world = await aWorld()
  const first = await world.ask({ verb: 'create', object: aWidget('a', { size: 1 }) })
  await world.clock.advance(1000)
  expect(await world.ask(merging({ spec: { size: 1 } }))).toBe(first)
})

test('applies to the status and to the scale own it there', async () => {
  const world = await aWorld()
  await world.ask(applying(widget({ size: 1 })))
  const status = { apiVersion: 'shop.example.dev/v1', kind: 'Widget', metadata: { name: 'a' }, status: { phase: 'Ready' } }
  const withStatus = await world.ask(applying({ ...status, spec: { size: 9 } }, { fieldManager: 'controller' }, { subresource: 'status' }))
  expect(withStatus).toMatchObject({ spec: { size: 1 }, status: { phase: 'Ready' } })
  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' }, spec: { replicas: 4 } }
  expect(await world.ask(applying(scale, { fieldManager: 'scaler' }, { subresource: 'scale' }))).toMatchObject({
    kind: 'Scale',
    spec: { replicas: 4 },
  })
  expect(managersOf(await stored(world))).toEqual(['alice Apply', 'controller Apply status', 'scaler Apply scale'])
  expect((await world.refusal(applying(widget({ replicas: 1 })))).message).toBe(
    'Apply failed with 1 conflict: conflict with "scaler" with subresource "scale": .spec.replicas',
  )
  const gone = { ...status, metadata: { name: 'none' } }
  expect((await world.refusal(applying(gone, {}, { name: 'none', subresource: 'status' }))).code).toBe(404)
})

test.each([[[]], [[{}]]])(
  'managed fields can be reset with %j; what was there then belongs to nobody who applies',
  async (managedFields) => {
    const world = await aWorld()
    await world.ask(applying(widget({ size: 1 })))
    await world.ask(merging({ metadata: { managedFields } }))
    expect((await stored(world)).metadata.managedFields).toBeUndefined()

    await world.ask(merging({ spec: { color: 'blue' } }))
    expect((await stored(world)).metadata.managedFields).toBeUndefined()
    expect((await world.refusal(applying(widget({ size: 2 })))).message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using shop.example.dev/v1: .spec.size',
    )
    expect(managersOf(await world.ask(applying(widget({ size: 1 }))))).toEqual(['alice Apply', 'before-first-apply Update'])
  },
)

test('a JSON patch can rewrite managed fields, as kubectl does to change its name', async () => {
  const world = await aWorld()
  const first = await world.ask({
    verb: 'create',
    object: aWidget('a', { size: 1 }),
    options: { fieldManager: 'kubectl-client-side-apply' },
  })
  const entries = entriesOf(first).map((entry) => ({ ...entry, manager: 'kubectl', operation: 'Apply' }))
  const moved = await world.ask({
    verb: 'patch',
    name: 'a',
    patch: {
      type: 'application/json-patch+json',
      body: [
        { op: 'test', path: '/metadata/managedFields/0/fieldsV1/f:spec/f:size', value: {} },
        { op: 'replace', path: '/metadata/managedFields', value: entries },
        { op: 'replace', path: '/metadata/resourceVersion', value: first.metadata.resourceVersion },
      ],
    },
    options: { fieldManager: 'kubectl' },
  })
  expect(managersOf(moved)).toEqual(['kubectl Apply'])
  expect(entriesOf(moved)[0]!.fieldsV1).toEqual(entriesOf(first)[0]!.fieldsV1)
})

test('nobody loses managed fields by sending none, or nonsense', async () => {
  const world = await aWorld()
  const first = await world.ask(applying(widget({ size: 1 })))
  const { managedFields: _, ...metadata } = first.metadata
  for (const managedFields of [
    undefined,
    [{ manager: 'x', operation: 'Nonsense' }],
    [{ manager: 'x', operation: 'Update', fieldsV1: 'f' }],
  ]) {
    const object = { ...first, metadata: { ...metadata, resourceVersion: undefined, managedFields } }
    const { resourceVersion } = (await stored(world)).metadata
    await world.ask({ verb: 'update', name: 'a', object: { ...object, metadata: { ...object.metadata, resourceVersion } } })
    expect(managersOf(await stored(world))).toEqual(['alice Apply'])
  }
})

test('kubectl takes over what client-side apply wrote and nobody has changed since', async () => {
  const world = await aWorld()
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
  const config = widget({ size: 1, color: 'blue' })
  const annotations = { [annotation]: `${JSON.stringify(config)}\n` }
  await world.ask({
    verb: 'create',
    object: widget({ size: 1, color: 'blue' }, { annotations }),
    options: { fieldManager: 'kubectl-client-side-apply' },
  })

  expect((await world.refusal(applying(widget({ size: 2, color: 'blue' })))).code).toBe(409)
  const taken = await world.ask(applying(widget({ size: 2, color: 'blue' }), { fieldManager: 'kubectl' }))
  expect(taken.spec).toEqual({ size: 2, color: 'blue' })
  expect(taken.metadata.annotations![annotation]).toBe(
    '{"apiVersion":"shop.example.dev/v1","kind":"Widget","metadata":{"name":"a"},"spec":{"color":"blue","size":2}}\n',
  )

  await world.ask(merging({ spec: { color: 'green' } }))
  const refused = await world.refusal(applying(widget({ size: 3, color: 'red' }), { fieldManager: 'kubectl' }))
  expect(refused.message).toBe('Apply failed with 1 conflict: conflict with "bob" using shop.example.dev/v1: .spec.color')
})

test('a built-in object always has its structs, so that nobody owns them', async () => {
  const { ask } = await aWorld()
  const note = await ask<KubeObject>({ verb: 'create', ...at('notes'), object: { metadata: { name: 'n' }, data: { a: '1' } } })
  expect(entriesOf(note)[0]!.fieldsV1).toEqual({ 'f:data': { '.': {}, 'f:a': {} } })
  const pod = await ask<KubeObject>({
    verb: 'create',
    ...at('pods'),
    object: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c' }] } },
  })
  expect(entriesOf(pod)[0]!.fieldsV1).toEqual({ 'f:spec': { 'f:containers': {} } })
})

test('a status that comes again and again keeps its owners and their texts', async () => {
  const world = await aWorld()
  await world.ask({ verb: 'create', object: aWidget('a', { size: 1 }) })
  const write = async (phase: string): Promise<Widget> => {
    await world.clock.advance(1000)
    return world.ask(merging({ status: { phase } }, 'controller', { subresource: 'status' }))
  }
  const [one, two] = [await write('One'), await write('Two')]
  expect(two.metadata.managedFields![0]).toBe(one.metadata.managedFields![0])
  expect(entriesOf(two)[1]).toEqual({ ...entriesOf(one)[1], time: '2026-01-01T00:00:02Z' })
})
