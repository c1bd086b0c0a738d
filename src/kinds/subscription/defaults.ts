import { defaultDelivery } from '../../apimachinery/delivery-spec.js'
import { defaultDestination } from '../../apimachinery/destination.js'
import type { Subscription } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/messaging/v1/subscription_defaults.go */
export function defaultSubscription({ metadata: { namespace }, spec }: Subscription): void {
  defaultDestination(spec?.subscriber, namespace)
  defaultDestination(spec?.reply, namespace)
  defaultDelivery(spec?.delivery, namespace)
}
