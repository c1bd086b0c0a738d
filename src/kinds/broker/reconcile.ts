import { type Conditions, conditionsOf } from '../../apimachinery/conditions.js'
import { hostOf } from '../../apimachinery/destination.js'
import { groupVersion, type Kind } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import type { Controller, Outcome, ReconcilerDeps, Wake } from '../../controller/reconcile.js'
import { configMapKind } from '../core/configmap/kind.js'
import { endpointSliceKind } from '../core/endpointslice/kind.js'
import { SERVICE_NAME_LABEL } from '../core/endpointslice/schema.js'
import { coreServiceKind } from '../core/service/kind.js'
import { isEnabled } from '../eventing-config.js'
import {
  BROKER_CLASS_ANNOTATION,
  BROKER_FILTER_NAME,
  BROKER_INGRESS_NAME,
  CHANNEL_ADDRESS_ANNOTATION,
  CHANNEL_API_VERSION_ANNOTATION,
  CHANNEL_AUDIENCE_ANNOTATION,
  CHANNEL_CA_CERTS_ANNOTATION,
  CHANNEL_KIND_ANNOTATION,
  CHANNEL_NAME_ANNOTATION,
  EVENTING_CONTROLLER_USER,
  EVENTING_GROUP,
  EVENTING_NAMESPACE,
  MT_CHANNEL_BROKER_CLASS,
} from '../eventing-labels.js'
import { eventPolicyWakes, markEventPolicies } from '../eventing-policies.js'
import { audienceOf, resolveDeadLetterSink } from '../eventing-status.js'
import { BROKER_INGRESS_TLS, setAddresses, wokenByCertificate } from '../eventing-tls.js'
import { eventPolicyKind } from '../eventpolicy/kind.js'
import type { Channelable } from '../messaging-schema.js'
import { serviceHost } from '../serving-names.js'
import { channelTemplateOf, ensureBrokerChannel } from './channel.js'
import { brokerKind } from './kind.js'
import { ensureChannelPolicy } from './policy.js'
import { BROKER_CONDITIONS, BROKER_REASONS, type Broker } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer' | 'resolveUri' | 'track'>
type Status = NonNullable<Broker['status']>

const DATA_PLANE: ReadonlySet<string> = new Set([BROKER_INGRESS_NAME, BROKER_FILTER_NAME])

/**
 * Gives a Broker of the built-in class its channel and its address. Carries no event itself: whoever delivers (src/eventing)
 * watches the Brokers.
 * @see knative/eventing v1.22 pkg/reconciler/broker/broker.go
 */
export function createBrokerController(): Controller<Broker> {
  return {
    kind: brokerKind,
    actsAs: EVENTING_CONTROLLER_USER,
    owns: [eventPolicyKind],
    wokenBy: [
      { kind: configMapKind, wakes: configuredBy },
      {
        kind: endpointSliceKind,
        wakes: ({ metadata }, all) => (isDataPlane(metadata.namespace, metadata.labels?.[SERVICE_NAME_LABEL]) ? everyone(all) : []),
      },
      { kind: coreServiceKind, wakes: ({ metadata }, all) => (isDataPlane(metadata.namespace, metadata.name) ? everyone(all) : []) },
      wokenByCertificate(BROKER_INGRESS_TLS),
      ...eventPolicyWakes,
    ],
    create: (deps) => (broker) => reconcileBroker(broker, deps),
  }
}

const everyone = (all: Parameters<Wake['wakes']>[1]): KubeObject['metadata'][] => all.list().map(({ metadata }) => metadata)
const isDataPlane = (namespace: string | undefined, service: string | undefined): boolean =>
  namespace === EVENTING_NAMESPACE && service !== undefined && DATA_PLANE.has(service)

/** Brokers whose channel template is in this ConfigMap. */
const configuredBy: Wake['wakes'] = ({ metadata }, all) =>
  all
    .list()
    .filter((broker) => {
      const config = (broker as Broker).spec?.config
      return config?.name === metadata.name && config.namespace === metadata.namespace
    })
    .map((broker) => broker.metadata)

async function reconcileBroker(broker: Broker, deps: Deps): Promise<Outcome<Broker>> {
  if (broker.metadata.annotations?.[BROKER_CLASS_ANNOTATION] !== MT_CHANNEL_BROKER_CLASS) return {}
  const conditions = conditionsOf(broker, BROKER_CONDITIONS, deps.clock.now())
  const status: Status = { ...broker.status }
  const problem = await bringUp(broker, status, conditions, deps)
  if (problem) deps.event(broker, 'Warning', 'InternalError', problem)
  return { status: { ...status, conditions: conditions.list() } }
}

/** Fills `status` and `conditions`, up to the first problem: what comes behind it stays as it was. */
async function bringUp(broker: Broker, status: Status, conditions: Conditions, deps: Deps): Promise<string | undefined> {
  const { namespace = '', name } = broker.metadata
  const { template, problem: templateProblem } = channelTemplateOf(broker, deps)
  if (!template) {
    conditions.isFalse(
      'TriggerChannelReady',
      BROKER_REASONS.channelTemplateFailed,
      `Error on setting up the ChannelTemplate: ${templateProblem}`,
    )
    return templateProblem
  }
  const ensured = await ensureBrokerChannel(broker, template, deps)
  if (!ensured.channel) {
    conditions.isFalse('TriggerChannelReady', BROKER_REASONS.channelFailure, ensured.problem)
    return ensured.problem
  }
  const { channel, kind } = ensured
  if (!hostOf(channel.status?.address?.url ?? '')) {
    conditions.isFalse('TriggerChannelReady', BROKER_REASONS.noAddress, 'Channel does not have an address.')
    // Its address wakes the Broker again.
    return undefined
  }
  status.annotations = channelAnnotations(status.annotations, channel, kind)
  conditions.isTrue('TriggerChannelReady')
  markServed('FilterReady', BROKER_FILTER_NAME, conditions, deps)
  markServed('IngressReady', BROKER_INGRESS_NAME, conditions, deps)

  const unresolved = await resolveDeadLetterSink(
    broker,
    broker.spec?.delivery,
    status,
    conditions,
    BROKER_REASONS.deadLetterSinkUnresolved,
    deps,
  )
  if (unresolved !== undefined) return `Failed to resolve Dead Letter Sink URI: ${unresolved}`

  const usesOidc = isEnabled(deps.configMap, 'authentication-oidc')
  const place = `${serviceHost(BROKER_INGRESS_NAME, EVENTING_NAMESPACE)}/${namespace}/${name}`
  const audience = usesOidc ? audienceOf(broker, EVENTING_GROUP) : undefined
  const addresses = { http: `http://${place}`, https: `https://${place}`, server: BROKER_INGRESS_TLS, audience }
  const notAddressed = setAddresses(status, addresses, deps)
  if (notAddressed !== undefined) return notAddressed
  conditions.isTrue('Addressable')
  await ensureChannelPolicy(broker, channel, kind, usesOidc, deps)
  markEventPolicies(broker, status, conditions, deps)
  return undefined
}

function channelAnnotations(before: Status['annotations'], channel: Channelable, kind: Kind): Record<string, string> {
  const { url = '', CACerts, audience } = channel.status?.address ?? {}
  const { [CHANNEL_CA_CERTS_ANNOTATION]: _, [CHANNEL_AUDIENCE_ANNOTATION]: __, ...others } = before ?? {}
  return {
    ...others,
    [CHANNEL_ADDRESS_ANNOTATION]: url,
    [CHANNEL_API_VERSION_ANNOTATION]: groupVersion(kind),
    [CHANNEL_KIND_ANNOTATION]: kind.kind,
    [CHANNEL_NAME_ANNOTATION]: channel.metadata.name,
    ...(CACerts && { [CHANNEL_CA_CERTS_ANNOTATION]: CACerts }),
    ...(audience && { [CHANNEL_AUDIENCE_ANNOTATION]: audience }),
  }
}

/** Whether anybody stands behind a core Service of the data plane. */
function markServed(condition: string, service: string, conditions: Conditions, { informer }: Deps): void {
  if (!informer(coreServiceKind).get({ namespace: EVENTING_NAMESPACE, name: service })) {
    conditions.isFalse(condition, BROKER_REASONS.serviceFailure, `service ${JSON.stringify(service)} not found`)
    return
  }
  const hasEndpoints = informer(endpointSliceKind)
    .list(EVENTING_NAMESPACE)
    .some(
      ({ metadata, endpoints }) =>
        metadata.labels?.[SERVICE_NAME_LABEL] === service && endpoints?.some((endpoint) => endpoint.conditions?.ready !== false),
    )
  if (hasEndpoints) conditions.isTrue(condition)
  else conditions.isFalse(condition, BROKER_REASONS.endpointSlicesUnavailable, 'EndpointSlices are unavailable.')
}
