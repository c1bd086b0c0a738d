import { isJsonObject, ownValue } from './json.js'
import { JsonPathError, type PathNode, parsePath, parseTemplate, type TemplatePiece } from './json-path-parser.js'

export { JsonPathError }

/** A path ready to be used on many objects: all values it leads to, in order. Throws JsonPathError where indexes do not fit. */
export type CompiledPath = (object: unknown) => unknown[]

/** Reads a path in kubectl's dot form (`.status.conditions[?(@.type=='Ready')].status`). Throws JsonPathError for bad text. */
export function compileJsonPath(path: string): CompiledPath {
  const steps = parsePath(path)
  return (object) => walk(steps, [object], true)
}

/** The values a path leads to; empty where a key is missing. For many objects compile the path once. */
export function jsonPathValues(path: string, object: unknown): unknown[] {
  return compileJsonPath(path)(object)
}

/**
 * kubectl's `-o jsonpath=…` template. What is missing prints nothing, or with `allowMissingKeys: false` throws
 * `<key> is not found`. Maps and lists print as JSON, several values with spaces between. Throws JsonPathError.
 * @see kubernetes/client-go v0.35 util/jsonpath/jsonpath.go
 */
export function compileJsonPathTemplate(
  template: string,
  { allowMissingKeys = true }: { allowMissingKeys?: boolean } = {},
): (object: unknown) => string {
  const pieces = parseTemplate(template)
  return (object) =>
    results(pieces, object, allowMissingKeys)
      .map((values) => values.map(printed).join(' '))
      .join('')
}

/** What each piece of the template leads to, for `-o jsonpath-as-json`: one list of values for every piece that printed. */
export function compileJsonPathResults(
  template: string,
  { allowMissingKeys = true }: { allowMissingKeys?: boolean } = {},
): (object: unknown) => unknown[][] {
  const pieces = parseTemplate(template)
  return (object) => results(pieces, object, allowMissingKeys)
}

function results(pieces: readonly TemplatePiece[], object: unknown, allowMissing: boolean): unknown[][] {
  const all: unknown[][] = []
  run(pieces, 0, object, 0, allowMissing, all)
  return all
}

/** Runs from `start` to the end of the template or of the range it is in; returns the position behind that. */
function run(
  pieces: readonly TemplatePiece[],
  start: number,
  object: unknown,
  depth: number,
  allowMissing: boolean,
  all: unknown[][],
): number {
  for (let index = start; index < pieces.length; index++) {
    const piece = pieces[index]!
    if ('text' in piece) {
      all.push([piece.text])
      continue
    }
    const [first] = piece.steps
    if (first?.type === 'end') {
      if (depth === 0) throw new JsonPathError('not in range, nothing to end')
      return index
    }
    if (first?.type !== 'range') {
      all.push(walk(piece.steps, [object], allowMissing))
      continue
    }
    const items = walk(piece.steps.slice(1), [object], allowMissing)
    const bodyEnd = endOfRange(pieces, index + 1)
    for (const item of items) run(pieces, index + 1, item, depth + 1, allowMissing, all)
    index = bodyEnd
  }
  return pieces.length
}

function endOfRange(pieces: readonly TemplatePiece[], start: number): number {
  let depth = 1
  for (let index = start; index < pieces.length; index++) {
    const piece = pieces[index]!
    const first = 'steps' in piece ? piece.steps[0]?.type : undefined
    if (first === 'range') depth++
    else if (first === 'end' && --depth === 0) return index
  }
  return pieces.length
}

function walk(steps: readonly PathNode[], input: readonly unknown[], allowMissing: boolean): unknown[] {
  let values: readonly unknown[] = input
  for (const step of steps) values = take(step, values, allowMissing)
  return values as unknown[]
}

function take(step: PathNode, input: readonly unknown[], allowMissing: boolean): unknown[] {
  switch (step.type) {
    case 'text':
      return [step.text]
    case 'number':
    case 'boolean':
      return input.map(() => step.value)
    case 'field':
      return takeField(step.name, input, allowMissing)
    case 'wildcard':
      return input.flatMap(children)
    case 'recursive':
      return input.flatMap(descendants)
    case 'slice':
      return input.flatMap((value) => takeSlice(step, value))
    case 'union':
      return step.members.flatMap((member) => walk(member, input, allowMissing))
    case 'filter':
      return input.flatMap((value) => takeFiltered(step, value, allowMissing))
    case 'unknown':
      throw new JsonPathError(`unrecognized identifier ${step.name}`)
    default:
      throw new JsonPathError(`unrecognized identifier ${step.type}`)
  }
}

function takeField(name: string, input: readonly unknown[], allowMissing: boolean): unknown[] {
  const found: unknown[] = []
  for (const value of input) if (isJsonObject(value) && Object.hasOwn(value, name)) found.push(ownValue(value, name))
  if (found.length === 0 && input.length > 0 && !allowMissing) throw new JsonPathError(`${name} is not found`)
  return found
}

/** Upstream visits maps in random order; ours keeps that of the document. */
function children(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  return isJsonObject(value) ? Object.values(value) : []
}

function descendants(value: unknown): unknown[] {
  const below = children(value)
  return below.length === 0 ? [] : [value, ...below.flatMap(descendants)]
}

function takeSlice({ from, to, step, isIndex }: Extract<PathNode, { type: 'slice' }>, value: unknown): unknown[] {
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) throw new JsonPathError(`${typeName(value)} is not array or slice`)
  const { length } = value
  let first = from ?? 0
  let end = isIndex ? first + 1 : (to ?? length)
  if (first < 0) first += length
  if (end < 0 || (isIndex && end === 0)) end += length
  if (first === end) return []
  if (first >= length || first < 0) throw new JsonPathError(`array index out of bounds: index ${first}, length ${length}`)
  if (end > length || end < 0) throw new JsonPathError(`array index out of bounds: index ${end - 1}, length ${length}`)
  if (first > end) throw new JsonPathError(`starting index ${first} is greater than ending index ${end}`)
  if (step !== undefined && step <= 0) throw new JsonPathError('step must be > 0')
  const every = step ?? 1
  return value.slice(first, end).filter((_, index) => index % every === 0)
}

function takeFiltered({ left, operator, right }: Extract<PathNode, { type: 'filter' }>, value: unknown, allowMissing: boolean): unknown[] {
  if (!Array.isArray(value)) throw new JsonPathError(`${printed(value)} is not array or slice and cannot be filtered`)
  return value.filter((item) => {
    // Whether something is there is asked without complaint, whatever the template allows.
    const lefts = walk(left, [item], allowMissing || operator === 'exists')
    if (operator === 'exists') return lefts.length > 0
    if (lefts.length === 0) return false
    const rights = walk(right, [item], allowMissing)
    if (rights.length === 0) return false
    if (lefts.length > 1 || rights.length > 1) throw new JsonPathError('can only compare one element at a time')
    return compares(lefts[0], operator, rights[0])
  })
}

function compares(left: unknown, operator: string, right: unknown): boolean {
  if (!isBasic(left) || !isBasic(right)) throw new JsonPathError('invalid type for comparison')
  if (typeof left !== typeof right) throw new JsonPathError('incompatible types for comparison')
  switch (operator) {
    case '==':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
    default:
      throw new JsonPathError(`unrecognized filter operator ${operator}`)
  }
}

function isBasic(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function typeName(value: unknown): string {
  if (isJsonObject(value)) return 'map[string]interface {}'
  return typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? (Number.isInteger(value) ? 'int64' : 'float64') : typeof value
}

/** One value as a template prints it: maps and lists as JSON with sorted keys (as Go writes maps), the rest as text. */
export function printed(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  return typeof value === 'object' ? goJson(value) : String(value)
}

/** Go's json.Marshal: keys sorted, and `<`, `>`, `&` escaped. */
function goJson(value: unknown): string {
  return sortedJson(value).replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'null'
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${sortedJson(value[key])}`)
  return `{${fields.join(',')}}`
}
