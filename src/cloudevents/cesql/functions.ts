import { type Counting, textOf, trimmed, unitsOf } from './strings.js'
import { type CesqlType, type CesqlValue, cast, castTo, type Run, report, typeOf } from './values.js'

/** A function of one arity, or of one arity and more. */
export interface CesqlFunction {
  /** The types its arguments are cast to; `Any` are taken as they are. */
  readonly parameters: readonly (CesqlType | 'Any')[]
  /** The type of any further arguments; absent: there are none. */
  readonly rest?: CesqlType
  readonly returns: CesqlType
  run(run: Run, args: readonly CesqlValue[]): CesqlValue
}

/** Functions beside the built-in ones, by their names in capitals. */
export type CesqlFunctions = ReadonlyMap<string, readonly CesqlFunction[]>

/** The function of this name (in capitals) for this many arguments: a built-in one, or one of `more`. */
export function functionFor(name: string, arity: number, counting: Counting, more?: CesqlFunctions): CesqlFunction | undefined {
  return [...(builtIns(counting).get(name) ?? []), ...(more?.get(name) ?? [])].find(
    ({ parameters, rest }) => arity === parameters.length || (rest !== undefined && arity > parameters.length),
  )
}

const text = (value: CesqlValue | undefined): string => value as string
const integer = (value: CesqlValue | undefined): number => value as number

/** @see cloudevents/spec cesql/spec.md section 3.5 */
function builtIns(counting: Counting): Map<string, readonly CesqlFunction[]> {
  const side = (name: 'LEFT' | 'RIGHT'): CesqlFunction => ({
    parameters: ['String', 'Integer'],
    returns: 'String',
    run: (run, [whole, count]) => {
      const units = unitsOf(text(whole), counting)
      const wanted = integer(count)
      if (wanted < 0) report(run, 'functionEvaluation', `${name} of ${wanted}: less than 0`)
      if (wanted < 0 || wanted >= units.length) return text(whole)
      return textOf(name === 'LEFT' ? units.slice(0, wanted) : units.slice(units.length - wanted), counting)
    },
  })
  const castFunction = (type: CesqlType): CesqlFunction => ({
    parameters: ['Any'],
    returns: type,
    run: (run, [value]) => cast(run, type, value!) ?? (type === 'Integer' ? 0 : false),
  })
  const isFunction = (type: CesqlType): CesqlFunction => ({
    parameters: ['Any'],
    returns: 'Boolean',
    run: (_run, [value]) => typeOf(value!) === type || castTo(type, value!) !== undefined,
  })
  return new Map<string, readonly CesqlFunction[]>([
    ['LENGTH', [{ parameters: ['String'], returns: 'Integer', run: (_run, [whole]) => unitsOf(text(whole), counting).length }]],
    ['CONCAT', [{ parameters: [], rest: 'String', returns: 'String', run: (_run, args) => args.join('') }]],
    ['CONCAT_WS', [{ parameters: ['String'], rest: 'String', returns: 'String', run: (_run, [glue, ...args]) => args.join(text(glue)) }]],
    ['LOWER', [{ parameters: ['String'], returns: 'String', run: (_run, [whole]) => text(whole).toLowerCase() }]],
    ['UPPER', [{ parameters: ['String'], returns: 'String', run: (_run, [whole]) => text(whole).toUpperCase() }]],
    ['TRIM', [{ parameters: ['String'], returns: 'String', run: (_run, [whole]) => trimmed(text(whole)) }]],
    ['LEFT', [side('LEFT')]],
    ['RIGHT', [side('RIGHT')]],
    [
      'SUBSTRING',
      [
        { parameters: ['String', 'Integer'], returns: 'String', run: (run, args) => substring(run, args, counting) },
        { parameters: ['String', 'Integer', 'Integer'], returns: 'String', run: (run, args) => substring(run, args, counting) },
      ],
    ],
    ['ABS', [{ parameters: ['Integer'], returns: 'Integer', run: (run, [value]) => absolute(run, integer(value)) }]],
    ['INT', [castFunction('Integer')]],
    ['BOOL', [castFunction('Boolean')]],
    ['STRING', [castFunction('String')]],
    ['IS_INT', [isFunction('Integer')]],
    ['IS_BOOL', [isFunction('Boolean')]],
  ])
}

function absolute(run: Run, value: number): number {
  if (value !== -(2 ** 31)) return Math.abs(value)
  report(run, 'math', 'ABS of -2147483648 has no place in 32 bits')
  return 2 ** 31 - 1
}

function substring(run: Run, [whole, position, count]: readonly CesqlValue[], counting: Counting): string {
  const units = unitsOf(text(whole), counting)
  const from = integer(position)
  if (from === 0) return ''
  if (Math.abs(from) > units.length) {
    report(run, 'functionEvaluation', `SUBSTRING from ${from}: the string has ${units.length}`)
    return ''
  }
  const start = from > 0 ? from - 1 : units.length + from
  const wanted = count === undefined ? units.length : integer(count)
  if (wanted < 0) {
    run.errors ??= []
    const error = { kind: 'functionEvaluation', message: `SUBSTRING of ${wanted}: less than 0` } as const
    // Go's evaluator slices from the start to an end that lies before it, and does not survive that.
    run.errors.push(counting === 'bytes' ? { ...error, crash: true } : error)
    return ''
  }
  return textOf(units.slice(start, start + wanted), counting)
}
