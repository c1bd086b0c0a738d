import type { Kind } from '../../../apimachinery/kind.js'
import { ADMISSION_GROUP, type WebhookConfiguration } from '../../../apimachinery/webhook-configuration.js'

export const mutatingWebhookConfigurationKind: Kind<WebhookConfiguration> = {
  group: ADMISSION_GROUP,
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  singular: 'mutatingwebhookconfiguration',
  categories: ['api-extensions'],
  namespaced: false,
}
