import type { FieldError } from '../apimachinery/field-error.js'
import type { AdmissionContext, ServedKind } from '../apimachinery/kind.js'
import type { KubeObject } from '../apimachinery/object.js'
import { prune } from '../apimachinery/prune.js'
import type { Schema } from '../apimachinery/schema.js'
import { refusals } from '../apimachinery/status-error.js'
import { semanticEqual } from './semantic-equal.js'

/** Host parts of the webhooks' names, as refusals show them. */
export interface WebhookNames {
  defaulting: string
  validation: string
}

export const EVENTING_WEBHOOKS: WebhookNames = {
  defaulting: 'webhook.eventing.knative.dev',
  validation: 'validation.webhook.eventing.knative.dev',
}

/** InMemoryChannel's controller brings its own pair. */
export const IN_MEMORY_CHANNEL_WEBHOOKS: WebhookNames = {
  defaulting: 'inmemorychannel.eventing.knative.dev',
  validation: 'validation.inmemorychannel.eventing.knative.dev',
}

type WithSpec = KubeObject & { spec?: unknown }

/**
 * The webhooks of one of Eventing's kinds: fields that its type lacks are refused by name, then come the kind's defaults and who
 * made the object and who changed it, then its validation.
 * @param rules.type what the type knows, where the kind's schema keeps more: everything below `spec` that is not in it is refused.
 * @see knative.dev/pkg webhook/resourcesemantics/defaulting/defaulting.go, user_info.go
 */
export function eventingWebhook<T extends WithSpec>(rules: {
  schema: Schema
  names?: WebhookNames
  defaults?(draft: T, context: AdmissionContext<T>): void
  validate?(object: T, context: AdmissionContext<T>): FieldError | undefined
}): NonNullable<ServedKind<T>['webhook']> {
  const { names = EVENTING_WEBHOOKS, defaults, validate } = rules
  const type = strict(rules.schema)
  return {
    validationName: names.validation,
    defaults(draft, context) {
      refuseUnknownFields(type, draft, names.defaulting)
      defaults?.(draft, context)
      recordUser(draft, context)
    },
    ...(validate && { validate }),
  }
}

/** The schema as a type that knows nothing beyond it; what may hold anything (embedded objects, channel templates) still may. */
function strict(schema: Schema): Schema {
  const { properties, items, additionalProperties, 'x-kubernetes-preserve-unknown-fields': keeps, ...rest } = schema
  return {
    ...rest,
    ...(keeps && !properties && { 'x-kubernetes-preserve-unknown-fields': true }),
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, strict(child)])) }),
    ...(items && { items: strict(items) }),
    ...(additionalProperties && { additionalProperties: additionalProperties === true ? true : strict(additionalProperties) }),
  }
}

function refuseUnknownFields(type: Schema, draft: WithSpec, webhookName: string): void {
  const { unknown } = prune({ type: 'object', properties: { spec: type.properties?.['spec'] ?? {} } }, { spec: draft.spec })
  const [first] = unknown
  if (first === undefined) return
  const field = first.slice(first.lastIndexOf('.') + 1)
  throw refusals.badRequest(
    `admission webhook ${JSON.stringify(webhookName)} denied the request: mutation failed: cannot decode incoming new object: json: unknown field ${JSON.stringify(field)}`,
  )
}

/** Annotations `<group>/creator` and `<group>/lastModifier`. Nothing protects them later, as on a cluster. */
function recordUser<T extends WithSpec>(draft: T, { operation, old, user }: AdmissionContext<T>): void {
  if (operation === 'UPDATE' && old && semanticEqual(old.spec, draft.spec)) return
  const group = draft.apiVersion.split('/', 1)[0]!
  draft.metadata.annotations = {
    ...draft.metadata.annotations,
    ...(operation === 'CREATE' && { [`${group}/creator`]: user.name }),
    [`${group}/lastModifier`]: user.name,
  }
}
