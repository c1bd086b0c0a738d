import { defaultDelivery } from '../../apimachinery/delivery-spec.js'
import { markSubscribable } from '../messaging-schema.js'
import type { InMemoryChannel } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/messaging/v1/in_memory_channel_defaults.go */
export function defaultInMemoryChannel(draft: InMemoryChannel): void {
  markSubscribable(draft)
  draft.spec ??= {}
  defaultDelivery(draft.spec.delivery, draft.metadata.namespace)
}
