import type { ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook } from '../eventing-webhook.js'
import { defaultChannel } from './defaults.js'
import { channelKind } from './kind.js'
import { type Channel, channelSchema } from './schema.js'
import { validateChannel } from './validate.js'

export const channelServed: ServedKind<Channel> = {
  kind: channelKind,
  schema: channelSchema,
  builtIn: false,
  webhook: eventingWebhook<Channel>({ schema: channelSchema, defaults: defaultChannel, validate: validateChannel }),
}
