import { validateDelivery } from '../../apimachinery/delivery-spec.js'
import { validateReference } from '../../apimachinery/destination.js'
import { also, type FieldError, findings, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { isoDurationMs } from '../../base/duration.js'
import { deliveryRules } from '../eventing-config.js'
import type { RequestReply } from './schema.js'

/** `course` is a slip of Knative's for `source`, which passes therefore. */
const NOT_FOR_CORRELATION: ReadonlySet<string> = new Set(['', 'id', 'course', 'specversion', 'type'])

/** @see knative/eventing v1.22 pkg/apis/eventing/v1alpha1/requestreply_validation.go */
export function validateRequestReply(
  { metadata, spec }: RequestReply,
  { configMap }: AdmissionContext<RequestReply>,
): FieldError | undefined {
  const rules = { ...deliveryRules(configMap), parentNamespace: metadata.namespace }
  const { brokerRef, timeout, delivery, correlationAttribute = '', replyAttribute = '' } = spec
  const kind = brokerRef?.kind ?? ''
  return viaField(
    'spec',
    also(
      viaField(
        'brokerRef',
        also(
          validateReference(brokerRef, rules),
          kind.toLowerCase() === 'broker' ? undefined : findings.invalidValue(kind, 'kind', 'brokerRef kind must be Broker'),
          brokerRef?.namespace ? findings.disallowedFields('namespace') : undefined,
        ),
      ),
      viaField('delivery', validateDelivery(delivery, rules)),
      timeout !== undefined && !((isoDurationMs(timeout) ?? 0) > 0) ? findings.invalidValue(timeout, 'timeout') : undefined,
      validateAttribute(correlationAttribute, 'correlationattribute'),
      validateAttribute(replyAttribute, 'replyattribute'),
    ),
  )
}

function validateAttribute(name: string, field: string): FieldError | undefined {
  if (!NOT_FOR_CORRELATION.has(name)) return undefined
  return findings.invalidValue(
    name,
    field,
    `${field} must be non-empty and cannot be a core cloudevent attribute (id, type, specversion, source)`,
  )
}
