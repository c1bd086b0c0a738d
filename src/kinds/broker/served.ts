import type { ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook } from '../eventing-webhook.js'
import { defaultBroker } from './defaults.js'
import { brokerKind } from './kind.js'
import { type Broker, brokerSchema } from './schema.js'
import { validateBroker } from './validate.js'

export const brokerServed: ServedKind<Broker> = {
  kind: brokerKind,
  schema: brokerSchema,
  builtIn: false,
  webhook: eventingWebhook({ schema: brokerSchema, defaults: defaultBroker, validate: validateBroker }),
}
