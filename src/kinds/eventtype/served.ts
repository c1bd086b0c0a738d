import { groupVersion, type ServedKind } from '../../apimachinery/kind.js'
import { eventingWebhook } from '../eventing-webhook.js'
import { convertEventType } from './convert.js'
import { defaultEventType } from './defaults.js'
import { eventTypeKind, eventTypeV1beta1Kind, eventTypeV1beta3Kind } from './kind.js'
import { type EventType, type EventTypeV1beta3, eventTypeSchema, eventTypeV1beta3Schema } from './schema.js'
import { validateEventType } from './validate.js'

const webhook = eventingWebhook<EventType>({ schema: eventTypeSchema, defaults: defaultEventType, validate: validateEventType })
const storedAs = { apiVersion: groupVersion(eventTypeKind), convert: convertEventType }

/** Knative's webhooks do not know this version: nothing of it is defaulted or refused. */
export const eventTypeV1beta3Served: ServedKind<EventTypeV1beta3> = {
  kind: eventTypeV1beta3Kind,
  schema: eventTypeV1beta3Schema,
  builtIn: false,
  storedAs,
}

export const eventTypeServed: ServedKind<EventType> = { kind: eventTypeKind, schema: eventTypeSchema, builtIn: false, webhook }

export const eventTypeV1beta1Served: ServedKind<EventType> = {
  kind: eventTypeV1beta1Kind,
  schema: eventTypeSchema,
  builtIn: false,
  webhook,
  storedAs,
  deprecationWarning:
    'eventing.knative.dev/v1beta1 EventType is deprecated; see https://knative.dev/docs/eventing/event-registry/ for instructions to migrate to eventing.knative.dev/v1beta2 EventType',
}
