import { expect, test } from 'vitest'
import type { WatchEvent } from '../../../../src/apimachinery/call.js'
import type { Schema } from '../../../../src/apimachinery/schema.js'
import { createDiscovery } from '../../../../src/apiserver/discovery.js'
import { following } from '../../../../src/apiserver/following.js'
import { createOpenApi } from '../../../../src/apiserver/openapi.js'
import { aDefinedWorld, aDefinition, aGadget, aVersion, DEFINITIONS_PATH } from './support.js'

const open: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

test('a kind is served from the write that defines it, and no longer than its definition', async () => {
  const { call, define, refusal } = await aDefinedWorld()
  expect((await refusal({ verb: 'list' })).code).toBe(404)
  const definition = await define(aDefinition())
  expect(definition.status?.conditions?.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual([
    'NamesAccepted True NoConflicts',
    'Established True InitialNamesAccepted',
  ])
  expect(definition.status).toMatchObject({
    acceptedNames: { plural: 'gadgets', singular: 'gadget', kind: 'Gadget', listKind: 'GadgetList' },
    storedVersions: ['v1'],
  })
  const made = await call({ verb: 'create', object: aGadget('one') })
  expect(made).toMatchObject({ apiVersion: 'example.com/v1', kind: 'Gadget', spec: { size: 1 }, metadata: { generation: 1 } })
  expect(await call({ verb: 'list' })).toMatchObject({ kind: 'GadgetList', items: [{ metadata: { name: 'one' } }] })
})

test('definitions that were there before are served after a restart', async () => {
  const before = await aDefinedWorld()
  await before.define(aDefinition())
  await before.call({ verb: 'create', object: aGadget('kept') })
  const after = await aDefinedWorld({ store: before.store })
  expect((await after.call({ verb: 'get', name: 'kept' })).metadata.name).toBe('kept')
})

test('fields the schema does not know are dropped with a warning or refused; the schema is held against the rest', async () => {
  const { define, warningsOf, refusal } = await aDefinedWorld()
  await define(aDefinition())
  const odd = { verb: 'create', object: aGadget('odd', { sise: 2 }) } as const
  expect(await warningsOf(odd)).toEqual(['unknown field "spec.sise"'])
  expect((await refusal({ ...odd, options: { fieldValidation: 'Strict' } })).message).toContain(
    'strict decoding error: unknown field "spec.sise"',
  )
  expect((await refusal({ verb: 'create', object: aGadget('bad', { size: 'big' }) })).message).toBe(
    'Gadget.example.com "bad" is invalid: spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"',
  )
})

test('a pattern in Go’s syntax is held against values', async () => {
  const { call, define, refusal } = await aDefinedWorld()
  const spec: Schema = { type: 'object', properties: { code: { type: 'string', pattern: '(?i)^[[:alpha:]]+$' } } }
  await define(aDefinition({ versions: [aVersion({ type: 'object', properties: { spec } })] }))
  expect(await call({ verb: 'create', object: aGadget('a', { code: 'Ab' }) })).toMatchObject({ spec: { code: 'Ab' } })
  expect((await refusal({ verb: 'create', object: aGadget('b', { code: 'a1' }) })).message).toContain(
    "spec.code in body should match '(?i)^[[:alpha:]]+$'",
  )
})

test('a default that the definition gains shows in what was stored before', async () => {
  const { call, define } = await aDefinedWorld()
  await define(aDefinition())
  await call({ verb: 'create', object: aGadget('old') })
  const spec: Schema = { type: 'object', properties: { size: { type: 'integer' }, color: { type: 'string', default: 'red' } } }
  await define(aDefinition({ versions: [aVersion({ type: 'object', properties: { spec } })] }))
  expect(await call({ verb: 'get', name: 'old' })).toMatchObject({ spec: { size: 1, color: 'red' } })
  expect(await call({ verb: 'list' })).toMatchObject({ items: [{ spec: { color: 'red' } }] })
})

test('every served version shows every object; a switched off one is gone; the stored version may change', async () => {
  const { call, define, refusal, store } = await aDefinedWorld()
  const two = (storage: 'v1' | 'v2', served = true) => [
    aVersion(open, { name: 'v1', storage: storage === 'v1', served }),
    aVersion(open, { name: 'v2', storage: storage === 'v2' }),
  ]
  await define(aDefinition({ versions: two('v1') }))
  await call({ verb: 'create', version: 'v2', object: aGadget('a', { x: 1 }) })
  expect(store.list('gadgets.example.com').items[0]!.apiVersion).toBe('example.com/v1')
  expect(await call({ verb: 'get', version: 'v2', name: 'a' })).toMatchObject({ apiVersion: 'example.com/v2', spec: { x: 1 } })

  const changed = await define(aDefinition({ versions: two('v2') }))
  expect(changed.status?.storedVersions).toEqual(['v1', 'v2'])
  const patch = { type: 'application/merge-patch+json' as const, body: { spec: { x: 2 } } }
  expect(await call({ verb: 'patch', name: 'a', patch })).toMatchObject({ apiVersion: 'example.com/v1', spec: { x: 2 } })
  expect(store.list('gadgets.example.com').items[0]).toMatchObject({ apiVersion: 'example.com/v2', spec: { x: 2 } })

  await define(aDefinition({ versions: two('v2', false) }))
  const { server } = await aDefinedWorld({ store })
  expect(server.kindFor('example.com', 'v1', 'gadgets')).toBeUndefined()
  expect(server.kinds.filter(({ kind }) => kind.plural === 'gadgets').map(({ kind }) => kind.version)).toEqual(['v2'])
  expect((await refusal({ verb: 'get', version: 'v3', name: 'a' })).code).toBe(404)
})

test('a deprecated version says so with every answer', async () => {
  const { define, warningsOf, call } = await aDefinedWorld()
  await define(aDefinition({ versions: [aVersion(open, { deprecated: true }), aVersion(open, { name: 'v2', storage: false })] }))
  expect(await warningsOf({ verb: 'list' })).toEqual(['example.com/v1 Gadget is deprecated'])
  expect(await warningsOf({ verb: 'list', version: 'v2' })).toEqual([])
  expect(await call({ verb: 'list' })).toMatchObject({ items: [] })
})

test('a watch follows in its own version, and ends when the definition changes', async () => {
  const { server, call, define } = await aDefinedWorld()
  const versions = [aVersion(open), aVersion(open, { name: 'v2', storage: false })]
  await define(aDefinition({ versions }))
  const events: WatchEvent[] = []
  let ends = 0
  server.watch(
    { user: { name: 'a', groups: [] }, verb: 'watch', group: 'example.com', version: 'v2', plural: 'gadgets' },
    (event) => events.push(event),
    () => ends++,
  )
  await call({ verb: 'create', object: aGadget('a') })
  expect(events.map(({ type, object }) => `${type} ${object.apiVersion}`)).toEqual(['ADDED example.com/v2'])
  await define(aDefinition({ versions: [...versions, aVersion(open, { name: 'v3', storage: false })] }))
  expect(ends).toBe(1)
  await call({ verb: 'create', object: aGadget('b') })
  expect(events).toHaveLength(1)
})

test('discovery and OpenAPI change with a definition, and only where it belongs', async () => {
  const { server, define } = await aDefinedWorld()
  const discovery = following(() => server.kinds, createDiscovery)
  const documents = new Map()
  const openApi = following(
    () => server.kinds,
    (kinds) => createOpenApi(kinds, 'v1.35.0', documents),
  )
  const none = { get: () => null }
  const hashOf = (path: string): string | undefined => openApi.answer(path, none, undefined, undefined)?.headers['ETag']
  const before = {
    index: hashOf('/openapi/v3'),
    core: hashOf('/openapi/v3/api/v1'),
    v2: hashOf('/openapi/v2'),
    apis: discovery.answer('/apis', undefined, undefined)?.headers['ETag'],
  }
  await define(aDefinition())
  expect(hashOf('/openapi/v3')).not.toBe(before.index)
  expect(hashOf('/openapi/v2')).not.toBe(before.v2)
  expect(hashOf('/openapi/v3/api/v1')).toBe(before.core)
  expect(discovery.answer('/apis', undefined, undefined)?.headers['ETag']).not.toBe(before.apis)
  expect(JSON.parse(discovery.answer('/apis/example.com/v1', undefined, undefined)!.body.toString())).toMatchObject({
    resources: [{ name: 'gadgets', singularName: 'gadget', kind: 'Gadget' }],
  })
  const first = hashOf('/openapi/v3/apis/example.com/v1')
  await define(aDefinition({ versions: [aVersion(open)] }))
  expect(hashOf('/openapi/v3/apis/example.com/v1')).not.toBe(first)
})

test('names that another definition of the group has are not given twice', async () => {
  const { define, refusal } = await aDefinedWorld()
  await define(aDefinition({ names: { shortNames: ['gd'] } }))
  const second = await define(aDefinition({ plural: 'others', names: { kind: 'Other', shortNames: ['gd'] } }))
  expect(second.status?.conditions).toMatchObject([
    { type: 'NamesAccepted', status: 'False', reason: 'ShortNamesConflict', message: '"gd" is already in use' },
    { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
  ])
  expect((await refusal({ verb: 'list', plural: 'others' })).code).toBe(404)
  const third = await define(aDefinition({ plural: 'thirds', names: { kind: 'Gadget' } }))
  // The last conflict found is the one that is told.
  expect(third.status?.conditions?.[0]).toMatchObject({ reason: 'ListKindConflict', message: '"GadgetList" is already in use' })
})

test('a field that a definition names can be selected, others cannot', async () => {
  const { call, define, refusal } = await aDefinedWorld()
  const spec: Schema = { type: 'object', properties: { color: { type: 'string' } } }
  await define(
    aDefinition({ versions: [aVersion({ type: 'object', properties: { spec } }, { selectableFields: [{ jsonPath: '.spec.color' }] })] }),
  )
  await call({ verb: 'create', object: aGadget('a', { color: 'red' }) })
  await call({ verb: 'create', object: aGadget('b', { color: 'blue' }) })
  const selected = await call({ verb: 'list', options: { fieldSelector: 'spec.color=blue' } })
  expect(selected).toMatchObject({ items: [{ metadata: { name: 'b' } }] })
  expect((await refusal({ verb: 'list', options: { fieldSelector: 'spec.size=1' } })).message).toBe('field label not supported: spec.size')
})

test('a value that was wrong before a schema became stricter may stay while something else changes', async () => {
  const { call, define, refusal } = await aDefinedWorld()
  const spec = (more: Schema): Schema => ({ type: 'object', properties: { size: { type: 'integer', ...more }, note: { type: 'string' } } })
  await define(aDefinition({ versions: [aVersion({ type: 'object', properties: { spec: spec({}) } })] }))
  await call({ verb: 'create', object: aGadget('a', { size: 99 }) })
  await define(aDefinition({ versions: [aVersion({ type: 'object', properties: { spec: spec({ maximum: 10 }) } })] }))
  const merge = (body: object) => ({ verb: 'patch', name: 'a', patch: { type: 'application/merge-patch+json', body } }) as const
  expect(await call(merge({ spec: { note: 'x' } }))).toMatchObject({ spec: { size: 99, note: 'x' } })
  expect((await refusal(merge({ spec: { size: 98 } }))).message).toContain('spec.size in body should be less than or equal to 10')
})

test('rules come after the schema, on status too, and say when they could not be looked at', async () => {
  const { define, refusal, call } = await aDefinedWorld()
  const rules = [{ rule: '!has(self.status) || !has(self.status.n) || self.status.n < 3', message: 'status too large' }]
  const schema: Schema = {
    type: 'object',
    properties: {
      spec: { type: 'object', required: ['size'], properties: { size: { type: 'integer' } } },
      status: { type: 'object', properties: { n: { type: 'integer' } } },
    },
    'x-kubernetes-validations': rules,
  }
  await define(aDefinition({ versions: [aVersion(schema, { subresources: { status: {} } })] }))
  expect((await refusal({ verb: 'create', object: aGadget('a') })).message).toContain(
    '<nil>: Invalid value: "null": some validation rules were not checked because the object was invalid',
  )
  const made = await call({ verb: 'create', object: aGadget('a', { size: 1 }) })
  const refused = await refusal({ verb: 'update', subresource: 'status', name: 'a', object: { ...made, status: { n: 3 } } })
  expect(refused.message).toBe('Gadget.example.com "a" is invalid: <nil>: Invalid value: "object": status too large')
})

test('a definition that is being deleted makes nothing new and offers less', async () => {
  const { call, define, refusal, server } = await aDefinedWorld()
  await define(aDefinition())
  const marked = await call({ verb: 'delete', ...DEFINITIONS_PATH, name: 'gadgets.example.com' })
  expect(marked).toMatchObject({
    metadata: { finalizers: ['customresourcecleanup.apiextensions.k8s.io'] },
    status: { conditions: [{}, {}, { type: 'Terminating', status: 'True', reason: 'InstanceDeletionPending' }] },
  })
  expect(await refusal({ verb: 'create', object: aGadget('late') })).toMatchObject({
    code: 405,
    message: 'create not allowed while custom resource definition is terminating',
  })
  expect(server.kindFor('example.com', 'v1', 'gadgets')?.verbs).toEqual(['delete', 'deletecollection', 'get', 'list', 'watch'])
})

test('whoever follows the kinds is told which come and go, in the stored version', async () => {
  const { server, define, call } = await aDefinedWorld()
  const changes: string[] = []
  const stop = server.stored.onKinds(({ added, removed }) =>
    changes.push(`+${added.map(({ version }) => version).join()} -${removed.map(({ version }) => version).join()}`),
  )
  const two = (storage: string) => [
    aVersion(open, { storage: storage === 'v1' }),
    aVersion(open, { name: 'v2', storage: storage === 'v2' }),
  ]
  await define(aDefinition({ versions: two('v1') }))
  await define(aDefinition({ versions: [...two('v1'), aVersion(open, { name: 'v3', storage: false })] }))
  await define(aDefinition({ versions: two('v2') }))
  expect(changes).toEqual(['+v1 -', '+v2 -v1'])
  expect(server.stored.kinds().filter(({ group }) => group === 'example.com')).toMatchObject([{ plural: 'gadgets', version: 'v2' }])
  await call({ verb: 'delete', ...DEFINITIONS_PATH, name: 'gadgets.example.com' })
  const patch = { type: 'application/merge-patch+json' as const, body: { metadata: { finalizers: null } } }
  await call({ verb: 'patch', ...DEFINITIONS_PATH, name: 'gadgets.example.com', patch })
  expect(changes.at(-1)).toBe('+ -v2')
  stop()
})
