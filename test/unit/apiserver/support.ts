import type { ApiAnswer, ApiCall, WatchEvent } from '../../../src/apimachinery/call.js'
import { fieldError } from '../../../src/apimachinery/field-error.js'
import type { Identity, Kind, ServedKind } from '../../../src/apimachinery/kind.js'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { StatusError } from '../../../src/apimachinery/status-error.js'
import { type ApiServer, createApiServer } from '../../../src/apiserver/server.js'
import { createVirtualClock, type VirtualClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { createSeededRandom, type Random } from '../../../src/base/random.js'
import { createMemoryStore } from '../../../src/store/memory.js'
import type { Store } from '../../../src/store/store.js'

export interface Widget extends KubeObject {
  spec?: { size?: number; color?: string; replicas?: number; parts?: string[] }
  status?: { phase?: string; replicas?: number; selector?: string }
}

/** A custom resource with status, scale and a webhook, as Knative's kinds have them. */
export const widgetKind: Kind<Widget> = {
  group: 'shop.example.dev',
  version: 'v1',
  kind: 'Widget',
  plural: 'widgets',
  singular: 'widget',
  namespaced: true,
  status: true,
  scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' },
  columns: [{ name: 'Phase', type: 'string', jsonPath: '.status.phase' }],
}

export const widgetServed: ServedKind<Widget> = {
  kind: widgetKind,
  builtIn: false,
  schema: {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          size: { type: 'integer', minimum: 0 },
          color: { type: 'string', default: 'red' },
          replicas: { type: 'integer' },
          parts: { type: 'array', items: { type: 'string' } },
        },
      },
      status: {
        type: 'object',
        properties: { phase: { type: 'string' }, replicas: { type: 'integer' }, selector: { type: 'string' } },
      },
    },
  },
  webhook: {
    validationName: 'validation.webhook.shop.example.dev',
    defaults(widget, { operation, user }) {
      if (operation === 'CREATE') widget.metadata.annotations = { ...widget.metadata.annotations, 'shop.example.dev/creator': user.name }
    },
    validate: (widget) => (widget.spec?.color === 'invisible' ? fieldError('invalid value: invisible', 'spec.color') : undefined),
  },
  fieldSelectors: { 'spec.color': (widget) => widget.spec?.color ?? '' },
}

interface Note extends KubeObject {
  data?: Record<string, string>
}

/** A built-in kind without status or generation, like a ConfigMap. */
export const noteKind: Kind<Note> = {
  group: '',
  version: 'v1',
  kind: 'Note',
  plural: 'notes',
  singular: 'note',
  namespaced: true,
}

const noteServed: ServedKind<Note> = {
  kind: noteKind,
  builtIn: true,
  generation: false,
  schema: { type: 'object', properties: { data: { type: 'object', additionalProperties: { type: 'string' } } } },
}

interface Task extends KubeObject {
  spec?: { seconds?: number; containers?: { name: string }[] }
  status?: { phase?: string; containerStatuses?: unknown[] }
}

/** A built-in kind whose deletions give grace and answer with the object, like a Pod; served as `pods`. */
export const podKind: Kind<Task> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  singular: 'pod',
  namespaced: true,
  status: true,
}

const podServed: ServedKind<Task> = {
  kind: podKind,
  builtIn: true,
  deleteReturnsObject: true,
  gracePeriodSeconds: (task) => task.spec?.seconds ?? 30,
  schema: {
    type: 'object',
    properties: {
      spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  },
}

interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] }
  status?: { phase?: string }
}

export const namespaceKind: Kind<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  singular: 'namespace',
  namespaced: false,
  status: true,
}

const namespaceServed: ServedKind<Namespace> = {
  kind: namespaceKind,
  builtIn: true,
  generation: false,
  nameRule: 'dns1123Label',
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  schema: {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: { finalizers: { type: 'array', items: { type: 'string' } } } },
      status: { type: 'object', properties: { phase: { type: 'string' } } },
    },
  },
  defaults(namespace, { operation }) {
    if (operation !== 'CREATE') return
    namespace.spec = { finalizers: ['kubernetes'] }
    namespace.status = { phase: 'Active' }
  },
}

interface Lease extends KubeObject {
  spec?: { holder?: string }
}

const leaseServed: ServedKind<Lease> = {
  kind: { group: 'coordination.k8s.io', version: 'v1', kind: 'Lease', plural: 'leases', singular: 'lease', namespaced: true },
  builtIn: true,
  generation: false,
  createsOnUpdate: true,
  unconditionalUpdate: false,
  schema: { type: 'object', properties: { spec: { type: 'object', properties: { holder: { type: 'string' } } } } },
}

export const testKinds = [widgetServed, noteServed, podServed, namespaceServed, leaseServed] as unknown as readonly ServedKind[]

export const alice: Identity = { name: 'alice', groups: ['system:authenticated'] }

export interface World {
  server: ApiServer
  store: Store
  clock: VirtualClock
  realClock: VirtualClock
  /** A call by alice in namespace `shop` on Widgets, unless it says otherwise. */
  call(call: Partial<ApiCall> & Pick<ApiCall, 'verb'>): Promise<ApiAnswer>
  /** The same, for its object alone. */
  ask<T = Widget>(call: Partial<ApiCall> & Pick<ApiCall, 'verb'>): Promise<T>
  /** The StatusError that a call is refused with. */
  refusal(call: Partial<ApiCall> & Pick<ApiCall, 'verb'>): Promise<StatusError>
  /** Collects the events of a watch. */
  watch(call?: Partial<ApiCall>): { events: WatchEvent[]; ends: unknown[]; stop(): void }
}

/** An API server over a memory store that freezes what it holds, with the namespace `shop` in it. */
export async function aWorld(options: { store?: Store; kinds?: readonly ServedKind[]; random?: Random } = {}): Promise<World> {
  const clock = createVirtualClock()
  const realClock = createVirtualClock()
  const store = options.store ?? createMemoryStore({ freeze: true })
  const server = createApiServer({
    store,
    kinds: options.kinds ?? testKinds,
    clock,
    realClock,
    random: options.random ?? createSeededRandom(7),
    log: createSilentLogger(),
  })
  const filled = (call: Partial<ApiCall> & Pick<ApiCall, 'verb'>): ApiCall => ({
    user: alice,
    group: widgetKind.group,
    version: 'v1',
    plural: 'widgets',
    ...(call.plural !== 'namespaces' && { namespace: 'shop' }),
    ...call,
  })
  const call: World['call'] = (partial) => server.call(filled(partial))
  await call({ verb: 'create', ...at('namespaces'), object: { metadata: { name: 'shop' } } })
  return {
    server,
    store,
    clock,
    realClock,
    call,
    ask: async (partial) => (await call(partial)).object as never,
    async refusal(partial) {
      try {
        await call(partial)
      } catch (error) {
        if (error instanceof StatusError) return error
        throw error
      }
      throw new Error('the call was not refused')
    },
    watch(partial = {}) {
      const events: WatchEvent[] = []
      const ends: unknown[] = []
      const stop = server.watch(
        filled({ verb: 'watch', ...partial }),
        (event) => events.push(event),
        (error) => ends.push(error),
      )
      return { events, ends, stop }
    },
  }
}

/** Which kind a call is about, for kinds other than Widget. */
export function at(plural: string, name?: string): Pick<ApiCall, 'group' | 'version' | 'plural'> & { name?: string } {
  const served = testKinds.find(({ kind }) => kind.plural === plural)!
  return { group: served.kind.group, version: served.kind.version, plural, ...(name !== undefined && { name }) }
}

export function aWidget(name: string, spec: Widget['spec'] = {}, metadata: Partial<KubeObject['metadata']> = {}): object {
  return { metadata: { name, ...metadata }, spec }
}

/** `ADDED a`, `MODIFIED a` …: what a watch told, in short. */
export function told(events: readonly WatchEvent[]): string[] {
  return events.map((event) => (event.type === 'ERROR' ? 'ERROR' : `${event.type} ${event.object.metadata.name ?? ''}`.trim()))
}
