import { checkNames, unsupportedIn } from './check.js'
import { evaluateCel } from './evaluate.js'
import { CelSyntaxError, type Expr, parseCel } from './parser.js'
import { CelError, type CelValue } from './values.js'

/** A yes-or-no question in CEL. Throws CelError where it cannot be answered. */
export type CelProgram = (scope: ReadonlyMap<string, CelValue>) => boolean

/** Reads an expression once. What is wrong with one that cannot be read is told when it is asked. */
export function compileCel(source: string): CelProgram {
  let expr: Expr
  try {
    expr = parseCel(source)
  } catch (error) {
    if (!(error instanceof CelSyntaxError)) throw error
    return () => {
      throw new CelError(error.message)
    }
  }
  return (scope) => {
    const value = evaluateCel(expr, scope)
    if (typeof value !== 'boolean') throw new CelError('cel expression must evaluate to a bool')
    return value
  }
}

/** What is wrong with a question that may use these names; undefined when it can be asked here. */
export function celProblem(source: string, names: readonly string[]): string | undefined {
  try {
    const expr = parseCel(source)
    checkNames(source, expr, names)
    const missing = unsupportedIn(expr)
    return missing.length > 0 ? `calls what is not evaluated here: ${missing.join(', ')}` : undefined
  } catch (error) {
    if (error instanceof CelSyntaxError) return `compilation failed: ${error.message}`
    return error instanceof Error ? error.message : String(error)
  }
}
