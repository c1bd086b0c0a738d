import type { KubeObject, LabelSelector } from './object.js'

/** Where a webhook is: a URL, or a Service of the cluster. */
export interface WebhookClientConfig {
  url?: string
  service?: { namespace: string; name: string; path?: string; port?: number }
  /** PEM in base64. */
  caBundle?: string
}

export interface RuleWithOperations {
  operations?: string[]
  apiGroups?: string[]
  apiVersions?: string[]
  /** `pods`, `pods/status`; a star stands for every resource or every subresource. */
  resources?: string[]
  scope?: string
}

export interface MatchCondition {
  name: string
  expression: string
}

/** One webhook of a configuration, of either sort. */
export interface AdmissionWebhook {
  name: string
  clientConfig: WebhookClientConfig
  rules?: RuleWithOperations[]
  failurePolicy?: string
  matchPolicy?: string
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
  sideEffects?: string
  timeoutSeconds?: number
  admissionReviewVersions?: string[]
  matchConditions?: MatchCondition[]
  /** Of mutating webhooks. */
  reinvocationPolicy?: string
}

/** A MutatingWebhookConfiguration or ValidatingWebhookConfiguration. */
export interface WebhookConfiguration extends KubeObject {
  webhooks?: AdmissionWebhook[]
}

export const ADMISSION_GROUP = 'admissionregistration.k8s.io'
/** Under which names the store keeps them. */
export const MUTATING_CONFIGURATIONS = `mutatingwebhookconfigurations.${ADMISSION_GROUP}`
export const VALIDATING_CONFIGURATIONS = `validatingwebhookconfigurations.${ADMISSION_GROUP}`
