import { type FieldError, findings } from '../../apimachinery/field-error.js'
import type { EventType } from './schema.js'

/** Nothing of it is immutable: the check is there in Knative, and is not called. @see knative/eventing v1.22 pkg/apis/eventing/v1beta2/eventtype_validation.go */
export function validateEventType({ spec }: EventType): FieldError | undefined {
  return spec?.type ? undefined : findings.missingField('spec.type')
}
