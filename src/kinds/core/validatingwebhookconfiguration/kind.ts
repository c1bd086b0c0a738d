import type { Kind } from '../../../apimachinery/kind.js'
import { ADMISSION_GROUP, type WebhookConfiguration } from '../../../apimachinery/webhook-configuration.js'

export const validatingWebhookConfigurationKind: Kind<WebhookConfiguration> = {
  group: ADMISSION_GROUP,
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  singular: 'validatingwebhookconfiguration',
  categories: ['api-extensions'],
  namespaced: false,
}
