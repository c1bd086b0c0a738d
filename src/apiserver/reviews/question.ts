import type { ApiCall } from '../../apimachinery/call.js'
import type { Unstructured } from '../../apimachinery/object.js'
import { prune } from '../../apimachinery/prune.js'
import { checkSchema } from '../../apimachinery/schema-check.js'
import { refusals } from '../../apimachinery/status-error.js'
import { judgeFields, strictBodyRefusal } from '../admission.js'
import { objectOf } from '../body.js'
import { warningsFor } from '../deps.js'
import type { Resource } from '../resource.js'

/**
 * The body of a call whose answer is not stored, checked against its schema as every body is. Throws 400 or 422.
 * `metadata` may be empty: a question needs no name.
 */
export function questionOf(resource: Resource, call: ApiCall): { question: Unstructured; warnings: string[] } {
  const { kind, served } = resource
  const warnings = warningsFor()
  const { object, unknown } = prune(served.schema, objectOf(resource, call, call.object, { named: false }))
  judgeFields([...(call.decodingProblems ?? []), ...unknown.map((path) => `unknown field "${path}"`)], {
    options: call.options ?? {},
    strictRefusal: strictBodyRefusal(resource),
    warn: warnings.warn,
  })
  const causes = checkSchema(served.schema, object)
  if (causes.length > 0) throw refusals.invalid(kind, object.metadata.name, causes)
  return { question: object, warnings: warnings.list }
}
