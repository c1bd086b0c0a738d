import { validateDelivery } from '../../apimachinery/delivery-spec.js'
import { type KReference, validateReference } from '../../apimachinery/destination.js'
import { also, type FieldError, fieldError, findings, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { brokerDefaults, deliveryRules } from '../eventing-config.js'
import { BROKER_CLASS_ANNOTATION } from '../eventing-labels.js'
import { semanticEqual } from '../semantic-equal.js'
import { shortDiff } from '../short-diff.js'
import type { Broker } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/eventing/v1/broker_validation.go */
export function validateBroker(broker: Broker, { old, configMap }: AdmissionContext<Broker>): FieldError | undefined {
  const { metadata, spec = {} } = broker
  const rules = deliveryRules(configMap)
  const mayDiffer = brokerDefaults(configMap).allowsOtherNamespace(metadata.namespace ?? '')
  const inNamespace = { ...rules, ...(!mayDiffer && { parentNamespace: metadata.namespace }) }
  return also(
    metadata.annotations?.[BROKER_CLASS_ANNOTATION] ? undefined : findings.missingField(BROKER_CLASS_ANNOTATION),
    viaField(
      'spec',
      also(
        spec.config && viaField('config', validateReference(spec.config, inNamespace)),
        viaField('delivery', validateDelivery(spec.delivery, inNamespace)),
      ),
    ),
    old && immutableProblem(broker, old),
  )
}

/** Only the delivery may change. The first problem is the only one told. */
function immutableProblem({ spec = {}, metadata }: Broker, old: Broker): FieldError | undefined {
  const { delivery: _, ...now } = spec
  const { delivery: __, ...before } = old.spec ?? {}
  if (!semanticEqual(before, now)) {
    const details = shortDiff('v1.BrokerSpec', { Config: asGo(before.config) }, { Config: asGo(now.config) })
    return fieldError('Immutable fields changed (-old +new)', 'spec', details)
  }
  const newClass = metadata.annotations?.[BROKER_CLASS_ANNOTATION] ?? ''
  const oldClass = old.metadata.annotations?.[BROKER_CLASS_ANNOTATION] ?? ''
  if (newClass === oldClass) return undefined
  return fieldError('Immutable annotations changed (-old +new)', 'annotations', shortDiff('string', oldClass, newClass))
}

/** A reference with its fields named as in Knative's type, which is what a diff shows. */
function asGo(config: KReference | undefined): object | undefined {
  if (!config) return undefined
  const { kind = '', namespace = '', name = '', apiVersion = '', group = '' } = config
  return { Kind: kind, Namespace: namespace, Name: name, APIVersion: apiVersion, Group: group }
}
