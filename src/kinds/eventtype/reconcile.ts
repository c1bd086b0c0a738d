import { conditionsOf } from '../../apimachinery/conditions.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../controller/reconcile.js'
import { EVENTING_CONTROLLER_USER } from '../eventing-labels.js'
import { eventTypeKind } from './kind.js'
import { EVENT_TYPE_CONDITIONS, EVENT_TYPE_REASONS, type EventType } from './schema.js'

/**
 * Says whether what an EventType refers to is there.
 * @see knative/eventing v1.22 pkg/reconciler/eventtype/eventtype.go
 */
export function createEventTypeController(): Controller<EventType> {
  return {
    kind: eventTypeKind,
    actsAs: EVENTING_CONTROLLER_USER,
    create: (deps) => (eventType) => reconcileEventType(eventType, deps),
  }
}

async function reconcileEventType(
  eventType: EventType,
  { clock, event, track }: Pick<ReconcilerDeps, 'clock' | 'event' | 'track'>,
): Promise<Outcome<EventType>> {
  const conditions = conditionsOf(eventType, EVENT_TYPE_CONDITIONS, clock.now())
  const { reference } = eventType.spec
  if (!reference) {
    conditions.isTrue('ReferenceExists', { reason: EVENT_TYPE_REASONS.referenceNotSet, message: 'spec.reference is not set' })
  } else {
    const { apiVersion = '', kind, name, namespace = eventType.metadata.namespace } = reference
    const found = await track({ apiVersion, kind, namespace, name }, eventType.metadata)
    if (found.object) conditions.isTrue('ReferenceExists')
    else {
      conditions.isFalse('ReferenceExists', EVENT_TYPE_REASONS.noResource, 'Resource in spec.reference does not exist')
      event(eventType, 'Warning', 'InternalError', `${kind} ${JSON.stringify(`${namespace}/${name}`)} does not exist`)
    }
  }
  return { status: { ...eventType.status, conditions: conditions.list() } }
}
