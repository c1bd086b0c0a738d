import type { ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook, IN_MEMORY_CHANNEL_WEBHOOKS } from '../eventing-webhook.js'
import { defaultInMemoryChannel } from './defaults.js'
import { inMemoryChannelKind } from './kind.js'
import { type InMemoryChannel, inMemoryChannelSchema } from './schema.js'
import { validateInMemoryChannel } from './validate.js'

export const inMemoryChannelServed: ServedKind<InMemoryChannel> = {
  kind: inMemoryChannelKind,
  schema: inMemoryChannelSchema,
  builtIn: false,
  webhook: eventingWebhook<InMemoryChannel>({
    schema: inMemoryChannelSchema,
    names: IN_MEMORY_CHANNEL_WEBHOOKS,
    defaults: defaultInMemoryChannel,
    validate: validateInMemoryChannel,
  }),
}
