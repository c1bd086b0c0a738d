import { defaultDelivery } from '../../apimachinery/delivery-spec.js'
import { defaultDestination } from '../../apimachinery/destination.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { defaultChannelTemplate } from '../eventing-config.js'
import type { Parallel } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/flows/v1/parallel_defaults.go */
export function defaultParallel(draft: Parallel, { configMap }: AdmissionContext<Parallel>): void {
  const { namespace } = draft.metadata
  draft.spec ??= {}
  // Asked for no namespace, as there: what a namespace has for a default does not count.
  const template = draft.spec.channelTemplate ?? defaultChannelTemplate(configMap, '')
  if (template) draft.spec.channelTemplate = template
  for (const { filter, subscriber, reply, delivery } of draft.spec.branches ?? []) {
    for (const destination of [filter, subscriber, reply]) defaultDestination(destination, namespace)
    defaultDelivery(delivery, namespace)
  }
  defaultDestination(draft.spec.reply, namespace)
}
