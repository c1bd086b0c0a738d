import { expect, test } from 'vitest'
import { decodeProtobuf } from '../../../../src/apiserver/protobuf/decode.js'
import { KINDS } from '../../../../src/apiserver/protobuf/messages/index.js'
import { fixtures } from './support.js'

const all = fixtures()

test.each(all)('$name is read as the JSON that its sender would have written', ({ body, object }) => {
  expect(decodeProtobuf(body, undefined)).toEqual({ value: object, problems: [] })
})

test('there is a body with everything and one with nothing in it of every kind that can be read', () => {
  const names = [...KINDS.keys()].map((kind) => {
    if (kind === 'meta.k8s.io/v1/DeleteOptions') return 'DeleteOptions'
    const [name, ...version] = kind.split('/').reverse()
    const prefix = version.reverse().join('-')
    return prefix === 'v1' ? name : `${prefix}.${name}`
  })
  const recorded = new Set(all.map(({ name }) => name))
  expect(names.flatMap((name) => [`${name}.full`, `${name}.empty`]).filter((name) => !recorded.has(name))).toEqual([])
})
