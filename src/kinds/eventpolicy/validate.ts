import { also, type FieldError, fieldError, findings, viaField, viaIndex } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { isEnabled } from '../eventing-config.js'
import { semanticEqual } from '../semantic-equal.js'
import { validateFilters } from '../trigger/validate-filters.js'
import type { EventPolicy, PolicySource, PolicyTarget } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/eventing/v1alpha1/eventpolicy_validation.go */
export function validateEventPolicy(policy: EventPolicy, { old, configMap }: AdmissionContext<EventPolicy>): FieldError | undefined {
  const isSpecWritten = !old || !semanticEqual(old.spec, policy.spec)
  if (isSpecWritten && !isEnabled(configMap, 'authentication-oidc')) return fieldError('oidc-authentication feature not enabled', [])
  const { from = [], to = [], filters } = policy.spec ?? {}
  return viaField(
    'spec',
    also(
      ...from.map((source, index) => viaField('from', viaIndex(index, validateSource(source)))),
      ...to.map((target, index) => viaField('to', viaIndex(index, validateTarget(target)))),
      viaField('filters', validateFilters(filters)),
    ),
  )
}

function validateSource({ ref, sub }: PolicySource): FieldError | undefined {
  return also(
    !ref && !sub ? findings.missingOneOf('ref', 'sub') : undefined,
    ref && sub !== undefined ? findings.multipleOneOf('ref', 'sub') : undefined,
    ref && viaField('ref', missingFields(ref)),
    sub !== undefined && sub.length > 1 && sub.slice(0, -1).includes('*')
      ? findings.invalidValue(sub, 'sub', "'*' is only allowed as suffix")
      : undefined,
  )
}

function validateTarget({ ref, selector }: PolicyTarget): FieldError | undefined {
  return also(
    !ref && !selector ? findings.missingOneOf('ref', 'selector') : undefined,
    ref && selector ? findings.multipleOneOf('ref', 'selector') : undefined,
    ref && viaField('ref', missingFields(ref)),
  )
}

function missingFields(reference: { kind?: string; apiVersion?: string; name?: string }): FieldError | undefined {
  return also(...(['kind', 'apiVersion', 'name'] as const).map((field) => (reference[field] ? undefined : findings.missingField(field))))
}
