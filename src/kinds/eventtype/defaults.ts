import { defaultReference } from '../../apimachinery/destination.js'
import type { EventType } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/eventing/v1beta2/eventtype_defaults.go */
export function defaultEventType(draft: EventType): void {
  defaultReference(draft.spec?.reference, draft.metadata.namespace)
}
