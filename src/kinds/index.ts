import type { ObjectSource, ServedKind } from '../apimachinery/kind.js'
import type { Controller } from '../controller/reconcile.js'
import { createNamespaceInjectionController, createTriggerInjectionController } from './broker/injection.js'
import { createBrokerController } from './broker/reconcile.js'
import { brokerServed } from './broker/served.js'
import { createChannelController } from './channel/reconcile.js'
import { channelServed } from './channel/served.js'
import { createConfigurationController } from './configuration/reconcile.js'
import { configurationServed } from './configuration/served.js'
import { coreControllers, coreServedKinds } from './core/index.js'
import { type ClockEngine, createClockServed } from './emulator/clock/served.js'
import type { EventRecord } from './emulator/eventrecord/schema.js'
import { createEventRecordServed } from './emulator/eventrecord/served.js'
import { emulatorImageServed } from './emulator/image/served.js'
import type { Engines } from './engines.js'
import { createEventPolicyController } from './eventpolicy/reconcile.js'
import { eventPolicyServed } from './eventpolicy/served.js'
import { createEventTypeController } from './eventtype/reconcile.js'
import { eventTypeServed, eventTypeV1beta1Served, eventTypeV1beta3Served } from './eventtype/served.js'
import { imageServed } from './image/served.js'
import { createInMemoryChannelController } from './inmemorychannel/reconcile.js'
import { inMemoryChannelServed } from './inmemorychannel/served.js'
import { createKIngressController } from './kingress/reconcile.js'
import { kingressServed } from './kingress/served.js'
import { createParallelController } from './parallel/reconcile.js'
import { parallelServed } from './parallel/served.js'
import { createPodAutoscalerController } from './podautoscaler/reconcile.js'
import { podAutoscalerServed } from './podautoscaler/served.js'
import { createRequestReplyController } from './requestreply/reconcile.js'
import { requestReplyServed } from './requestreply/served.js'
import { createRevisionController } from './revision/reconcile.js'
import { revisionServed } from './revision/served.js'
import { createRouteController } from './route/reconcile.js'
import { routeServed } from './route/served.js'
import { createSequenceController } from './sequence/reconcile.js'
import { sequenceServed } from './sequence/served.js'
import { createServerlessServiceController } from './serverlessservice/reconcile.js'
import { serverlessServiceServed } from './serverlessservice/served.js'
import { createServiceController } from './service/reconcile.js'
import { serviceServed } from './service/served.js'
import { createSubscriptionController } from './subscription/reconcile.js'
import { subscriptionServed } from './subscription/served.js'
import { createTriggerController } from './trigger/reconcile.js'
import { triggerServed } from './trigger/served.js'

/** Every kind that is served: discovery, admission, tables and OpenAPI derive from this list. */
export const servedKinds: readonly ServedKind[] = [
  ...coreServedKinds,
  serviceServed,
  configurationServed,
  revisionServed,
  routeServed,
  podAutoscalerServed,
  serverlessServiceServed,
  kingressServed,
  imageServed,
  brokerServed,
  triggerServed,
  eventTypeV1beta3Served,
  eventTypeServed,
  eventTypeV1beta1Served,
  eventPolicyServed,
  requestReplyServed,
  channelServed,
  inMemoryChannelServed,
  subscriptionServed,
  sequenceServed,
  parallelServed,
  emulatorImageServed,
]

/** The same, and the Clock, whose writes move the emulator's time before they are answered, and what is read from the journal. */
export function servedKindsWith(engines: { clock: ClockEngine; eventRecords: ObjectSource<EventRecord> }): readonly ServedKind[] {
  return [...servedKinds, createClockServed(engines.clock) as ServedKind, createEventRecordServed(engines.eventRecords) as ServedKind]
}

/** Every controller, each with the engines it owns: those nearest to the processes first, since that is the order in which they get their turns. */
export function controllers(engines: Engines): readonly Controller[] {
  return [
    ...coreControllers(engines),
    createPodAutoscalerController(engines),
    createServerlessServiceController(),
    createRevisionController(engines),
    createKIngressController(),
    createRouteController(),
    createConfigurationController(),
    createServiceController(),
    createInMemoryChannelController(),
    createChannelController(),
    createSubscriptionController(),
    createSequenceController(),
    createParallelController(),
    createBrokerController(),
    createTriggerController(),
    createEventTypeController(),
    createEventPolicyController(),
    createRequestReplyController(),
    createNamespaceInjectionController(),
    createTriggerInjectionController(),
  ]
}
