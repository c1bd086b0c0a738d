import { expect, test } from 'vitest'
import { parseCesql } from '../../../src/cloudevents/cesql.js'
import type { AttributeValue, CloudEvent } from '../../../src/cloudevents/event.js'
import { type FilterSpec, filterFrom } from '../../../src/cloudevents/filters.js'
import { type Decoded, decodeBatch, decodeMessage, encodeBatch, encodeBinary, encodeStructured } from '../../../src/cloudevents/http.js'
import { anEvent, ceHeaders, seededChance } from './support.js'

const ROUNDS = 10_000
const LETTERS = Array.from('abcdefghijklmnopqrstuvwxyz0123456789')
const ANY = [...LETTERS, ...' %"\\\'/:;=,#?{}[]()<>*_-\t\r\n\x00\x7fÜé世😀\ufffd\ud800']
/** What a value may have inside; at its ends it has a letter, since HTTP takes white space away there. */
const PLAIN = [...LETTERS, ...' %"\\\'/:;=,#?{}[]()<>*_-Üé世😀']

type Chance = ReturnType<typeof seededChance>

function drawnEvent({ below, oneOf, text, bytes }: Chance): CloudEvent {
  const value = (): string => text(LETTERS, 1, 1) + text(PLAIN, 0, 12) + text(LETTERS, 1, 1)
  const attributes: Record<string, AttributeValue> = { id: value(), type: value(), source: `/${text(LETTERS, 0, 9)}` }
  if (below(2)) attributes['subject'] = value()
  if (below(2)) attributes['time'] = `20${10 + below(89)}-0${1 + below(9)}-1${below(9)}T0${below(9)}:30:00.${1 + below(9)}Z`
  if (below(2)) attributes['dataschema'] = `http://x/${text(LETTERS, 0, 5)}`
  for (let count = below(4); count > 0; count--) attributes[`x${text(LETTERS, 1, 8)}`] = value()
  const payload = oneOf([
    () => undefined,
    () => ({ type: 'application/json', data: JSON.stringify({ [value()]: [value(), below(1e9)] }, null, below(3)) }),
    () => ({ type: 'text/plain', data: value() }),
    () => ({ type: 'application/octet-stream', data: bytes(1 + below(40)) }),
  ])()
  return payload ? anEvent({ ...attributes, datacontenttype: payload.type }, payload.data) : anEvent(attributes)
}

test('an event comes back the same through binary, percent-encoded, structured and batched mode', () => {
  const chance = seededChance('round trips')
  for (let round = 0; round < 1000; round++) {
    const event = drawnEvent(chance)
    const told = `seed ${chance.seed}, round ${round}`
    const same = (decoded: Decoded): void => {
      if (!('event' in decoded)) throw new Error(`${told}: ${JSON.stringify(decoded)}`)
      expect([...decoded.event.attributes].sort(), told).toEqual([...event.attributes].sort())
      expect(decoded.event.data, told).toEqual(event.data)
    }
    for (const headerValues of ['raw', 'percent'] as const) {
      const binary = encodeBinary(event, { headerValues })
      expect(binary.headers.map(([, value]) => value).join(''), told).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/)
      same(decodeMessage(binary.headers.flat(), binary.body, { headerValues }))
    }
    const structured = encodeStructured(event)
    same(decodeMessage(structured.headers.flat(), structured.body))
    const batch = encodeBatch([event, event])
    expect(decodeBatch(batch.headers.flat(), batch.body), told).toEqual({ events: [{ ...event }, { ...event }] })
  }
})

test('no headers do anything but make an event, be refused, or be no event', () => {
  const chance = seededChance('headers')
  const { below, oneOf, text } = chance
  const names = [
    'ce-id',
    'CE-Type',
    'ce-source',
    'ce-specversion',
    'ce-time',
    'ce-dataschema',
    'content-type',
    'ce-',
    'ce',
    'ce-ext',
    'Ce-my_ext',
    'x',
  ]
  const values = ['1.0', '0.3', '', 'application/json', 'application/cloudevents+json', '2026-01-02T03:04:05Z', 'http://[', '%', '"\\']
  const count = { event: 0, problem: 0, none: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const headers = [...oneOf([[], ceHeaders(), ceHeaders()])]
    for (let more = below(5); more > 0; more--)
      headers.splice(below(headers.length + 1), 0, oneOf([...names, text(ANY, 0, 6)]), oneOf([...values, text(ANY, 0, 20)]))
    const decoded = guarded(chance, headers, () =>
      decodeMessage(headers, Buffer.from(text(ANY, 0, 5)), { headerValues: oneOf(['raw', 'percent'] as const) }),
    )
    if ('event' in decoded) encodeStructured(decoded.event)
    count['event' in decoded ? 'event' : 'problem' in decoded ? 'problem' : 'none']++
  }
  for (const kind of ['event', 'problem', 'none'] as const) expect(count[kind], kind).toBeGreaterThan(ROUNDS / 20)
})

test.each(['structured body', 'batch'] as const)('no %s does anything but make events or be refused', (form) => {
  const isBatch = form === 'batch'
  const chance = seededChance(isBatch ? 'batches' : 'bodies')
  const { below, oneOf, bytes } = chance
  const bits = [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u12',
    'null',
    '1e999',
    '-',
    '"data":',
    '"data_base64":"',
    '\ud83d',
    '\x00',
    '"specversion":"0.3",',
  ]
  const structured = ['content-type', 'application/cloudevents+json']
  const batch = ['content-type', 'application/cloudevents-batch+json']
  const count = { events: 0, problem: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const events = [drawnEvent(chance), drawnEvent(chance)]
    const body = isBatch ? encodeBatch(events).body : encodeStructured(events[0]!).body
    const at = below(body.length)
    const mutated = oneOf([
      () => body.subarray(0, at),
      () => Buffer.concat([body.subarray(0, at), Buffer.from(oneOf(bits)), body.subarray(at)]),
      () => Buffer.concat([body.subarray(0, at), body.subarray(at + 1 + below(5))]),
      () => Buffer.concat([body.subarray(0, at), bytes(1), body.subarray(at + 1)]),
      () => Buffer.concat([body, body.subarray(at)]),
      () => bytes(below(20)),
    ])()
    const decoded = guarded(chance, mutated.toString('hex'), () =>
      isBatch ? decodeBatch(batch, mutated) : decodeMessage(structured, mutated),
    )
    if ('none' in decoded) throw new Error(`seed ${chance.seed}: taken for nothing: ${mutated.toString('hex')}`)
    for (const event of 'events' in decoded ? decoded.events : 'event' in decoded ? [decoded.event] : []) encodeBinary(event)
    count['problem' in decoded ? 'problem' : 'events']++
  }
  expect(count.problem).toBeGreaterThan(ROUNDS / 4)
  expect(count.events).toBeGreaterThan(ROUNDS / 50)
})

test('no expression does anything but come to a value or be refused, and filters agree with what they say of themselves', () => {
  const chance = seededChance('expressions')
  const { below, oneOf, text } = chance
  const bits = [
    'AND',
    'or',
    'XOR',
    'NOT',
    'LIKE',
    'IN',
    'EXISTS',
    'TRUE',
    'false',
    '(',
    ')',
    ',',
    '+',
    '-',
    '*',
    '/',
    '%',
    '=',
    '!=',
    '<>',
    '<',
    '>=',
  ]
  const words = [
    'id',
    'type',
    'missing',
    'n',
    '1',
    '-2147483648',
    '2147483647',
    '0',
    "'a'",
    '"5"',
    "'%_\\\\'",
    'LENGTH',
    'SUBSTRING',
    'CONCAT',
    'ABS',
    'LEFT',
    'é',
    "'",
  ]
  const grown = (levels: number): string => {
    if (levels === 0) return oneOf(words)
    const one = grown(below(levels))
    const other = grown(below(levels))
    return oneOf([
      `${one} ${oneOf(bits)} ${other}`,
      `(${one})`,
      `NOT ${one}`,
      `${one} LIKE 'a%_'`,
      `${one} IN (${one}, ${other})`,
      `SUBSTRING(${one}, ${other}, -1)`,
      `CONCAT(${one},${other})`,
    ])
  }
  const count = { value: 0, problem: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const expression = oneOf([
      () => grown(5),
      () => grown(3),
      () => Array.from({ length: below(12) }, () => oneOf([...bits, ...words])).join(' '),
      () => text(ANY, 0, 12),
    ])()
    const event = drawnEvent(chance)
    const parsed = guarded(chance, expression, () => parseCesql(expression, oneOf(['knative', 'specification'] as const)))
    if ('problem' in parsed) expect(parsed.at, expression).toBeLessThanOrEqual(expression.length)
    else
      expect(['string', 'number', 'boolean'], expression).toContain(
        typeof guarded(chance, expression, () => parsed.expression.evaluate(event).value),
      )
    count['problem' in parsed ? 'problem' : 'value']++

    const clause = (): FilterSpec =>
      oneOf<() => FilterSpec>([
        () => ({ cesql: expression }),
        () => ({ exact: { type: String(event.attributes.get('type')) } }),
        () => ({ prefix: { subject: 'a', n: '' } }),
        () => ({ not: clause() }),
        () => ({ any: [clause(), clause()] }),
        () => ({ all: [clause(), clause()] }),
        () => ({}),
      ])()
    const filters = below(4) === 0 ? [clause(), clause()] : [clause()]
    const filter = filterFrom(filters)
    expect(guarded(chance, JSON.stringify(filters), () => filter.explain(event).result)).toBe(filter.test(event))
  }
  for (const kind of ['value', 'problem'] as const) expect(count[kind], kind).toBeGreaterThan(ROUNDS / 10)
})

function guarded<T>({ seed }: Chance, input: unknown, run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new Error(`seed ${seed}: ${JSON.stringify(input)}`, { cause: error })
  }
}
