import type { ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook } from '../eventing-webhook.js'
import { defaultEventPolicy } from './defaults.js'
import { eventPolicyKind } from './kind.js'
import { type EventPolicy, eventPolicySchema } from './schema.js'
import { validateEventPolicy } from './validate.js'

export const eventPolicyServed: ServedKind<EventPolicy> = {
  kind: eventPolicyKind,
  schema: eventPolicySchema,
  builtIn: false,
  webhook: eventingWebhook({ schema: eventPolicySchema, defaults: defaultEventPolicy, validate: validateEventPolicy }),
}
