import { type Conditions, conditionsOf } from '../../apimachinery/conditions.js'
import type { Kind } from '../../apimachinery/kind.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import { EVENTING_CONTROLLER_USER } from '../eventing-labels.js'
import { eventPolicyWakes, markEventPolicies, policiesFor } from '../eventing-policies.js'
import { ensurePolicies, fromSubscription, type PolicyChild } from '../eventing-policy-children.js'
import { eventPolicyKind } from '../eventpolicy/kind.js'
import { addressOf, areReady, channelEntry, ensureSubscription, removeOthers, subscriptionEntry } from '../flows-children.js'
import { FLOW_REASONS as REASONS } from '../flows-schema.js'
import { ensureChannel } from '../messaging-channels.js'
import type { Channelable } from '../messaging-schema.js'
import { childName } from '../serving-names.js'
import { subscriptionKind } from '../subscription/kind.js'
import type { Subscription } from '../subscription/schema.js'
import { sequenceKind } from './kind.js'
import { SEQUENCE_CONDITIONS, type Sequence } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer' | 'track'>
type Status = NonNullable<Sequence['status']>

/**
 * Puts a channel before each step and a Subscription between the two, whose reply is the next channel.
 * @see knative/eventing v1.22 pkg/reconciler/sequence
 */
export function createSequenceController(): Controller<Sequence> {
  return {
    kind: sequenceKind,
    actsAs: EVENTING_CONTROLLER_USER,
    owns: [subscriptionKind, eventPolicyKind],
    wokenBy: eventPolicyWakes,
    create: (deps) => async (sequence) => {
      const conditions = conditionsOf(sequence, SEQUENCE_CONDITIONS, deps.clock.now())
      const status: Status = { ...sequence.status }
      const problem = await build(sequence, status, conditions, deps)
      if (problem !== undefined) deps.event(sequence, 'Warning', 'InternalError', problem)
      return { status: { ...status, conditions: conditions.list() } } satisfies Outcome<Sequence>
    },
  }
}

/** Name of the channel before a step and of the Subscription to it; steps count from 0. */
const nameOf = (sequence: Sequence, step: number): string => `${sequence.metadata.name}-kn-sequence-${step}`

/** Fills `status` and `conditions`, up to the first problem: what comes behind it stays as it was. */
async function build(sequence: Sequence, status: Status, conditions: Conditions, deps: Deps): Promise<string | undefined> {
  const { steps = [], channelTemplate } = sequence.spec
  const { apiVersion, kind: kindName, spec } = channelTemplate!
  const names = steps.map((_, step) => nameOf(sequence, step))

  const channels: Channelable[] = []
  let kind: Kind<Channelable> | undefined
  for (const [step, name] of names.entries()) {
    const made = await ensureChannel({ apiVersion, kind: kindName, name }, spec, sequence, deps)
    if (made.problem !== undefined) {
      const problem = `failed to reconcile channel ${name} at step ${step}: ${made.problem}`
      conditions.isUnknown('ChannelsReady', REASONS.channelsNotReady, problem)
      return problem
    }
    channels.push(made.channel)
    kind = made.kind
  }
  status.channelStatuses = channels.map((channel) => channelEntry(channel, kind!))
  const address = channels[0] && addressOf(channels[0])
  if (address) {
    const { name: _, ...nameless } = address
    status.address = nameless
    conditions.isTrue('Addressable')
  } else conditions.isUnknown('Addressable', REASONS.emptyAddress, 'addressable is nil')
  if (areReady(status.channelStatuses)) conditions.isTrue('ChannelsReady')
  else conditions.isUnknown('ChannelsReady', REASONS.channelsNotReady, 'Channels are not ready yet, or there are none')

  const subscriptions: Subscription[] = []
  for (const [step, name] of names.entries()) {
    const made = await ensureSubscription(sequence, name, subscriptionSpecFor(sequence, step), deps)
    if (made.problem !== undefined) {
      const problem = `failed to reconcile subscription resource for step: ${step} : ${made.problem}`
      conditions.isUnknown('SubscriptionsReady', REASONS.subscriptionsNotReady, problem)
      return problem
    }
    subscriptions.push(made.subscription)
  }
  status.subscriptionStatuses = subscriptions.map(subscriptionEntry)
  if (areReady(status.subscriptionStatuses)) conditions.isTrue('SubscriptionsReady')
  else conditions.isUnknown('SubscriptionsReady', REASONS.subscriptionsNotReady, 'Subscriptions are not ready yet, or there are none')

  if (kind) await removeOthers(sequence, kind, new Set(names), deps)
  if (kind) await ensurePolicies(sequence, kind, policiesOf(sequence, names, deps), labelsOf(sequence), deps)
  markEventPolicies(sequence, status, conditions, deps)
  await removeOthers(sequence, subscriptionKind, new Set(names), deps)
  return undefined
}

/** The first channel lets in whom any policy of the Sequence names, each other one the Subscription before it. */
function policiesOf(sequence: Sequence, names: readonly string[], deps: Deps): PolicyChild[] {
  const { namespace, name } = sequence.metadata
  const policyName = (channel: string): string => childName(name, `-ep-${channel}`)
  const [first, ...others] = names
  const inner = others.map((channel, step) => ({
    name: policyName(channel),
    channel,
    from: [fromSubscription(nameOf(sequence, step), namespace)],
  }))
  const applying = policiesFor(sequence, deps)
  if (first === undefined || applying.length === 0) return inner
  return [{ name: policyName(first), channel: first, from: applying.flatMap(({ spec }) => spec?.from ?? []) }, ...inner]
}

function labelsOf({ metadata }: Sequence): Record<string, string> {
  const { group, version, kind } = sequenceKind
  const prefix = 'flows.knative.dev/sequence'
  return {
    [`${prefix}-group`]: group,
    [`${prefix}-version`]: version,
    [`${prefix}-kind`]: kind,
    [`${prefix}-name`]: metadata.name,
  }
}

function subscriptionSpecFor(sequence: Sequence, step: number): Subscription['spec'] {
  const { steps = [], channelTemplate, reply } = sequence.spec
  const { apiVersion, kind } = channelTemplate!
  const { namespace } = sequence.metadata
  const { delivery, ...subscriber } = steps[step]!
  const next = { kind, ...(namespace && { namespace }), name: nameOf(sequence, step + 1), apiVersion }
  const replyTo = step < steps.length - 1 ? { ref: next } : reply
  return {
    channel: { kind, name: nameOf(sequence, step), apiVersion },
    subscriber,
    ...(replyTo && { reply: replyTo }),
    ...(delivery && { delivery }),
  }
}
