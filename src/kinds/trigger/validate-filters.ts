import { also, type FieldError, fieldError, findings, viaField, viaIndex } from '../../apimachinery/field-error.js'
import { parse } from '../../cloudevents/cesql/parse.js'
import type { EventFilter } from './schema.js'

/** Rules for filters, of Triggers and EventPolicies alike. */

const ATTRIBUTE_NAME = /^[a-z][a-z0-9]*$/

/**
 * A list of filters; paths are relative to it.
 *
 * All that was found so far is filed under each further index, so a finding in the first of three filters is told of as
 * `[2][1][0]`: so do Knative's own paths.
 * @see knative/eventing v1.22 pkg/apis/eventing/v1/trigger_validation.go, ValidateSubscriptionAPIFiltersList
 */
export function validateFilters(filters: readonly EventFilter[] | undefined): FieldError | undefined {
  let found: FieldError | undefined
  for (const [index, filter] of (filters ?? []).entries()) found = viaIndex(index, also(found, validateFilter(filter)))
  return found
}

function validateFilter(filter: EventFilter | undefined): FieldError | undefined {
  if (!filter) return undefined
  return also(
    hasSeveralDialects(filter) ? fieldError('multiple dialects found, filters can have only one dialect set', []) : undefined,
    ...(['exact', 'prefix', 'suffix'] as const).map((dialect) => viaField(dialect, validateAttributeNames(filter[dialect]))),
    viaField('all', validateFilters(filter.all)),
    viaField('any', validateFilters(filter.any)),
    viaField('not', validateFilter(filter.not)),
    viaField('cesql', validateExpression(filter.cesql)),
  )
}

function hasSeveralDialects({ exact, prefix, suffix, all, any, not, cesql }: EventFilter): boolean {
  const maps = [exact, prefix, suffix].filter((attributes) => attributes && Object.keys(attributes).length > 0)
  const lists = [all, any].filter((filters) => filters && filters.length > 0)
  return maps.length + lists.length + (not ? 1 : 0) + (cesql ? 1 : 0) > 1
}

/** Names of attributes as keys; paths are `[name]`. */
export function validateAttributeNames(attributes: Readonly<Record<string, string>> | undefined): FieldError | undefined {
  return also(
    ...Object.keys(attributes ?? {})
      .filter((name) => !ATTRIBUTE_NAME.test(name))
      .map((name) =>
        findings.invalidKeyName(name, `[${name}]`, 'Attribute name must start with a letter and can only contain lowercase alphanumeric'),
      ),
  )
}

function validateExpression(expression: string | undefined): FieldError | undefined {
  if (!expression) return undefined
  const parsed = parse(expression, 'bytes')
  return 'problem' in parsed ? findings.invalidValue(expression, '', parsed.problem) : undefined
}
