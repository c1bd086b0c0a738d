import { validateDelivery } from '../../apimachinery/delivery-spec.js'
import { also, type FieldError, fieldError, findings, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { deliveryRules } from '../eventing-config.js'
import { validateChannelTemplate } from '../messaging-schema.js'
import { semanticEqual } from '../semantic-equal.js'
import { shortDiff } from '../short-diff.js'
import type { Channel } from './schema.js'

/** @see knative/eventing v1.22 pkg/apis/messaging/v1/channel_validation.go */
export function validateChannel({ spec }: Channel, { old, configMap }: AdmissionContext<Channel>): FieldError | undefined {
  const { channelTemplate, subscribers = [], delivery } = spec
  return also(
    viaField(
      'spec',
      also(
        channelTemplate ? viaField('channelTemplate', validateChannelTemplate(channelTemplate)) : findings.missingField('channelTemplate'),
        // The path is that of an older version, as there.
        subscribers.length > 0 ? findings.disallowedFields('subscribable.subscribers') : undefined,
        viaField('delivery', validateDelivery(delivery, deliveryRules(configMap))),
      ),
    ),
    old ? validateChange(spec, old.spec) : undefined,
  )
}

function validateChange(spec: Channel['spec'], old: Channel['spec']): FieldError | undefined {
  const before = withoutSubscribers(old)
  const after = withoutSubscribers(spec)
  if (semanticEqual(before, after)) return undefined
  return fieldError('Immutable fields changed (-old +new)', 'spec', shortDiff('v1.ChannelSpec', before, after))
}

function withoutSubscribers({ subscribers: _, ...rest }: Channel['spec']): Channel['spec'] {
  return rest
}
