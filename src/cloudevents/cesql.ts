import type { CesqlFunction, CesqlFunctions } from './cesql/functions.js'
import { parse } from './cesql/parse.js'
import type { CesqlError, CesqlErrorKind, CesqlValue, Run } from './cesql/values.js'
import type { CloudEvent } from './event.js'

export type { CesqlError, CesqlErrorKind, CesqlFunction, CesqlFunctions, CesqlValue }

/** What an evaluation comes to: there is always a value, and with errors it is the one that the specification says goes with them. */
export interface CesqlOutcome {
  readonly value: CesqlValue
  readonly errors: readonly CesqlError[]
}

export interface CesqlExpression {
  readonly text: string
  /** Evaluates completely: an error does not end it. Never throws. */
  evaluate(event: CloudEvent): CesqlOutcome
}

/** A parse error: what is wrong, and at which character (from 0). */
export interface CesqlProblem {
  readonly problem: string
  readonly at: number
}

/**
 * Whose reading counts where Knative's evaluator and the specification differ. `knative`: strings are measured, cut and matched by the
 * bytes of their UTF-8, integers overflow without a word, SUBSTRING of a length below 0 takes the request's handler down.
 */
export type CesqlDialect = 'specification' | 'knative'

const NO_ERRORS: readonly CesqlError[] = []

/**
 * Compiles an expression, or says where it stops being one. Never throws. `functions` are known to it beside the built-in ones.
 * @see cloudevents/spec cesql/spec.md
 * @see cloudevents/sdk-go sql/v2
 */
export function parseCesql(
  text: string,
  dialect: CesqlDialect = 'specification',
  functions?: CesqlFunctions,
): { expression: CesqlExpression } | CesqlProblem {
  const root = parse(text, dialect === 'knative' ? 'bytes' : 'characters', functions)
  if ('problem' in root) return root
  const evaluate = (event: CloudEvent): CesqlOutcome => {
    const run: Run = { event, errors: undefined }
    return { value: root.run(run), errors: run.errors ?? NO_ERRORS }
  }
  return { expression: { text, evaluate } }
}

/**
 * Why admission refuses an expression, or undefined; an empty one is none. The text stands where the parser's stands in Knative's refusal.
 * @see knative/eventing v1.22 pkg/apis/eventing/v1/trigger_validation.go, ValidateCESQLExpression
 */
export function cesqlProblem(text: string): string | undefined {
  if (text === '') return undefined
  const parsed = parseCesql(text)
  return 'problem' in parsed ? `parse error: ${parsed.problem} (character ${parsed.at + 1})` : undefined
}
