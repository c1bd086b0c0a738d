/**
 * Names, label and annotation keys of Knative Eventing, as users and tools know them.
 * @see knative/eventing v1.22 pkg/apis/eventing/register.go
 */

export const EVENTING_GROUP = 'eventing.knative.dev'
export const EVENTING_NAMESPACE = 'knative-eventing'

/** Who Eventing's controllers are to the API server. */
export const EVENTING_CONTROLLER_USER = 'system:serviceaccount:knative-eventing:eventing-controller'
export const IN_MEMORY_CHANNEL_CONTROLLER_USER = 'system:serviceaccount:knative-eventing:imc-controller'

export const BROKER_CLASS_ANNOTATION = 'eventing.knative.dev/broker.class'
/** The class that is built in; Brokers of others are left to whoever brings them. */
export const MT_CHANNEL_BROKER_CLASS = 'MTChannelBasedBroker'
export const BROKER_LABEL = 'eventing.knative.dev/broker'
export const BROKER_EVERYTHING_LABEL = 'eventing.knative.dev/brokerEverything'
export const TRIGGER_LABEL = 'eventing.knative.dev/trigger'
/** Which dispatcher carries a channel: `cluster` or `namespace`. */
export const SCOPE_ANNOTATION = 'eventing.knative.dev/scope'
export const INJECTION_KEY = 'eventing.knative.dev/injection'
/** The spelling of old, on Triggers. */
export const OLD_INJECTION_ANNOTATION = 'knative-eventing-injection'
export const INJECTED_LABEL = 'eventing.knative.dev/injected'
export const DEPENDENCY_ANNOTATION = 'knative.dev/dependency'
export const OIDC_LABEL = 'eventing.knative.dev/oidc'

/** Core Services of the data plane in the system namespace; the ingress of all Brokers, and what all Triggers filter by. */
export const BROKER_INGRESS_NAME = 'broker-ingress'
export const BROKER_FILTER_NAME = 'broker-filter'

/** Annotations of a Broker's status: where its channel is. Ingress and Triggers go by them. */
export const CHANNEL_ADDRESS_ANNOTATION = 'knative.dev/channelAddress'
export const CHANNEL_API_VERSION_ANNOTATION = 'knative.dev/channelAPIVersion'
export const CHANNEL_KIND_ANNOTATION = 'knative.dev/channelKind'
export const CHANNEL_NAME_ANNOTATION = 'knative.dev/channelName'
export const CHANNEL_CA_CERTS_ANNOTATION = 'knative.dev/channelCACerts'
export const CHANNEL_AUDIENCE_ANNOTATION = 'knative.dev/channelAudience'
