import { type Conditions, conditionsOf } from '../../apimachinery/conditions.js'
import type { Destination } from '../../apimachinery/destination.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import { EVENTING_CONTROLLER_USER } from '../eventing-labels.js'
import { eventPolicyWakes, markEventPolicies, policiesFor } from '../eventing-policies.js'
import { ensurePolicies, fromSubscription, type PolicyChild } from '../eventing-policy-children.js'
import { eventPolicyKind } from '../eventpolicy/kind.js'
import { addressOf, areReady, channelEntry, ensureSubscription, removeOthers, subscriptionEntry } from '../flows-children.js'
import { type ChannelStatusEntry, FLOW_REASONS as REASONS, type SubscriptionStatusEntry } from '../flows-schema.js'
import { type EnsuredChannel, ensureChannel } from '../messaging-channels.js'
import { setField } from '../messaging-status.js'
import { childName } from '../serving-names.js'
import { subscriptionKind } from '../subscription/kind.js'
import type { Subscription } from '../subscription/schema.js'
import { parallelKind } from './kind.js'
import { PARALLEL_CONDITIONS, type Parallel } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer' | 'track'>
type Status = NonNullable<Parallel['status']>
type Made = Extract<EnsuredChannel, { channel: unknown }>

/**
 * Puts one channel in front, and for each branch a channel behind its filter, with a Subscription to the filter and one to the
 * subscriber.
 * @see knative/eventing v1.22 pkg/reconciler/parallel
 */
export function createParallelController(): Controller<Parallel> {
  return {
    kind: parallelKind,
    actsAs: EVENTING_CONTROLLER_USER,
    owns: [subscriptionKind, eventPolicyKind],
    wokenBy: eventPolicyWakes,
    create: (deps) => async (parallel) => {
      const conditions = conditionsOf(parallel, PARALLEL_CONDITIONS, deps.clock.now())
      const status: Status = { ...parallel.status }
      const problem = await build(parallel, status, conditions, deps)
      if (problem !== undefined) deps.event(parallel, 'Warning', 'InternalError', problem)
      return { status: { ...status, conditions: conditions.list() } } satisfies Outcome<Parallel>
    },
  }
}

const ingressName = ({ metadata }: Parallel): string => `${metadata.name}-kn-parallel`
/** The channel behind a branch's filter, and the Subscription to it; branches count from 0. */
const branchName = (parallel: Parallel, branch: number): string => `${ingressName(parallel)}-${branch}`
const filterName = (parallel: Parallel, branch: number): string => `${ingressName(parallel)}-filter-${branch}`

/** Fills `status` and `conditions`, up to the first problem: what comes behind it stays as it was. */
async function build(parallel: Parallel, status: Status, conditions: Conditions, deps: Deps): Promise<string | undefined> {
  const { branches = [], channelTemplate } = parallel.spec
  const { apiVersion, kind, spec } = channelTemplate!
  const ensure = (name: string): Promise<EnsuredChannel> => ensureChannel({ apiVersion, kind, name }, spec, parallel, deps)

  const made: Made[] = []
  for (const name of [ingressName(parallel), ...branches.map((_, branch) => branchName(parallel, branch))]) {
    const channel = await ensure(name)
    if (channel.problem !== undefined) return channel.problem
    made.push(channel)
  }
  const [ingress, ...behindFilters] = made as [Made, ...Made[]]
  status.ingressChannelStatus = channelEntry(ingress.channel, ingress.kind)
  const channelStatuses = behindFilters.map((each) => channelEntry(each.channel, each.kind))
  setField(status, 'address', addressOf(ingress.channel))
  if (status.address) conditions.isTrue('Addressable')
  else conditions.isFalse('Addressable', REASONS.emptyAddress, 'addressable is nil')
  if (areReady([status.ingressChannelStatus, ...channelStatuses])) conditions.isTrue('ChannelsReady')
  else conditions.isFalse('ChannelsReady', REASONS.channelsNotReady, 'Channels are not ready yet, or there are none')

  const filters: SubscriptionStatusEntry[] = []
  const subscribers: SubscriptionStatusEntry[] = []
  for (const branch of branches.keys()) {
    const filter = await ensureSubscription(parallel, filterName(parallel, branch), filterSpecFor(parallel, branch), deps)
    const subscriber = await ensureSubscription(parallel, branchName(parallel, branch), subscriberSpecFor(parallel, branch), deps)
    if (filter.problem !== undefined || subscriber.problem !== undefined) {
      status.branchStatuses = branchStatuses(channelStatuses, filters, subscribers)
      conditions.isFalse('SubscriptionsReady', REASONS.subscriptionsNotReady, 'Subscriptions are not ready yet, or there are none')
      return `failed to reconcile Subscription Objects for branch: ${branch} : ${filter.problem ?? subscriber.problem}`
    }
    filters.push(subscriptionEntry(filter.subscription))
    subscribers.push(subscriptionEntry(subscriber.subscription))
  }
  status.branchStatuses = branchStatuses(channelStatuses, filters, subscribers)
  if (areReady([...filters, ...subscribers])) conditions.isTrue('SubscriptionsReady')
  else conditions.isFalse('SubscriptionsReady', REASONS.subscriptionsNotReady, 'Subscriptions are not ready yet, or there are none')

  const branchNames = branches.map((_, branch) => branchName(parallel, branch))
  const filterNames = branches.map((_, branch) => filterName(parallel, branch))
  await removeOthers(parallel, ingress.kind, new Set([ingressName(parallel), ...branchNames]), deps)
  await removeOthers(parallel, subscriptionKind, new Set([...filterNames, ...branchNames]), deps)
  await ensurePolicies(
    parallel,
    ingress.kind,
    policiesOf(parallel, deps),
    { 'flows.knative.dev/parallel-name': parallel.metadata.name },
    deps,
  )
  markEventPolicies(parallel, status, conditions, deps)
  return undefined
}

/** The channel in front lets in whom the policies of the Parallel name, each other one the Subscription of its filter. */
function policiesOf(parallel: Parallel, deps: Deps): PolicyChild[] {
  const { namespace, name } = parallel.metadata
  const policyName = (suffix: string): string => childName(name, `-ep-${suffix}`)
  const front = policiesFor(parallel, deps).map(({ metadata, spec }) => ({
    name: policyName(metadata.name),
    channel: ingressName(parallel),
    from: spec?.from ?? [],
  }))
  const behindFilters = (parallel.spec.branches ?? []).map((_, branch) => ({
    name: policyName(branchName(parallel, branch)),
    channel: branchName(parallel, branch),
    from: [fromSubscription(filterName(parallel, branch), namespace)],
  }))
  return [...front, ...behindFilters]
}

function branchStatuses(
  channels: readonly ChannelStatusEntry[],
  filters: readonly SubscriptionStatusEntry[],
  subscribers: readonly SubscriptionStatusEntry[],
): NonNullable<Status['branchStatuses']> {
  return channels.map((filterChannelStatus, branch) => ({
    ...(filters[branch] && { filterSubscriptionStatus: filters[branch] }),
    filterChannelStatus,
    ...(subscribers[branch] && { subscriberSubscriptionStatus: subscribers[branch] }),
  }))
}

/** What passes a filter is its answer; without a filter everything passes as it is. */
function filterSpecFor(parallel: Parallel, branch: number): Subscription['spec'] {
  const { apiVersion, kind } = parallel.spec.channelTemplate!
  const { namespace } = parallel.metadata
  const filter = parallel.spec.branches![branch]!.filter
  const behind: Destination = { ref: { kind, ...(namespace && { namespace }), name: branchName(parallel, branch), apiVersion } }
  return {
    channel: { kind, name: ingressName(parallel), apiVersion },
    subscriber: filter ?? behind,
    ...(filter && { reply: behind }),
  }
}

function subscriberSpecFor(parallel: Parallel, branch: number): Subscription['spec'] {
  const { apiVersion, kind } = parallel.spec.channelTemplate!
  const { subscriber, delivery, reply = parallel.spec.reply } = parallel.spec.branches![branch]!
  return {
    channel: { kind, name: branchName(parallel, branch), apiVersion },
    ...(subscriber && { subscriber }),
    ...(delivery && { delivery }),
    ...(reply && { reply }),
  }
}
