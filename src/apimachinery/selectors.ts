import { causes } from './causes.js'
import { labelValue, qualifiedName } from './names.js'
import type { LabelSelector } from './object.js'
import { refusals } from './status-error.js'

type Labels = Readonly<Record<string, string>> | undefined
type Operator = 'exists' | '!' | '=' | '==' | '!=' | 'in' | 'notin' | '>' | '<'

interface LabelRequirement {
  key: string
  operator: Operator
  values: readonly string[]
}

const EVERYTHING = (): boolean => true

/**
 * A test for labels from the text of a `labelSelector` parameter: `a=b,c!=d,e in (f,g),!h,i>3`. Empty matches everything.
 * Throws StatusError (400) in upstream's words.
 * @see kubernetes/apimachinery v0.35 pkg/labels/selector.go
 */
export function parseLabelSelector(text: string): (labels: Labels) => boolean {
  const requirements = createLabelParser(text)()
  if (requirements.length === 0) return EVERYTHING
  if (requirements.length === 1) {
    const [only] = requirements
    return (labels) => holds(only!, labels)
  }
  return (labels) => requirements.every((requirement) => holds(requirement, labels))
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels && Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'exists':
      return value !== undefined
    case '!':
      return value === undefined
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value)
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value)
    default: {
      if (value === undefined || !INTEGER.test(value)) return false
      return operator === '>' ? BigInt(value) > BigInt(values[0]!) : BigInt(value) < BigInt(values[0]!)
    }
  }
}

const INTEGER = /^-?\d+$/
const BINARY_OPERATORS = 'in, notin, =, ==, !=, gt, lt'
const TOKEN = /\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/y

interface Token {
  /** 'end', 'word' or the symbol itself; `in` and `notin` are words except where an operator is due. */
  type: string
  text: string
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [, token] = match
    tokens.push({ type: /^[=!(),<>]/.test(token!) ? token! : 'word', text: token! })
  }
  tokens.push({ type: 'end', text: '' })
  return tokens
}

function createLabelParser(text: string): () => LabelRequirement[] {
  const tokens = tokensOf(text)
  let position = 0
  const peek = (): Token => tokens[Math.min(position, tokens.length - 1)]!
  const next = (): Token => tokens[Math.min(position++, tokens.length - 1)]!
  const refuse = (message: string): never => {
    throw refusals.badRequest(message)
  }
  const refuseRequirement = (message: string): never => refuse(`unable to parse requirement: ${message}`)

  const requirement = (): LabelRequirement => {
    const negated = peek().type === '!'
    if (negated) next()
    const key = next()
    if (key.type !== 'word') refuseRequirement(`found '${key.text}', expected: identifier`)
    const keyProblems = qualifiedName(key.text)
    if (keyProblems.length > 0) refuseRequirement(invalidText('<nil>', key.text, keyProblems))
    if (negated) return { key: key.text, operator: '!', values: [] }
    if (peek().type === 'end' || peek().type === ',') return { key: key.text, operator: 'exists', values: [] }

    const operator = next()
    if (operator.text === 'in' || operator.text === 'notin') return checked({ key: key.text, operator: operator.text, values: valueList() })
    if (['=', '==', '!=', '>', '<'].includes(operator.type)) {
      return checked({ key: key.text, operator: operator.type as Operator, values: [exactValue()] })
    }
    return refuseRequirement(`found '${operator.text}', expected: ${BINARY_OPERATORS}`)
  }

  const exactValue = (): string => {
    if (peek().type === 'end' || peek().type === ',') return ''
    const value = next()
    return value.type === 'word' ? value.text : refuseRequirement(`found '${value.text}', expected: identifier`)
  }

  const valueList = (): string[] => {
    const open = next()
    if (open.type !== '(') refuseRequirement(`found '${open.text}' expected: '('`)
    const values = new Set<string>()
    for (let due = true; ; ) {
      const token = next()
      if (token.type === 'word' && due) {
        values.add(token.text)
        due = false
      } else if (token.type === ',') {
        if (due) values.add('')
        due = true
      } else if (token.type === ')') {
        if (due) values.add('')
        return [...values]
      } else {
        const expected = !due ? "',' or ')'" : values.size === 0 ? "',', ')' or identifier" : "',', or identifier"
        refuseRequirement(`found '${token.text}', expected: ${expected}`)
      }
    }
  }

  const checked = (found: LabelRequirement): LabelRequirement => {
    found.values.forEach((value, index) => {
      if ((found.operator === '>' || found.operator === '<') && !INTEGER.test(value)) {
        refuseRequirement(invalidText(`values[${index}]`, value, ["for 'Gt', 'Lt' operators, the value must be an integer"]))
      }
      const problems = labelValue(value)
      if (problems.length > 0) refuseRequirement(invalidText(`values[${index}][${found.key}]`, value, problems))
    })
    return found
  }

  return () => {
    const requirements: LabelRequirement[] = []
    if (peek().type === 'end') return requirements
    for (;;) {
      const { type, text: found } = peek()
      if (type !== 'word' && type !== '!') {
        refuse(
          requirements.length === 0
            ? `found '${found}', expected: !, identifier, or 'end of string'`
            : `found '${found}', expected: identifier after ','`,
        )
      }
      requirements.push(requirement())
      const after = next()
      if (after.type === 'end') return requirements
      if (after.type !== ',') refuse(`found '${after.text}', expected: ',' or 'end of string'`)
    }
  }
}

function invalidText(field: string, value: string, problems: readonly string[]): string {
  return `${field}: ${causes.invalid(field, value, problems.join('; ')).message}`
}

/**
 * Whether labels match a LabelSelector of an object (ReplicaSet, Deployment …). An empty selector matches everything;
 * an unknown operator matches nothing.
 */
export function labelSelectorMatches(selector: LabelSelector, labels: Labels): boolean {
  for (const key in selector.matchLabels) {
    if (!labels || !Object.hasOwn(labels, key) || labels[key] !== selector.matchLabels[key]) return false
  }
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const mapped = EXPRESSION_OPERATORS[operator]
    return mapped !== undefined && holds({ key, operator: mapped, values }, labels)
  })
}

const EXPRESSION_OPERATORS: Readonly<Record<string, Operator | undefined>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

/** A LabelSelector as `labelSelector` parameters and Scale.status.selector spell it, sorted by key; empty for an empty one. */
export function formatLabelSelector(selector: LabelSelector): string {
  const parts: [key: string, text: string][] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => [key, `${key}=${value}`])
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const list = `(${[...values].sort().join(',')})`
    const text = { In: `${key} in ${list}`, NotIn: `${key} notin ${list}`, Exists: key, DoesNotExist: `!${key}` }[operator]
    parts.push([key, text])
  }
  return parts
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(',')
}

/** One term of a field selector; all must hold. */
export interface Requirement {
  field: string
  operator: '=' | '!='
  value: string
}

/**
 * The terms of a `fieldSelector` parameter (`metadata.name=x,status.phase!=Failed`). In values, a backslash escapes
 * comma, equals sign and backslash. Throws StatusError (400) for bad text and for labels outside `supported`.
 * @see kubernetes/apimachinery v0.35 pkg/fields/selector.go
 */
export function parseFieldSelector(text: string, supported: ReadonlySet<string>): Requirement[] {
  const requirements: Requirement[] = []
  for (const term of text.match(/(?:\\.|[^\\,]|\\$)+/gs) ?? []) {
    const parts = /^((?:(?!!=|=).)*)(!=|==|=)(.*)$/s.exec(term)
    if (!parts) throw refusals.badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
    const [, field, operator, value] = parts as unknown as [string, string, string, string]
    requirements.push({ field, operator: operator === '!=' ? '!=' : '=', value: unescaped(value) })
  }
  for (const { field } of requirements) {
    if (!supported.has(field)) throw refusals.badRequest(`field label not supported: ${field}`)
  }
  return requirements
}

function unescaped(value: string): string {
  return value.replace(/\\(.?)|([,=])/gs, (_, escaped: string | undefined, bare: string | undefined) => {
    if (bare) throw refusals.badRequest(`invalid field selector: unescaped character in value: ${bare}`)
    if (escaped === ',' || escaped === '=' || escaped === '\\') return escaped
    throw refusals.badRequest(`invalid field selector: invalid escape sequence: \\${escaped ?? ''}`)
  })
}

/** Whether all terms hold; `valueFor` gives the value of a label, '' for what the object lacks. */
export function matchesFields(requirements: readonly Requirement[], valueFor: (label: string) => string): boolean {
  return requirements.every(({ field, operator, value }) => (valueFor(field) === value) === (operator === '='))
}
