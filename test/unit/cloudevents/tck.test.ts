import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseCesql } from '../../../src/cloudevents/cesql.js'
import type { AttributeValue, CloudEvent } from '../../../src/cloudevents/event.js'

const FOLDER = new URL('../../fixtures/cesql-tck/', import.meta.url)

/** What the specification's text contradicts (README.md of the fixtures): the text wins. */
const DEVIATIONS = new Map([['not_operator: Invalid int cast', { value: false, errors: [] as string[] }]])

interface TckCase {
  name: string
  expression: unknown
  result?: AttributeValue
  error?: string
  event?: Record<string, AttributeValue>
  eventOverrides?: Record<string, AttributeValue>
}

function eventOf({ event, eventOverrides }: TckCase): CloudEvent {
  const minimal = { specversion: '1.0', id: 'id', source: 'source', type: 'type' }
  return { attributes: new Map(Object.entries(event ?? { ...minimal, ...eventOverrides })) }
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))) {
  const { tests } = parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { tests: TckCase[] }
  describe(file, () => {
    test.each(tests.map((one) => [one.name, one] as const))('%s', (name, one) => {
      // YAML makes TRUE and 1 of expressions that are no more than that.
      const parsed = parseCesql(String(one.expression))
      if (one.error === 'parse') {
        expect(parsed).toHaveProperty('problem')
        return
      }
      if ('problem' in parsed) throw new Error(`${parsed.problem} at ${parsed.at}`)
      const { value, errors } = parsed.expression.evaluate(eventOf(one))
      const expected = DEVIATIONS.get(`${file.replace('.yaml', '')}: ${name}`) ?? {
        value: one.result,
        errors: one.error ? [one.error] : [],
      }
      expect({ value, errors: errors.map(({ kind }) => kind) }).toEqual(expected)
    })
  })
}

test('the whole selection of vectors is there', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'))
  const count = files.reduce(
    (sum, file) => sum + (parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { tests: unknown[] }).tests.length,
    0,
  )
  expect({ files: files.length, count }).toEqual({ files: 12, count: 184 })
})
