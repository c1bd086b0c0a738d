import type { ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook } from '../eventing-webhook.js'
import { defaultSequence } from './defaults.js'
import { sequenceKind } from './kind.js'
import { type Sequence, sequenceSchema } from './schema.js'
import { validateSequence } from './validate.js'

export const sequenceServed: ServedKind<Sequence> = {
  kind: sequenceKind,
  schema: sequenceSchema,
  builtIn: false,
  webhook: eventingWebhook<Sequence>({ schema: sequenceSchema, defaults: defaultSequence, validate: validateSequence }),
}
