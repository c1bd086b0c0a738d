import { type Condition, conditionsOf, livingConditions } from '../../../src/apimachinery/conditions.js'
import type { Kind, ServedKind } from '../../../src/apimachinery/kind.js'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { createApiServer } from '../../../src/apiserver/server.js'
import { createVirtualClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { createClient } from '../../../src/client/client.js'
import { createManager, type Manager } from '../../../src/controller/manager.js'
import type { Controller } from '../../../src/controller/reconcile.js'
import { configMapServed } from '../../../src/kinds/core/configmap/served.js'
import { eventServed } from '../../../src/kinds/core/event/served.js'
import { createMemoryStore } from '../../../src/store/memory.js'

/** A custom resource with the usual status. */
export interface Widget extends KubeObject {
  spec: { size?: number; partner?: string }
  status?: { observedGeneration?: number; conditions?: Condition[]; seen?: number }
}

export const widgetKind: Kind<Widget> = {
  group: 'test.knative.dev',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  namespaced: true,
  status: true,
}

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const
const widgetServed: ServedKind<Widget> = {
  kind: widgetKind,
  builtIn: false,
  schema: { type: 'object', properties: { spec: anything, status: anything } },
}

export const readyOnly = livingConditions()

/** A server with Widgets, ConfigMaps and Events, and a manager that is started by the test. */
export function createBench(controllers: readonly Controller[]) {
  const realClock = createVirtualClock()
  let manager: Manager | undefined
  const clock = createVirtualClock({ settle: async () => manager?.settled() })
  const log = createSilentLogger()
  const random = createSeededRandom(3)
  const store = createMemoryStore({ freeze: true })
  const kinds: readonly ServedKind[] = [widgetServed, configMapServed, eventServed]
  const server = createApiServer({ store, kinds, clock, realClock, random, log })
  const clientFor = (name: string) => createClient({ transport: server, user: { name, groups: [] }, fieldManager: name })
  manager = createManager({ clientFor, controllers, clock, realClock, eventDelayMs: 0, random, log })
  return { client: clientFor('admin'), clientFor, manager, clock, realClock, log, kinds, store }
}

export const aWidget = (name: string, spec: Widget['spec'] = {}) => ({ metadata: { namespace: 'ns', name }, spec })

export { conditionsOf }
