import type { ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook } from '../eventing-webhook.js'
import { defaultTrigger } from './defaults.js'
import { triggerKind } from './kind.js'
import { type Trigger, triggerSchema } from './schema.js'
import { validateTrigger } from './validate.js'

export const triggerServed: ServedKind<Trigger> = {
  kind: triggerKind,
  schema: triggerSchema,
  builtIn: false,
  webhook: eventingWebhook({ schema: triggerSchema, defaults: defaultTrigger, validate: validateTrigger }),
}
