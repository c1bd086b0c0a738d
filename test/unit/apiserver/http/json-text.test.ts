import { expect, test } from 'vitest'
import { DEEPEST, decodeJson } from '../../../../src/apiserver/http/json-text.js'
import { createObjectTexts } from '../../../../src/apiserver/http/object-text.js'
import { decodeYaml } from '../../../../src/apiserver/http/yaml-text.js'
import { resourcePathFrom } from '../../../../src/apiserver/paths.js'

test.each([
  ['{"a":1,"b":{"a":2}}', []],
  ['{"a":1,"a":2}', ['a']],
  ['{"spec":{"items":[{"x":1},{"y":"{","y":"}"}]}}', ['spec.items[1].y']],
  ['{"a":{"b":1,"b":2},"a":{"c":"\\"","c":1}}', ['a.b', 'a', 'a.c']],
  ['{"k\\u0065y":1,"key":2}', ['key']],
  ['["a","a"]', []],
  ['{"a":["a","a",{"a":1}],"b":"a"}', []],
])('repeated keys of %s are found: %j', (text, paths) => {
  expect(decodeJson(text)).toEqual({ value: JSON.parse(text), problems: paths.map((path) => `duplicate field "${path}"`) })
})

test.each(['', '{', '{"a":"', '{"a":"\\', '"\\', ']', '{"a":1}}', '{a:1}'])('text that is no JSON is a bad request: %j', (text) => {
  expect(() => decodeJson(text)).toThrow("couldn't get version/kind; json parse error")
})

test('nesting is bounded', () => {
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
  expect(decodeJson(nested(DEEPEST)).problems).toEqual([])
  expect(() => decodeJson(nested(DEEPEST + 1))).toThrow('exceeded max depth')
})

test('a key named __proto__ is data like any other', () => {
  const { value } = decodeJson('{"__proto__":{"polluted":1}}')
  expect(Object.hasOwn(value as object, '__proto__')).toBe(true)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('YAML that blows up or nests without end is refused, and its repeated keys are named', async () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`
  await expect(decodeYaml(bomb)).rejects.toMatchObject({ code: 400 })
  await expect(decodeYaml('['.repeat(50_000))).rejects.toMatchObject({ code: 400 })
  expect((await decodeYaml('spec:\n  list:\n  - a: 1\n    a: 2\n')).problems).toEqual(['duplicate field "spec.list[0].a"'])
  expect((await decodeYaml('a: yes\nb: 0644\nc: 1:30\nd: 2020-01-01\n')).value).toEqual({ a: true, b: 420, c: '1:30', d: '2020-01-01' })
  expect((await decodeYaml('')).value).toBeNull()
})

test('an object is spelled once, and again only after it was not asked for in a long while', () => {
  const texts = createObjectTexts(100)
  let spelled = 0
  const anObject = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Note',
    toJSON: () => {
      spelled++
      return { apiVersion: 'v1', kind: 'Note', metadata: { name } }
    },
  })
  const first = anObject('first')
  expect(texts.textOf(first)).toBe('{"apiVersion":"v1","kind":"Note","metadata":{"name":"first"}}')
  expect(texts.untypedTextOf(first)).toBe('{"metadata":{"name":"first"}}')
  expect(spelled).toBe(1)
  texts.textOf(anObject('x'.repeat(60)))
  texts.textOf(first)
  expect(spelled).toBe(2)
  for (const name of ['y', 'z', 'w']) texts.textOf(anObject(name.repeat(60)))
  texts.textOf(first)
  expect(spelled).toBe(6)
})

test.each([
  ['/api/v1/pods', { group: '', version: 'v1', plural: 'pods' }],
  ['/api/v1/namespaces', { group: '', version: 'v1', plural: 'namespaces' }],
  ['/api/v1/namespaces/shop/', { group: '', version: 'v1', plural: 'namespaces', name: 'shop' }],
  ['/api/v1/namespaces/shop/finalize', { group: '', version: 'v1', plural: 'namespaces', name: 'shop', subresource: 'finalize' }],
  ['/api/v1/namespaces/shop/pods/p/log', { group: '', version: 'v1', plural: 'pods', namespace: 'shop', name: 'p', subresource: 'log' }],
  ['/apis/apps/v1/namespaces/shop/deployments/d', { group: 'apps', version: 'v1', plural: 'deployments', namespace: 'shop', name: 'd' }],
  ['/api/v1/watch/namespaces/shop/pods', { group: '', version: 'v1', plural: 'pods', namespace: 'shop', legacyWatch: true }],
  [
    '/api/v1/namespaces/shop/services/s/proxy/a/b',
    { group: '', version: 'v1', plural: 'services', namespace: 'shop', name: 's', subresource: 'proxy' },
  ],
  ['/api/v1/namespaces/a%2Fb', { group: '', version: 'v1', plural: 'namespaces', name: 'a/b' }],
  ['/api', undefined],
  ['/api/v1', undefined],
  ['/apis/apps', undefined],
  ['/apis/apps/v1', undefined],
  ['/api/v1//pods', undefined],
  ['/version', undefined],
])('the path %s is read as %j', (path, expected) => {
  expect(resourcePathFrom(path)).toEqual(expected)
})
