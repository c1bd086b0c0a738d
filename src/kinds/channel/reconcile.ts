import { conditionsOf, readyCondition } from '../../apimachinery/conditions.js'
import { hostOf } from '../../apimachinery/destination.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import { EVENTING_CONTROLLER_USER } from '../eventing-labels.js'
import { eventPolicyWakes, markEventPolicies } from '../eventing-policies.js'
import { ensurePolicies, labelsOfChannel, policiesOfChannel } from '../eventing-policy-children.js'
import { NO_DEAD_LETTER_SINK } from '../eventing-status.js'
import { eventPolicyKind } from '../eventpolicy/kind.js'
import { ensureChannel } from '../messaging-channels.js'
import { setDeadLetterSink, setField } from '../messaging-status.js'
import { channelKind } from './kind.js'
import { CHANNEL_CONDITIONS, type Channel, CHANNEL_REASONS as REASONS } from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer' | 'track'>

/**
 * Makes one channel of the kind of the template, once, and shows what becomes of it.
 * @see knative/eventing v1.22 pkg/reconciler/channel/channel.go
 */
export function createChannelController(): Controller<Channel> {
  return {
    kind: channelKind,
    actsAs: EVENTING_CONTROLLER_USER,
    owns: [eventPolicyKind],
    wokenBy: eventPolicyWakes,
    create: (deps) => (channel) => reconcileChannel(channel, deps),
  }
}

async function reconcileChannel(channel: Channel, deps: Deps): Promise<Outcome<Channel>> {
  const conditions = conditionsOf(channel, CHANNEL_CONDITIONS, deps.clock.now())
  const status: NonNullable<Channel['status']> = { ...channel.status }
  const outcome = () => ({ status: { ...status, conditions: conditions.list() } })
  const { namespace = '', name } = channel.metadata
  const { channelTemplate, delivery } = channel.spec
  const { apiVersion, kind } = channelTemplate!

  const spec = { ...channelTemplate!.spec, ...(delivery && { delivery }) }
  const made = await ensureChannel({ apiVersion, kind, name }, spec, channel, deps)
  if (made.problem !== undefined) {
    conditions.isFalse('BackingChannelReady', REASONS.backingChannelFailed, made.problem)
    deps.event(channel, 'Warning', 'InternalError', `problem reconciling the backing channel: ${made.problem}`)
    return outcome()
  }
  const backing = made.channel.status ?? {}
  status.channel = { kind, namespace, name, apiVersion }
  const ready = readyCondition({ status: backing })
  if (ready) conditions.follows('BackingChannelReady', ready)
  else conditions.isUnknown('BackingChannelReady', REASONS.backingChannelNotConfigured, 'BackingChannel has not yet been reconciled.')

  setField(status, 'address', backing.address)
  setField(status, 'addresses', backing.addresses)
  setField(status, 'subscribers', backing.subscribers)
  if (backing.address?.url && hostOf(backing.address.url)) conditions.isTrue('Addressable')
  else conditions.isFalse('Addressable', REASONS.emptyHostname, 'hostname is the empty string')

  if (!delivery?.deadLetterSink) {
    setDeadLetterSink(status, undefined)
    conditions.isTrue('DeadLetterSinkResolved', NO_DEAD_LETTER_SINK)
  } else if (backing.deadLetterSinkUri) {
    const { deadLetterSinkUri: url, deadLetterSinkCACerts: CACerts, deadLetterSinkAudience: audience } = backing
    setDeadLetterSink(status, { url, ...(CACerts && { CACerts }), ...(audience && { audience }) })
    conditions.isTrue('DeadLetterSinkResolved')
  } else {
    setDeadLetterSink(status, undefined)
    conditions.isFalse('DeadLetterSinkResolved', `Backing Channel ${name} didn't set status.deadLetterSinkURI`, '')
  }
  await ensurePolicies(channel, made.kind, policiesOfChannel(channel, name, deps), labelsOfChannel(made.kind, name), deps)
  markEventPolicies(channel, status, conditions, deps)
  return outcome()
}
