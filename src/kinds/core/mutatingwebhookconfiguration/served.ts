import type { ServedKind } from '../../../apimachinery/kind.js'
import type { WebhookConfiguration } from '../../../apimachinery/webhook-configuration.js'
import { described, text } from '../schema-parts.js'
import { defaultWebhooks, webhookCauses, webhookColumns, webhooksSchema } from '../validatingwebhookconfiguration/webhooks.js'
import { mutatingWebhookConfigurationKind } from './kind.js'

/** Webhooks that may change an object on its way to the store. They are called by the API server (src/apiserver/webhooks). */
export const mutatingWebhookConfigurationServed: ServedKind<WebhookConfiguration> = {
  kind: { ...mutatingWebhookConfigurationKind, columns: webhookColumns },
  builtIn: true,
  unconditionalUpdate: false,
  schema: webhooksSchema('MutatingWebhookConfiguration says which webhooks may change an object that is written.', {
    reinvocationPolicy: described('Never, or IfNeeded: asked again when another webhook changed the object.', text),
  }),
  defaults: (configuration) => defaultWebhooks(configuration, { isMutating: true }),
  validate: (configuration, { old }) => webhookCauses(configuration, old),
}
