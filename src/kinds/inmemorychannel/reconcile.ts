import { type Conditions, conditionsOf } from '../../apimachinery/conditions.js'
import type { Draft, KubeObject } from '../../apimachinery/object.js'
import { ensureOwned } from '../../controller/owned.js'
import type { Controller, Outcome, ReconcilerDeps, Wake } from '../../controller/reconcile.js'
import { endpointsKind } from '../core/endpoints/kind.js'
import { coreServiceKind } from '../core/service/kind.js'
import type { CoreService } from '../core/service/schema.js'
import { isEnabled } from '../eventing-config.js'
import { EVENTING_NAMESPACE, IN_MEMORY_CHANNEL_CONTROLLER_USER } from '../eventing-labels.js'
import { eventPolicyWakes, markEventPolicies } from '../eventing-policies.js'
import { audienceOf, resolveDeadLetterSink } from '../eventing-status.js'
import { DISPATCHER_TLS, setAddresses, wokenByCertificate } from '../eventing-tls.js'
import { isLeftover } from '../leftover.js'
import { childName, serviceHost } from '../serving-names.js'
import { inMemoryChannelKind } from './kind.js'
import {
  CHANNEL_SERVICE_LABELS,
  DISPATCHER_NAME,
  IN_MEMORY_CHANNEL_CONDITIONS,
  type InMemoryChannel,
  IN_MEMORY_CHANNEL_REASONS as REASONS,
} from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer' | 'resolveUri'>
type Status = NonNullable<InMemoryChannel['status']>

const CHANNEL_SERVICE_SUFFIX = '-kn-channel'

/**
 * Gives a channel its address and takes up its subscribers. Carries no event itself: whoever delivers (src/eventing) watches
 * the channels.
 * @see knative/eventing v1.22 pkg/reconciler/inmemorychannel
 */
export function createInMemoryChannelController(): Controller<InMemoryChannel> {
  return {
    kind: inMemoryChannelKind,
    actsAs: IN_MEMORY_CHANNEL_CONTROLLER_USER,
    owns: [coreServiceKind],
    wokenBy: [
      { kind: coreServiceKind, wakes: usingService },
      { kind: endpointsKind, wakes: (endpoints, all) => (isDispatcher(endpoints) ? all.list().map(({ metadata }) => metadata) : []) },
      wokenByCertificate(DISPATCHER_TLS),
      ...eventPolicyWakes,
    ],
    create: (deps) => (channel) => reconcileChannel(channel, deps),
  }
}

/** All channels when it is the dispatcher's; else those whose own Service would have the name, for strangers that go away. */
const usingService: Wake['wakes'] = (service, all) => {
  if (isDispatcher(service)) return all.list().map(({ metadata }) => metadata)
  const { namespace, name } = service.metadata
  if (!name.endsWith(CHANNEL_SERVICE_SUFFIX)) return []
  return all.list(namespace).flatMap(({ metadata }) => (channelServiceName(metadata.name) === name ? [metadata] : []))
}

const isDispatcher = ({ metadata }: KubeObject): boolean => metadata.namespace === EVENTING_NAMESPACE && metadata.name === DISPATCHER_NAME

/** The core Service that gives a channel its host name. */
export function channelServiceName(channel: string): string {
  return childName(channel, CHANNEL_SERVICE_SUFFIX)
}

async function reconcileChannel(channel: InMemoryChannel, deps: Deps): Promise<Outcome<InMemoryChannel>> {
  const conditions = conditionsOf(channel, IN_MEMORY_CHANNEL_CONDITIONS, deps.clock.now())
  const status: Status = { ...channel.status, subscribers: subscribersOf(channel) }
  // The dispatcher is a part of this process: where anything is served, it runs.
  conditions.info({ type: 'DispatcherReady', status: 'True' })
  const problem = await bringUp(channel, status, conditions, deps)
  if (problem) deps.event(channel, 'Warning', 'InternalError', problem)
  return { status: { ...status, conditions: conditions.list() } }
}

/** What the dispatcher says: whoever is in the spec is delivered to, whether or not the channel has an address yet. */
function subscribersOf({ spec }: InMemoryChannel): Status['subscribers'] {
  const subscribers = spec.subscribers ?? []
  if (subscribers.length === 0) return undefined
  return subscribers.map(({ uid, generation }) => ({
    uid,
    ...(generation !== undefined && { observedGeneration: generation }),
    ready: 'True',
  }))
}

/** Fills `status` and `conditions`, up to the first problem: what comes behind it stays as it was. */
async function bringUp(channel: InMemoryChannel, status: Status, conditions: Conditions, deps: Deps): Promise<string | undefined> {
  const { namespace = '', name } = channel.metadata
  const dispatcher = { namespace: EVENTING_NAMESPACE, name: DISPATCHER_NAME }
  if (!deps.informer(coreServiceKind).get(dispatcher)) {
    conditions.isFalse('ServiceReady', REASONS.serviceMissing, 'Dispatcher Service does not exist')
    return `Reconciling dispatcher Service failed: service "${DISPATCHER_NAME}" not found`
  }
  conditions.isTrue('ServiceReady')

  const endpoints = deps.informer(endpointsKind).get(dispatcher)
  if (!endpoints) {
    conditions.isFalse('EndpointsReady', REASONS.endpointsMissing, 'Dispatcher Endpoints does not exist')
    return `endpoints "${DISPATCHER_NAME}" not found`
  }
  if (!endpoints.subsets?.length) {
    conditions.isFalse('EndpointsReady', REASONS.endpointsNotReady, 'There are no endpoints ready for Dispatcher service')
    return 'there are no endpoints ready for Dispatcher service'
  }
  conditions.isTrue('EndpointsReady')

  const wanted = channelServiceFor(name)
  const owned = await ensureOwned(deps.client, coreServiceKind, channel, wanted, { change: (existing) => corrected(existing, wanted) })
  if (!owned) {
    if (await isLeftover(deps.client, coreServiceKind, channel, wanted.metadata.name)) return undefined
    const problem = `inmemorychannel: ${namespace}/${name} does not own Service: "${wanted.metadata.name}"`
    conditions.isFalse('ChannelServiceReady', REASONS.channelServiceFailed, `Channel Service failed: ${problem}`)
    return problem
  }
  conditions.isTrue('ChannelServiceReady')

  const unresolved = await resolveDeadLetterSink(channel, channel.spec.delivery, status, conditions, REASONS.deadLetterSinkUnresolved, deps)
  if (unresolved !== undefined) return `Failed to resolve Dead Letter Sink URI: ${unresolved}`

  // Without TLS a channel is known by its host; with TLS that would take a certificate for each, so it is known by its path.
  const addresses = {
    http: `http://${serviceHost(wanted.metadata.name, namespace)}`,
    https: `https://${serviceHost(DISPATCHER_NAME, EVENTING_NAMESPACE)}/${namespace}/${name}`,
    server: DISPATCHER_TLS,
    audience: isEnabled(deps.configMap, 'authentication-oidc') ? audienceOf(channel, inMemoryChannelKind.group) : undefined,
  }
  const notAddressed = setAddresses(status, addresses, deps)
  if (notAddressed !== undefined) return notAddressed
  conditions.isTrue('Addressable')
  markEventPolicies(channel, status, conditions, deps)
  return undefined
}

function channelServiceFor(channel: string): Draft<CoreService> & { metadata: { name: string } } {
  return {
    metadata: { name: channelServiceName(channel), labels: { ...CHANNEL_SERVICE_LABELS } },
    spec: { type: 'ExternalName', externalName: serviceHost(DISPATCHER_NAME, EVENTING_NAMESPACE) },
  }
}

/** What the API server fills in stays; a selector or another host that someone wrote does not. */
function corrected(existing: CoreService, { spec }: Draft<CoreService>): CoreService {
  const { type, externalName, selector, ports } = existing.spec
  const isRight = type === spec.type && externalName === spec.externalName && !selector && !ports?.length
  return isRight ? existing : { ...existing, spec }
}
