import type { ServedKind } from '../../apimachinery/kind.js'
import { defaultConfiguration } from './defaults.js'
import { configurationKind } from './kind.js'
import { type Configuration, configurationSchema } from './schema.js'
import { validateConfiguration } from './validate.js'

export const configurationServed: ServedKind<Configuration> = {
  kind: configurationKind,
  schema: configurationSchema,
  builtIn: false,
  webhook: { validationName: 'validation.webhook.serving.knative.dev', defaults: defaultConfiguration, validate: validateConfiguration },
}
