import { type Conditions, conditionsOf, isReady } from '../../apimachinery/conditions.js'
import type { AddressStatus } from '../../apimachinery/destination.js'
import { controllerReference, type Draft } from '../../apimachinery/object.js'
import { isAlreadyExists, StatusError } from '../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import { brokerKind } from '../broker/kind.js'
import type { Broker } from '../broker/schema.js'
import { secretKind } from '../core/secret/kind.js'
import { EVENTING_CONTROLLER_USER, EVENTING_NAMESPACE } from '../eventing-labels.js'
import { wokenByConfig } from '../eventing-status.js'
import { REQUEST_REPLY_TLS, setAddresses, wokenByCertificate } from '../eventing-tls.js'
import { semanticEqual } from '../semantic-equal.js'
import { childName, serviceHost } from '../serving-names.js'
import { triggerKind } from '../trigger/kind.js'
import type { Trigger } from '../trigger/schema.js'
import { requestReplyKind } from './kind.js'
import {
  REQUEST_REPLY_BROKER_ADDRESS as BROKER_ADDRESS,
  keyName,
  keysIn,
  REQUEST_REPLY_REASONS as REASONS,
  REQUEST_REPLY_CONDITIONS,
  REQUEST_REPLY_KEYS,
  REQUEST_REPLY_NAME,
  type RequestReply,
} from './schema.js'

type Deps = Pick<ReconcilerDeps, 'client' | 'clock' | 'configMap' | 'event' | 'informer' | 'random' | 'track'>
type Status = NonNullable<RequestReply['status']>

const NAME_LABEL = 'eventing.knative.dev/RequestReply.name'
const NAMESPACE_LABEL = 'eventing.knative.dev/RequestReply.namespace'
const REPLICAS_LABEL = 'eventing.knative.dev/RequestReply.dataPlaneReplicas'
/** AES-256. */
const KEY_BYTES = 32
/** The data plane: this process, in place of the StatefulSet `request-reply`, which has one replica too until someone scales it. */
const REPLICAS = 1
const INDEX = 0

/**
 * Gives a RequestReply its key, its address, and the Trigger by which replies come back to the data plane (src/eventing/request-reply.ts).
 * @see knative/eventing v1.22 pkg/reconciler/requestreply/requestreply.go
 */
export function createRequestReplyController(): Controller<RequestReply> {
  return {
    kind: requestReplyKind,
    actsAs: EVENTING_CONTROLLER_USER,
    owns: [triggerKind],
    wokenBy: [wokenByConfig(), wokenByCertificate(REQUEST_REPLY_TLS)],
    create: (deps) => (requestReply) => reconcileRequestReply(requestReply, deps),
  }
}

async function reconcileRequestReply(requestReply: RequestReply, deps: Deps): Promise<Outcome<RequestReply>> {
  const conditions = conditionsOf(requestReply, REQUEST_REPLY_CONDITIONS, deps.clock.now())
  const status: Status = { ...requestReply.status }
  const problem = await bringUp(requestReply, status, conditions, deps)
  if (problem) deps.event(requestReply, 'Warning', 'InternalError', problem)
  return { status: { ...status, conditions: conditions.list() } }
}

/** Fills `status` and `conditions`, up to the first problem: what comes behind it stays as it was. */
async function bringUp(requestReply: RequestReply, status: Status, conditions: Conditions, deps: Deps): Promise<string | undefined> {
  const { namespace = '' } = requestReply.metadata
  await ensureKey(requestReply, deps)
  const receives: AddressStatus = {}
  const place = placeOf(requestReply)
  const addresses = { http: `http://${place}`, https: `https://${place}`, server: REQUEST_REPLY_TLS, audience: undefined }
  const notAddressed = setAddresses(receives, addresses, deps)
  if (notAddressed !== undefined) return notAddressed
  const failed = await ensureTriggers(requestReply, receives, status, conditions, deps)
  if (failed !== undefined) return `failed to reconcile triggers: ${failed}`

  const reference = { apiVersion: 'eventing.knative.dev/v1', kind: brokerKind.kind, namespace, name: requestReply.spec.brokerRef.name }
  const { object } = await deps.track(reference, requestReply.metadata)
  const broker = object as Broker | undefined
  if (!broker) {
    const why = `broker.eventing.knative.dev ${JSON.stringify(reference.name)} not found`
    conditions.isUnknown('BrokerReady', REASONS.brokerNotFound, `could not get broker: ${why}`)
    return undefined
  }
  if (!isReady(broker)) {
    conditions.isFalse('BrokerReady', REASONS.brokerNotReady, 'broker is not ready')
    return undefined
  }
  status.annotations = { ...status.annotations, [BROKER_ADDRESS]: broker.status?.address?.url ?? '' }
  conditions.isTrue('BrokerReady')

  delete status.addresses
  Object.assign(status, receives)
  conditions.isTrue('Addressable')
  const message = 'Event policies not implemented for RequestReply yet'
  conditions.isTrue('EventPoliciesReady', { reason: REASONS.policiesNotImplemented, message })
  return undefined
}

/** One key for each RequestReply, all in one Secret. */
async function ensureKey({ metadata }: RequestReply, { client, random }: Deps): Promise<void> {
  const ref = { namespace: EVENTING_NAMESPACE, name: REQUEST_REPLY_KEYS }
  const present = await client.find(secretKind, ref)
  if (keysIn(present?.data, metadata).length > 0) return
  const data = { ...present?.data, [keyName(metadata, 0)]: random.bytes(KEY_BYTES).toString('base64') }
  if (present) await client.update(secretKind, { ...present, data })
  else await client.create(secretKind, { metadata: ref, data })
}

async function ensureTriggers(
  requestReply: RequestReply,
  receives: AddressStatus,
  status: Status,
  conditions: Conditions,
  deps: Deps,
): Promise<string | undefined> {
  const made = await ensureTrigger(requestReply, receives, deps)
  status.desiredReplicas = REPLICAS
  status.readyReplicas = 'trigger' in made && isReady(made.trigger) ? 1 : 0
  if (status.readyReplicas === REPLICAS) conditions.isTrue('TriggersReady')
  else if (!('problem' in made)) conditions.isUnknown('TriggersReady', REASONS.triggersNotReady, 'not all triggers are ready yet')
  else conditions.isUnknown('TriggersReady', REASONS.triggerError, `Encountered errors reconciling triggers: ${made.problem}`)
  return 'problem' in made ? made.problem : undefined
}

async function ensureTrigger(
  requestReply: RequestReply,
  { address }: AddressStatus,
  { client }: Deps,
): Promise<{ trigger: Trigger } | { problem: string }> {
  const { namespace = '', name } = requestReply.metadata
  const wanted: Draft<Trigger> = {
    metadata: {
      name: childName(name, `${INDEX}-${REPLICAS}`),
      namespace,
      labels: { [NAME_LABEL]: name, [NAMESPACE_LABEL]: namespace, [REPLICAS_LABEL]: String(REPLICAS) },
      ownerReferences: [controllerReference(requestReply)],
    },
    spec: {
      broker: requestReply.spec.brokerRef.name,
      filters: [{ cesql: verifyExpression(requestReply) }],
      subscriber: { uri: `${address!.url}/reply`, ...(address!.CACerts && { CACerts: address!.CACerts }) },
    },
  }
  const ref = { namespace, name: wanted.metadata.name! }
  try {
    const present = (await client.find(triggerKind, ref)) ?? (await client.create(triggerKind, wanted))
    const { filter: _, ...spec } = present.spec
    if (semanticEqual(spec, wanted.spec)) return { trigger: present }
    return { trigger: await client.update(triggerKind, { ...present, spec: wanted.spec }) }
  } catch (error) {
    if (!(error instanceof StatusError) || error.code >= 500 || error.code === 409 || isAlreadyExists(error)) throw error
    return { problem: `failed to create trigger: ${error.message}` }
  }
}

function placeOf({ metadata }: RequestReply): string {
  return `${serviceHost(REQUEST_REPLY_NAME, EVENTING_NAMESPACE)}/${metadata.namespace}/${metadata.name}`
}

/** The filter of one replica: it takes the replies whose correlation id it has made itself. */
function verifyExpression({ metadata, spec }: RequestReply): string {
  const texts = [metadata.name, metadata.namespace, REQUEST_REPLY_KEYS].map((text) => `"${text}"`).join(', ')
  return `KN_VERIFY_CORRELATION_ID(${spec.replyAttribute}, ${texts}, ${INDEX}, ${REPLICAS})`
}
