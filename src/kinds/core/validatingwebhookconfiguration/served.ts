import type { ServedKind } from '../../../apimachinery/kind.js'
import type { WebhookConfiguration } from '../../../apimachinery/webhook-configuration.js'
import { validatingWebhookConfigurationKind } from './kind.js'
import { defaultWebhooks, webhookCauses, webhookColumns, webhooksSchema } from './webhooks.js'

/** Webhooks that may refuse a write. They are called by the API server (src/apiserver/webhooks). */
export const validatingWebhookConfigurationServed: ServedKind<WebhookConfiguration> = {
  kind: { ...validatingWebhookConfigurationKind, columns: webhookColumns },
  builtIn: true,
  unconditionalUpdate: false,
  schema: webhooksSchema('ValidatingWebhookConfiguration says which webhooks may refuse a write.'),
  defaults: (configuration) => defaultWebhooks(configuration, { isMutating: false }),
  validate: (configuration, { old }) => webhookCauses(configuration, old),
}
