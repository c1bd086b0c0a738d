import type { ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook } from '../eventing-webhook.js'
import { defaultSubscription } from './defaults.js'
import { subscriptionKind } from './kind.js'
import { type Subscription, subscriptionSchema } from './schema.js'
import { validateSubscription } from './validate.js'

export const subscriptionServed: ServedKind<Subscription> = {
  kind: subscriptionKind,
  schema: subscriptionSchema,
  builtIn: false,
  webhook: eventingWebhook<Subscription>({ schema: subscriptionSchema, defaults: defaultSubscription, validate: validateSubscription }),
}
