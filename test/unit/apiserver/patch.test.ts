import { expect, test } from 'vitest'
import type { ApiCall } from '../../../src/apimachinery/call.js'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { at, aWidget, aWorld } from './support.js'

const merge = (body: unknown): Pick<ApiCall, 'verb' | 'name' | 'patch'> => ({
  verb: 'patch',
  name: 'a',
  patch: { type: 'application/merge-patch+json', body },
})

test('a merge patch goes through the same pipeline as a PUT and needs no version', async () => {
  const { ask } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a', { size: 1, parts: ['x'] }) })
  const patched = await ask(merge({ spec: { parts: ['y', 'z'], color: null }, metadata: { labels: { l: '1' } } }))
  expect(patched).toMatchObject({ spec: { size: 1, parts: ['y', 'z'], color: 'red' }, metadata: { generation: 2, labels: { l: '1' } } })
})

test('an empty patch changes nothing and keeps the version', async () => {
  const { ask } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a') })
  expect(await ask(merge({}))).toBe(first)
})

test('a patch that carries a version is refused when the object has moved on', async () => {
  const { ask, refusal } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a') })
  await ask(merge({ spec: { size: 1 } }))
  expect((await refusal(merge({ metadata: { resourceVersion: first.metadata.resourceVersion }, spec: { size: 2 } }))).reason).toBe(
    'Conflict',
  )
})

test('a JSON patch whose test fails is unprocessable and changes nothing', async () => {
  const { ask, refusal } = await aWorld()
  const first = await ask({ verb: 'create', object: aWidget('a', { size: 1 }) })
  const body = [
    { op: 'test', path: '/spec/size', value: 5 },
    { op: 'replace', path: '/spec/size', value: 6 },
  ]
  expect((await refusal({ verb: 'patch', name: 'a', patch: { type: 'application/json-patch+json', body } })).code).toBe(422)
  expect(await ask({ verb: 'get', name: 'a' })).toBe(first)
})

test('a custom resource does not take strategic merge patches', async () => {
  const { ask, refusal } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  const strategic = await refusal({ verb: 'patch', name: 'a', patch: { type: 'application/strategic-merge-patch+json', body: {} } })
  expect(strategic.status).toMatchObject({
    code: 415,
    reason: 'UnsupportedMediaType',
    message:
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
  })
})

test('a strategic merge patch of a built-in kind merges lists by their keys', async () => {
  const { ask } = await aWorld()
  await ask({
    verb: 'create',
    ...at('pods'),
    object: { metadata: { name: 'p' }, spec: { containers: [{ name: 'x', image: 'a' }, { name: 'y' }] } },
  })
  const patched = await ask<KubeObject>({
    verb: 'patch',
    ...at('pods', 'p'),
    patch: { type: 'application/strategic-merge-patch+json', body: { spec: { containers: [{ name: 'x', image: 'b' }] } } },
  })
  expect(patched).toMatchObject({ spec: { containers: [{ name: 'x', image: 'b' }, { name: 'y' }] } })
})

test('a patch of the status leaves the spec alone', async () => {
  const { ask } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a', { size: 1 }) })
  const patched = await ask({ ...merge({ spec: { size: 2 }, status: { phase: 'Ready' } }), subresource: 'status' })
  expect(patched).toMatchObject({ spec: { size: 1 }, status: { phase: 'Ready' }, metadata: { generation: 1 } })
})

test('unknown fields of a patch are warned about, or refused when strict', async () => {
  const { call, ask, refusal } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  expect((await call(merge({ spec: { wheels: 4 } }))).warnings).toEqual(['unknown field "spec.wheels"'])
  const strict = await refusal({ ...merge({ spec: { wheels: 4 } }), options: { fieldValidation: 'Strict' } })
  expect(strict.code).toBe(422)
  expect(strict.message).toContain('strict decoding error: unknown field "spec.wheels"')
})

test('a patch cannot rename an object, and a patch of nothing is not found', async () => {
  const { ask, refusal } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  expect((await refusal(merge({ metadata: { name: 'b' } }))).code).toBe(400)
  expect((await refusal({ ...merge({}), name: 'ghost' })).message).toBe('widgets.shop.example.dev "ghost" not found')
})

test('the body of a patch must have the form of its type', async () => {
  const { ask, refusal } = await aWorld()
  await ask({ verb: 'create', object: aWidget('a') })
  expect((await refusal(merge([{ op: 'add' }]))).code).toBe(400)
  expect((await refusal({ verb: 'patch', name: 'a', patch: { type: 'application/json-patch+json', body: {} } })).code).toBe(400)
})
