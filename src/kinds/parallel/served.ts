import type { ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook } from '../eventing-webhook.js'
import { defaultParallel } from './defaults.js'
import { parallelKind } from './kind.js'
import { type Parallel, parallelSchema } from './schema.js'
import { validateParallel } from './validate.js'

export const parallelServed: ServedKind<Parallel> = {
  kind: parallelKind,
  schema: parallelSchema,
  builtIn: false,
  webhook: eventingWebhook<Parallel>({ schema: parallelSchema, defaults: defaultParallel, validate: validateParallel }),
}
