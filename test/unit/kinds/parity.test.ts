import { describe, expect, test } from 'vitest'
import { groupVersion, type Kind } from '../../../src/apimachinery/kind.js'
import { fieldsOf, parityRowFor } from '../../../src/apimachinery/parity.js'
import { servedKinds } from '../../../src/kinds/index.js'
import { kindParities } from '../../../src/kinds/parity.js'

const textOf = (kind: Kind): string => `${kind.kind} ${groupVersion(kind)}`
const knative = servedKinds.filter(({ kind }) => kind.group.endsWith('.knative.dev'))

test('every kind of Knative’s that is served has a table, and no other', () => {
  expect(kindParities.map(({ kind }) => textOf(kind)).sort()).toEqual(knative.map(({ kind }) => textOf(kind)).sort())
})

describe.each(kindParities.map((entry) => ({ name: textOf(entry.kind), ...entry })))('$name', ({ name, schema, table }) => {
  const served = knative.find(({ kind }) => textOf(kind) === name)?.schema
  const fields = fieldsOf(served ?? {})

  test('the table is about the schema that is served', () => {
    expect(schema).toBe(served)
  })

  test('says of every field what becomes of it', () => {
    expect(fields.length).toBeGreaterThan(0)
    expect(fields.filter((field) => !parityRowFor(table, field))).toEqual([])
  })

  test('has no row that speaks for no field, and none twice', () => {
    const used = new Set(fields.map((field) => parityRowFor(table, field)))
    expect(table.filter((row) => !used.has(row)).map(({ field }) => field)).toEqual([])
    const names = table.map(({ field }) => field)
    expect(names.filter((field, index) => names.indexOf(field) !== index)).toEqual([])
  })

  test('says why a field is not enforced', () => {
    expect(table.filter(({ state, note }) => state !== 'enforced' && !note)).toEqual([])
  })
})
