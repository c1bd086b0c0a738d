import { also, type FieldError, fieldError, findings } from '../../apimachinery/field-error.js'
import type { AdmissionContext, Identity } from '../../apimachinery/kind.js'
import { EVENTING_CONTROLLER_USER, SCOPE_ANNOTATION } from '../eventing-labels.js'
import { semanticEqual } from '../semantic-equal.js'
import { shortDiff } from '../short-diff.js'
import type { InMemoryChannel } from './schema.js'

/**
 * `delivery` is not looked at, as there.
 * @see knative/eventing v1.22 pkg/apis/messaging/v1/in_memory_channel_validation.go
 */
export function validateInMemoryChannel(
  { metadata, spec }: InMemoryChannel,
  { old, user }: AdmissionContext<InMemoryChannel>,
): FieldError | undefined {
  const scope = metadata.annotations?.[SCOPE_ANNOTATION]
  return also(
    ...(spec.subscribers ?? []).map(({ subscriberUri, replyUri }, index) =>
      subscriberUri === undefined && replyUri === undefined ? nowhere(index) : undefined,
    ),
    scope === undefined || scope === 'cluster' || scope === 'namespace'
      ? undefined
      : findings.invalidValue(scope, `metadata.annotations[${SCOPE_ANNOTATION}]`, "expected either 'cluster' or 'namespace'"),
    old ? validateSubscribersChange(spec.subscribers, old.spec.subscribers, user) : undefined,
  )
}

/** Names and nesting of the fields are those of an older version, as there. */
function nowhere(index: number): FieldError {
  const subscriber = `spec.subscribable.subscriber[${index}]`
  return fieldError('missing field(s)', [`${subscriber}.replyURI`, `${subscriber}.subscriberURI`], 'expected at least one of, got none')
}

type Subscribers = InMemoryChannel['spec']['subscribers']

/** Only the controller of Subscriptions writes there. */
function validateSubscribersChange(subscribers: Subscribers, old: Subscribers, user: Identity): FieldError | undefined {
  if (user.name === EVENTING_CONTROLLER_USER || semanticEqual(subscribers, old)) return undefined
  return fieldError(
    `Channel.Spec.Subscribers changed by user ${user.name} which was not the ${EVENTING_CONTROLLER_USER} service account`,
    'spec.subscribers',
    shortDiff('[]v1.SubscriberSpec', old ?? [], subscribers ?? []),
  )
}
