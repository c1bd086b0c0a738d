import { Flags, type Interfaces } from '@oclif/core'
import type { DeliverySpec } from '../../apimachinery/delivery-spec.js'
import type { Destination } from '../../apimachinery/destination.js'
import { int32Flag } from '../flags.js'

/** How hard a delivery is tried, and where an event goes that cannot be delivered. The server judges the values. */
export const deliveryFlags = {
  'dl-sink': Flags.string({ description: 'Where events go that could not be delivered, in the forms of --sink.' }),
  retry: int32Flag({ description: 'How often a delivery is tried again before the event goes to the dead letter sink.' }),
  timeout: Flags.string({ description: 'Time limit of each attempt, as an ISO 8601 duration like PT10S.' }),
  'backoff-policy': Flags.string({ description: 'How the waits between attempts grow: linear or exponential.' }),
  'backoff-delay': Flags.string({ description: 'Wait before a retry, as an ISO 8601 duration like PT0.5S.' }),
  'retry-after-max': Flags.string({
    description: 'Longest Retry-After of a subscriber that is heeded, as an ISO 8601 duration; PT0S heeds none.',
  }),
}

export type DeliveryFlagValues = Partial<Interfaces.InferredFlags<typeof deliveryFlags>>

/**
 * A delivery with what the flags say; undefined when nothing says anything. As in kn, what is empty or zero is passed over, so a flag cannot
 * take a setting away.
 */
export function deliveryFrom(
  delivery: DeliverySpec | undefined,
  flags: DeliveryFlagValues,
  deadLetterSink: Destination | undefined,
): DeliverySpec | undefined {
  const { retry, timeout } = flags
  const policy = flags['backoff-policy'] as DeliverySpec['backoffPolicy']
  const delay = flags['backoff-delay']
  const retryAfterMax = flags['retry-after-max']
  const next: DeliverySpec = {
    ...delivery,
    ...(deadLetterSink && { deadLetterSink }),
    ...(retry && { retry }),
    ...(timeout && { timeout }),
    ...(policy && { backoffPolicy: policy }),
    ...(delay && { backoffDelay: delay }),
    ...(retryAfterMax && { retryAfterMax }),
  }
  return delivery || Object.keys(next).length > 0 ? next : undefined
}
