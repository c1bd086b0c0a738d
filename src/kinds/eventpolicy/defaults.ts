import type { EventPolicy } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/eventing/v1alpha1/eventpolicy_defaults.go */
export function defaultEventPolicy(draft: EventPolicy): void {
  for (const { ref } of draft.spec?.from ?? [])
    if (ref && !ref.namespace && draft.metadata.namespace) ref.namespace = draft.metadata.namespace
}
