import { defaultDelivery } from '../../apimachinery/delivery-spec.js'
import { defaultDestination } from '../../apimachinery/destination.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { defaultChannelTemplate } from '../eventing-config.js'
import type { Sequence } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/flows/v1/sequence_defaults.go */
export function defaultSequence(draft: Sequence, { configMap }: AdmissionContext<Sequence>): void {
  const { namespace } = draft.metadata
  draft.spec ??= {}
  // Asked for no namespace, as there: what a namespace has for a default does not count.
  const template = draft.spec.channelTemplate ?? defaultChannelTemplate(configMap, '')
  if (template) draft.spec.channelTemplate = template
  for (const step of draft.spec.steps ?? []) {
    defaultDestination(step, namespace)
    defaultDelivery(step.delivery, namespace)
  }
  defaultDestination(draft.spec.reply, namespace)
}
