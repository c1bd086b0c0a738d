import type { ServedKind } from '../apimachinery/kind.js'
import type { Controller } from '../controller/reconcile.js'
import { createConfigurationController } from './configuration/reconcile.js'
import { configurationServed } from './configuration/served.js'
import { coreControllers, coreServedKinds } from './core/index.js'
import { type ClockEngine, createClockServed } from './emulator/clock/served.js'
import { emulatorImageServed } from './emulator/image/served.js'
import type { Engines } from './engines.js'
import { imageServed } from './image/served.js'
import { createKIngressController } from './kingress/reconcile.js'
import { kingressServed } from './kingress/served.js'
import { createPodAutoscalerController } from './podautoscaler/reconcile.js'
import { podAutoscalerServed } from './podautoscaler/served.js'
import { createRevisionController } from './revision/reconcile.js'
import { revisionServed } from './revision/served.js'
import { createRouteController } from './route/reconcile.js'
import { routeServed } from './route/served.js'
import { createServerlessServiceController } from './serverlessservice/reconcile.js'
import { serverlessServiceServed } from './serverlessservice/served.js'
import { createServiceController } from './service/reconcile.js'
import { serviceServed } from './service/served.js'

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
  emulatorImageServed,
]

/** The same, and the Clock, whose writes move the emulator's time before they are answered. */
export function servedKindsWith(engines: { clock: ClockEngine }): readonly ServedKind[] {
  return [...servedKinds, createClockServed(engines.clock) as ServedKind]
}

/** Every controller, each with the engines it owns. */
export function controllers(engines: Engines): readonly Controller[] {
  return [
    ...coreControllers(engines),
    createServiceController(),
    createConfigurationController(),
    createRevisionController(engines),
    createRouteController(),
    createPodAutoscalerController(engines),
    createServerlessServiceController(),
    createKIngressController(),
  ]
}
