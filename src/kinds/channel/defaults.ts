import { defaultDelivery } from '../../apimachinery/delivery-spec.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { defaultChannelTemplate } from '../eventing-config.js'
import { markSubscribable } from '../messaging-schema.js'
import type { Channel } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/messaging/v1/channel_defaults.go */
export function defaultChannel(draft: Channel, { configMap }: AdmissionContext<Channel>): void {
  markSubscribable(draft)
  draft.spec ??= {}
  const { namespace = '' } = draft.metadata
  const template = draft.spec.channelTemplate ?? defaultChannelTemplate(configMap, namespace)
  if (template) draft.spec.channelTemplate = template
  defaultDelivery(draft.spec.delivery, namespace)
}
