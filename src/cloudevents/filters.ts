import { type CesqlExpression, type CesqlFunctions, parseCesql } from './cesql.js'
import { attributeText, type CloudEvent } from './event.js'
import { type Comparison, nearMiss, nearName } from './near-miss.js'
import { NO_TIME, timestampFrom } from './values.js'

export { nearMiss } from './near-miss.js'

/** `none`: there is no usable filter. Only `fail` keeps an event back. */
export type FilterResult = 'pass' | 'fail' | 'none'

/** One entry of `spec.filters`. It has one dialect; where several slipped in, the first in this order counts. */
export interface FilterSpec {
  readonly exact?: Readonly<Record<string, string>>
  readonly prefix?: Readonly<Record<string, string>>
  readonly suffix?: Readonly<Record<string, string>>
  readonly all?: readonly FilterSpec[]
  readonly any?: readonly FilterSpec[]
  readonly not?: FilterSpec
  readonly cesql?: string
}

/** What a filter says about an event, and why. */
export interface Verdict {
  readonly result: FilterResult
  /** The part of the spec that decided: `filters[0].all[1].exact.type`, `filter.attributes.source`. */
  readonly clause: string
  /** A sentence: `type is "a", not "b"`. */
  readonly reason: string
  /** What the clause asks for, and what the event has; absent where it has nothing, or where the clause asks for no one value. */
  readonly expected?: string
  readonly actual?: string
  /** What may be meant, when it was close. */
  readonly hint?: string
  /** Why, for `any` and `not`: what is inside them said. */
  readonly because?: readonly Verdict[]
  /** Knative's filter does not survive this event: the delivery fails there, and is retried, instead of being filtered. */
  readonly crash?: true
}

/**
 * A filter, compiled. `test` and `explain` always agree.
 * @see knative/eventing v1.22 pkg/eventfilter
 */
export interface EventFilter {
  test(event: CloudEvent): FilterResult
  explain(event: CloudEvent): Verdict
}

/** What is told apart inside; a crash goes straight through `all`, `any` and `not`. */
type Outcome = FilterResult | 'crash'

interface Clause {
  test(event: CloudEvent): Outcome
  explain(event: CloudEvent): Verdict
}

/**
 * The filter of a Trigger: `spec.filters` where it has entries, then `spec.filter` is not looked at; else `spec.filter.attributes`.
 * `functions` are known to its expressions beside CESQL's own.
 * @see knative/eventing v1.22 pkg/broker/filter/filter_handler.go
 */
export function triggerFilter(
  spec: { readonly filters?: readonly FilterSpec[]; readonly filter?: { readonly attributes?: Readonly<Record<string, string>> } },
  functions?: CesqlFunctions,
): EventFilter {
  return spec.filters?.length ? filterFrom(spec.filters, functions) : attributesFilter(spec.filter?.attributes)
}

/**
 * The filter that `spec.filters` makes: all of its entries have to hold. Entries that cannot be used (no dialect, an empty value, an
 * expression that does not parse) are left out, as in Knative; admission has refused them before.
 */
export function filterFrom(spec: readonly FilterSpec[] | undefined, functions?: CesqlFunctions): EventFilter {
  const clauses = clausesFrom(spec ?? [], 'filters', functions)
  return clauses.length === 0 ? noFilter('filters', 'there is no filter, so every event passes') : filterOf(allOf(clauses, 'filters'))
}

/** The filter that `spec.filter.attributes` makes: an empty value asks for an attribute that is there and not empty. */
export function attributesFilter(attributes: Readonly<Record<string, string>> | undefined): EventFilter {
  if (attributes === undefined) return noFilter('filter.attributes', 'there is no filter, so every event passes')
  const clauses = Object.entries(attributes).map(([name, value]) =>
    value === '' ? presence(name, `filter.attributes.${name}`) : comparison('exact', name, value, `filter.attributes.${name}`),
  )
  if (clauses.length > 0) return filterOf(allOf(clauses, 'filter.attributes'))
  const verdict: Verdict = { result: 'pass', clause: 'filter.attributes', reason: 'the filter is empty, so every event passes' }
  return { test: () => 'pass', explain: () => verdict }
}

function filterOf({ test, explain }: Clause): EventFilter {
  return {
    test: (event) => {
      const outcome = test(event)
      return outcome === 'crash' ? 'fail' : outcome
    },
    explain,
  }
}

function noFilter(clause: string, reason: string): EventFilter {
  const verdict: Verdict = { result: 'none', clause, reason }
  return { test: () => 'none', explain: () => verdict }
}

function clausesFrom(specs: readonly FilterSpec[], path: string, functions: CesqlFunctions | undefined): Clause[] {
  return specs.flatMap((spec, index) => clauseFrom(spec, `${path}[${index}]`, functions) ?? [])
}

/** @see knative/eventing v1.22 pkg/eventfilter/subscriptionsapi/create.go */
function clauseFrom(spec: FilterSpec, path: string, functions: CesqlFunctions | undefined): Clause | undefined {
  for (const dialect of ['exact', 'prefix', 'suffix'] as const) {
    const entries = Object.entries(spec[dialect] ?? {})
    if (entries.length === 0) continue
    if (entries.some(([name, value]) => name === '' || value === '')) return undefined
    const clauses = entries.map(([name, value]) => comparison(dialect, name, value, `${path}.${dialect}.${name}`))
    return allOf(clauses, `${path}.${dialect}`)
  }
  if (spec.all?.length) return allOf(clausesFrom(spec.all, `${path}.all`, functions), `${path}.all`)
  if (spec.any?.length) return anyOf(clausesFrom(spec.any, `${path}.any`, functions), `${path}.any`)
  if (spec.not) return notOf(clauseFrom(spec.not, `${path}.not`, functions), `${path}.not`)
  return spec.cesql ? cesql(spec.cesql, `${path}.cesql`, functions) : undefined
}

/** Fails with the first that fails; else the result is the last one's, `none` included. */
function allOf(clauses: readonly Clause[], path: string): Clause {
  if (clauses.length === 1) return clauses[0]!
  const test = (event: CloudEvent): Outcome => {
    let outcome: Outcome = 'none'
    for (const clause of clauses) {
      outcome = clause.test(event)
      if (outcome === 'fail' || outcome === 'crash') return outcome
    }
    return outcome
  }
  const explain = (event: CloudEvent): Verdict => {
    let last: Verdict | undefined
    for (const clause of clauses) {
      last = clause.explain(event)
      if (last.result === 'fail') return last
    }
    if (!last) return { result: 'none', clause: path, reason: 'nothing in it can be used, so it keeps nothing back' }
    return { result: last.result, clause: path, reason: `none of its ${clauses.length} conditions fails` }
  }
  return { test, explain }
}

/** Passes with the first that passes; else the result is the last one's, so a last `none` lets the event through. */
function anyOf(clauses: readonly Clause[], path: string): Clause {
  const test = (event: CloudEvent): Outcome => {
    let outcome: Outcome = 'none'
    for (const clause of clauses) {
      outcome = clause.test(event)
      if (outcome === 'pass' || outcome === 'crash') return outcome
    }
    return outcome
  }
  const explain = (event: CloudEvent): Verdict => {
    const because: Verdict[] = []
    for (const clause of clauses) {
      const verdict = clause.explain(event)
      if (verdict.result === 'pass' || verdict.crash) return verdict
      because.push(verdict)
    }
    const result = because.at(-1)?.result ?? 'none'
    const reason =
      because.length === 0
        ? 'nothing in it can be used, so it keeps nothing back'
        : result === 'fail'
          ? `none of its ${because.length} conditions holds`
          : 'none of its conditions holds, and the last can not be used, so it keeps nothing back'
    return { result, clause: path, reason, because }
  }
  return { test, explain }
}

function notOf(inner: Clause | undefined, path: string): Clause {
  const nothing: Verdict = { result: 'none', clause: path, reason: 'nothing in it can be used, so it keeps nothing back' }
  if (!inner) return { test: () => 'none', explain: () => nothing }
  const test = (event: CloudEvent): Outcome => {
    const outcome = inner.test(event)
    return outcome === 'pass' ? 'fail' : outcome === 'fail' ? 'pass' : outcome
  }
  const explain = (event: CloudEvent): Verdict => {
    const verdict = inner.explain(event)
    if (verdict.crash) return verdict
    if (verdict.result === 'none') return { ...nothing, because: [verdict] }
    const hasPassed = verdict.result === 'pass'
    const reason = `what it excludes ${hasPassed ? 'holds' : 'does not hold'}: ${verdict.reason}`
    return { result: hasPassed ? 'fail' : 'pass', clause: path, reason, because: [verdict] }
  }
  return { test, explain }
}

function comparison(dialect: Comparison, name: string, expected: string, path: string): Clause {
  const read = reader(name)
  const holds = (actual: string): boolean =>
    dialect === 'exact' ? actual === expected : dialect === 'prefix' ? actual.startsWith(expected) : actual.endsWith(expected)
  const explain = (event: CloudEvent): Verdict => {
    const actual = read(event)
    if (actual === undefined || actual === '') return { ...absent(event, name, path), expected }
    const quoted = JSON.stringify(actual)
    if (holds(actual)) {
      const reason = dialect === 'exact' ? `${name} is ${quoted}` : `${name} ${quoted} ${VERBS[dialect].holds} ${JSON.stringify(expected)}`
      return { result: 'pass', clause: path, expected, actual, reason }
    }
    const reason =
      dialect === 'exact'
        ? `${name} is ${quoted}, not ${JSON.stringify(expected)}`
        : `${name} ${quoted} ${VERBS[dialect].fails} ${JSON.stringify(expected)}`
    const hint = nearMiss(expected, actual, dialect)
    return { result: 'fail', clause: path, expected, actual, reason, ...(hint === undefined ? {} : { hint }) }
  }
  const test = (event: CloudEvent): Outcome => {
    const actual = read(event)
    return actual !== undefined && holds(actual) ? 'pass' : 'fail'
  }
  return { test, explain }
}

const VERBS = {
  prefix: { holds: 'begins with', fails: 'does not begin with' },
  suffix: { holds: 'ends with', fails: 'does not end with' },
}

function presence(name: string, path: string): Clause {
  const read = reader(name)
  const explain = (event: CloudEvent): Verdict => {
    const actual = read(event)
    return actual ? { result: 'pass', clause: path, actual, reason: `the event has ${name}` } : absent(event, name, path)
  }
  return { test: (event) => (read(event) ? 'pass' : 'fail'), explain }
}

function absent(event: CloudEvent, name: string, path: string): Verdict {
  const near = nearName(name, event.attributes.keys())
  const hint = near === undefined ? {} : { hint: `the event has ${near}` }
  return { result: 'fail', clause: path, reason: `the event has no ${name}`, ...hint }
}

/**
 * How an attribute reads to a filter. A time that is not there reads as the year 1, and so is never missing; `datamediatype` is the
 * content type without its parameters.
 * @see knative/eventing v1.22 pkg/eventfilter/attributes/filter.go, LookupAttribute
 */
function reader(name: string): (event: CloudEvent) => string | undefined {
  const textOf = ({ attributes }: CloudEvent, attribute: string): string | undefined => {
    const value = attributes.get(attribute)
    return value === undefined ? undefined : attributeText(value)
  }
  if (name === 'time') {
    return (event) => {
      const time = textOf(event, 'time')
      return time === undefined ? NO_TIME : (timestampFrom(time) ?? time)
    }
  }
  if (name === 'dataschema' || name === 'schemaurl') {
    return (event) => textOf(event, event.attributes.get('specversion') === '0.3' ? 'schemaurl' : 'dataschema')
  }
  if (name === 'datamediatype') return (event) => textOf(event, 'datacontenttype')?.split(';', 1)[0]
  if (name === 'datacontentencoding') {
    return (event) => (event.attributes.get('specversion') === '0.3' ? textOf(event, name) : undefined)
  }
  return (event) => textOf(event, name)
}

/**
 * An expression has to come to true without an error. One that comes to something else than true or false takes Knative's filter down, so
 * the delivery of the event fails there.
 * @see knative/eventing v1.22 pkg/eventfilter/subscriptionsapi/cesql_filter.go
 */
function cesql(text: string, path: string, functions: CesqlFunctions | undefined): Clause | undefined {
  const parsed = parseCesql(text, 'knative', functions)
  if ('problem' in parsed) return undefined
  const { expression } = parsed
  const test = (event: CloudEvent): Outcome => {
    const { value, errors } = expression.evaluate(event)
    if (errors.length > 0) return errors[0]!.crash ? 'crash' : 'fail'
    return value === true ? 'pass' : value === false ? 'fail' : 'crash'
  }
  return { test, explain: (event) => cesqlVerdict(expression, event, path) }
}

function cesqlVerdict(expression: CesqlExpression, event: CloudEvent, clause: string): Verdict {
  const { value, errors } = expression.evaluate(event)
  const expected = expression.text
  const [error] = errors
  if (error) {
    const reason = `the expression fails: ${error.message} (${error.kind})`
    return { result: 'fail', clause, expected, reason, ...(error.crash ? { crash: true } : {}) }
  }
  const actual = String(value)
  if (value === true) return { result: 'pass', clause, expected, actual, reason: 'the expression is true' }
  if (value === false) return { result: 'fail', clause, expected, actual, reason: 'the expression is false' }
  const reason = `the expression is ${JSON.stringify(value)}, neither true nor false`
  return { result: 'fail', clause, expected, actual, reason, crash: true }
}
