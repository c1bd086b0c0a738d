import { validateDelivery } from '../../apimachinery/delivery-spec.js'
import { validateDestination, validateReference } from '../../apimachinery/destination.js'
import { also, type FieldError, fieldError, findings, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { deliveryRules, isEnabled } from '../eventing-config.js'
import { DEPENDENCY_ANNOTATION, INJECTION_KEY } from '../eventing-labels.js'
import { notAllowedToSubscribe } from '../eventing-links.js'
import { shortDiff } from '../short-diff.js'
import { type ObjectReferenceText, objectReferenceFrom } from './dependency.js'
import type { Trigger } from './schema.js'
import { validateAttributeNames, validateFilters } from './validate-filters.js'

/** @see knative/eventing v1.22 pkg/apis/eventing/v1/trigger_validation.go */
export function validateTrigger(trigger: Trigger, context: AdmissionContext<Trigger>): FieldError | undefined {
  const { metadata, spec } = trigger
  const { old, configMap } = context
  const rules = deliveryRules(configMap)
  return also(
    viaField(
      'spec',
      also(
        validateBroker(trigger, context),
        viaField('filter.attributes', validateAttributeNames(spec.filter?.attributes)),
        viaField('filters', validateFilters(spec.filters)),
        viaField('subscriber', validateDestination(spec.subscriber, rules)),
        viaField('delivery', validateDelivery(spec.delivery, rules)),
      ),
    ),
    validateAnnotation(trigger, DEPENDENCY_ANNOTATION, (text) => validateDependency(objectReferenceFrom(text), text, metadata.namespace)),
    validateAnnotation(trigger, INJECTION_KEY, (text) => validateInjection(text, spec.broker)),
    old && old.spec.broker !== spec.broker
      ? fieldError(
          'Immutable fields changed (-old +new)',
          ['spec', 'broker'],
          shortDiff('string', old.spec.broker ?? '', spec.broker ?? ''),
        )
      : undefined,
  )
}

function validateBroker(trigger: Trigger, context: AdmissionContext<Trigger>): FieldError | undefined {
  const { broker, brokerRef } = trigger.spec
  if (broker && brokerRef) return findings.multipleOneOf('broker', 'brokerRef')
  if (!brokerRef) return broker ? undefined : findings.missingField('broker')
  if (!isEnabled(context.configMap, 'cross-namespace-event-links') && brokerRef.namespace) {
    const why = 'only name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled'
    return fieldError('must not set the field(s)', 'namespace', why)
  }
  const malformed = viaField('brokerRef', validateReference(brokerRef, deliveryRules(context.configMap)))
  return malformed ?? notAllowedToSubscribe(brokerRef, trigger, context)
}

function validateAnnotation(
  { metadata }: Trigger,
  key: string,
  problemOf: (text: string) => FieldError | undefined,
): FieldError | undefined {
  const text = metadata.annotations?.[key]
  return text === undefined ? undefined : viaField(`metadata.annotations[${key}]`, problemOf(text))
}

function validateDependency(parsed: ObjectReferenceText, text: string, namespace: string | undefined): FieldError | undefined {
  const { reference, problem } = parsed
  if (!reference) return fieldError(`The provided annotation was not a corev1.ObjectReference: ${JSON.stringify(text)}`, '', problem)
  return also(
    reference.namespace && reference.namespace !== namespace
      ? fieldError(`Namespace must be empty or equal to the trigger namespace ${JSON.stringify(namespace ?? '')}`, 'namespace')
      : undefined,
    reference.kind ? undefined : findings.missingField('kind'),
    reference.name ? undefined : findings.missingField('name'),
    reference.apiVersion ? undefined : findings.missingField('apiVersion'),
  )
}

function validateInjection(text: string, broker: string | undefined): FieldError | undefined {
  if (text !== 'enabled' && text !== 'disabled')
    return fieldError(`The provided injection annotation value can only be "enabled" or "disabled", not ${JSON.stringify(text)}`, '')
  if (broker === 'default') return undefined
  const named = JSON.stringify(broker ?? '')
  return fieldError(
    `The provided injection annotation is only used for default broker, but non-default broker specified here: ${named}`,
    '',
  )
}
