import type { ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook } from '../eventing-webhook.js'
import { defaultRequestReply } from './defaults.js'
import { requestReplyKind } from './kind.js'
import { type RequestReply, requestReplySchema } from './schema.js'
import { validateRequestReply } from './validate.js'

export const requestReplyServed: ServedKind<RequestReply> = {
  kind: requestReplyKind,
  schema: requestReplySchema,
  builtIn: false,
  webhook: eventingWebhook({ schema: requestReplySchema, defaults: defaultRequestReply, validate: validateRequestReply }),
}
