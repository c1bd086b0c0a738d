import { compileJsonPath, JsonPathError, printed } from '../../apimachinery/json-path.js'
import { usageError } from '../../cli/arguments.js'
import type { EventRecord, EventState } from '../../kinds/emulator/eventrecord/schema.js'

/** What an event has to be like. */
export interface Condition {
  /** As it was asked for: `type=order.paid`, `{.order.id}=42`. */
  text: string
  expected: string
  /** What a record has there; undefined when it has nothing. */
  actual(record: EventRecord): string | undefined
}

export interface ExpectFlags {
  type?: string | undefined
  source?: string | undefined
  subject?: string | undefined
  broker?: string | undefined
  id?: string | undefined
  state?: EventState | undefined
  extension?: readonly string[] | undefined
  data?: readonly string[] | undefined
}

/** Throws usage errors for words that are no NAME=VALUE, and paths that are none. */
export function conditionsFrom(flags: ExpectFlags): Condition[] {
  const conditions: Condition[] = []
  const add = (name: string, expected: string | undefined, actual: Condition['actual']): void => {
    if (expected !== undefined) conditions.push({ text: `${name}=${expected}`, expected, actual })
  }
  add('type', flags.type, ({ spec }) => spec.type)
  add('source', flags.source, ({ spec }) => spec.source)
  add('subject', flags.subject, ({ spec }) => spec.subject)
  add('id', flags.id, ({ spec }) => spec.id)
  add('broker', flags.broker, ({ spec: { origin } }) => (origin.kind === 'Broker' ? origin.name : undefined))
  for (const word of flags.extension ?? []) {
    const at = word.indexOf('=')
    if (at < 1) throw usageError(`--extension takes NAME=VALUE, given ${word}`)
    const name = word.slice(0, at).toLowerCase()
    add(name, word.slice(at + 1), ({ spec: { attributes = {} } }) =>
      Object.hasOwn(attributes, name) ? String(attributes[name]) : undefined,
    )
  }
  for (const word of flags.data ?? []) conditions.push(dataCondition(word))
  add('state', flags.state, ({ status }) => status.state)
  return conditions
}

function dataCondition(word: string): Condition {
  const at = equalsSign(word)
  if (at < 1) throw usageError(`--data takes JSONPATH=VALUE, given ${word}`)
  const path = word.slice(0, at)
  let valuesOf: (object: unknown) => unknown[]
  try {
    valuesOf = compileJsonPath(pathText(path))
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error
    throw usageError(`--data takes JSONPATH=VALUE, given ${word}: ${error.message}`)
  }
  return {
    text: word,
    expected: word.slice(at + 1),
    actual({ spec }) {
      const text = Buffer.from(spec.data ?? '', 'base64').toString()
      try {
        const values = valuesOf(JSON.parse(text))
        return values.length === 0 || values[0] === undefined ? undefined : printed(values[0])
      } catch {
        // No JSON, or a path that leads through what is not there.
        return undefined
      }
    },
  }
}

/** The `=` behind the path: not the one of a filter in brackets. */
function equalsSign(word: string): number {
  let depth = 0
  for (let at = 0; at < word.length; at++) {
    const char = word[at]
    if (char === '[' || char === '(' || char === '{') depth++
    else if (char === ']' || char === ')' || char === '}') depth--
    else if (char === '=' && depth <= 0) return at
  }
  return -1
}

/** `$.order.id`, `order.id` and `{.order.id}` all mean kubectl's `.order.id`. */
function pathText(path: string): string {
  const bare = path.replace(/^\{(.*)\}$/s, '$1').replace(/^\$/, '')
  return bare === '' || bare.startsWith('.') || bare.startsWith('[') ? bare : `.${bare}`
}

export interface Mismatch {
  condition: Condition
  actual: string | undefined
}

/** The conditions that a record does not meet. */
export function mismatchesOf(record: EventRecord, conditions: readonly Condition[]): Mismatch[] {
  return conditions.flatMap((condition) => {
    const actual = condition.actual(record)
    return actual === condition.expected ? [] : [{ condition, actual }]
  })
}

/** What is wanted, as a sentence without its end. */
export function wantedText(conditions: readonly Condition[], count: number): string {
  const events = count === 0 ? 'no event' : count === 1 ? '1 event' : `${count} events`
  return conditions.length === 0 ? events : `${events} with ${conditions.map(({ text }) => text).join(', ')}`
}

/** What came instead: those nearest to what was wanted first, each with what was wrong with it. At most `limit`. */
export function insteadText(records: readonly EventRecord[], conditions: readonly Condition[], limit: number): string {
  if (records.length === 0) return 'No event came at all.\n'
  const judged = records
    .map((record) => ({ record, mismatches: mismatchesOf(record, conditions) }))
    .sort((one, other) => one.mismatches.length - other.mismatches.length)
  const lines = judged.slice(0, limit).map(({ record: { spec, metadata, status }, mismatches }) => {
    const head = `- ${spec.id}: type ${spec.type}, source ${spec.source}${spec.subject === undefined ? '' : `, subject ${spec.subject}`}, ${status.state} (${metadata.name})`
    return [head, ...mismatches.map(mismatchText)].join('\n')
  })
  const more = judged.length > limit ? [`… and ${judged.length - limit} more`] : []
  return `What came:\n${[...lines, ...more].join('\n')}\n`
}

function mismatchText({ condition: { text }, actual }: Mismatch): string {
  return `    not ${text}: it has ${actual === undefined ? 'nothing there' : `'${actual}'`}`
}

/** The outcome as a JUnit report of one test case. */
export function junitText({
  name,
  seconds,
  failure,
}: {
  name: string
  seconds: number
  failure: { message: string; details: string } | undefined
}): string {
  const time = seconds.toFixed(3)
  const counts = `tests="1" failures="${failure ? 1 : 0}" errors="0" skipped="0" time="${time}"`
  const body = failure ? `\n      <failure message="${xml(failure.message)}">${xml(failure.details)}</failure>\n    ` : ''
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts}>
  <testsuite name="kn event expect" ${counts}>
    <testcase classname="kn.event.expect" name="${xml(name)}" time="${time}">${body}</testcase>
  </testsuite>
</testsuites>
`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function xml(text: string): string {
  // Control characters cannot be in XML at all.
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd').replace(/[&<>"]/g, (char) => ENTITIES[char]!)
}
