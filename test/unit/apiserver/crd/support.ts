import type { ApiCall } from '../../../../src/apimachinery/call.js'
import type { CustomResourceDefinition, DefinedVersion } from '../../../../src/apimachinery/custom-resource.js'
import type { KubeObject, Unstructured } from '../../../../src/apimachinery/object.js'
import type { Schema } from '../../../../src/apimachinery/schema.js'
import { StatusError } from '../../../../src/apimachinery/status-error.js'
import type { CallWebhook } from '../../../../src/apiserver/crd/conversion.js'
import { type ApiServer, createApiServer } from '../../../../src/apiserver/server.js'
import { createVirtualClock } from '../../../../src/base/clock.js'
import { createSilentLogger } from '../../../../src/base/logger.js'
import { createSeededRandom } from '../../../../src/base/random.js'
import { coreServedKinds } from '../../../../src/kinds/core/index.js'
import { createMemoryStore } from '../../../../src/store/memory.js'
import type { Store } from '../../../../src/store/store.js'

export const DEFINITIONS_PATH = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' }
const user = { name: 'alice', groups: [] }

export function aVersion(schema: Schema, more: Partial<DefinedVersion> = {}): DefinedVersion {
  return { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...more }
}

/** The definition of Gadgets in example.com, with spec.size and whatever else the schema says. */
export function aDefinition(options: { versions?: DefinedVersion[]; names?: object; plural?: string; more?: object } = {}): object {
  const plural = options.plural ?? 'gadgets'
  const spec: Schema = { type: 'object', properties: { size: { type: 'integer', default: 1 } } }
  return {
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural, kind: 'Gadget', ...options.names },
      versions: options.versions ?? [aVersion({ type: 'object', properties: { spec } })],
      ...options.more,
    },
  }
}

export interface DefinedWorld {
  server: ApiServer
  store: Store
  /** On Gadgets v1 in namespace default, unless it says otherwise. */
  call(call: Partial<ApiCall> & Pick<ApiCall, 'verb'>): Promise<Unstructured>
  warningsOf(call: Partial<ApiCall> & Pick<ApiCall, 'verb'>): Promise<readonly string[]>
  refusal(call: Partial<ApiCall> & Pick<ApiCall, 'verb'>): Promise<StatusError>
  /** Creates or replaces a definition. */
  define(definition: object): Promise<CustomResourceDefinition>
}

/** An API server of the core kinds over a memory store, with the namespace `default`. */
export async function aDefinedWorld(options: { callWebhook?: CallWebhook; store?: Store } = {}): Promise<DefinedWorld> {
  const store = options.store ?? createMemoryStore({ freeze: true })
  const clock = createVirtualClock()
  const server = createApiServer({
    store,
    kinds: coreServedKinds,
    clock,
    realClock: createVirtualClock(),
    random: createSeededRandom(3),
    log: createSilentLogger(),
    ...(options.callWebhook && { callWebhook: options.callWebhook }),
  })
  const filled = (call: Partial<ApiCall> & Pick<ApiCall, 'verb'>): ApiCall => ({
    user,
    group: 'example.com',
    version: 'v1',
    plural: 'gadgets',
    ...(call.group === undefined && { namespace: 'default' }),
    ...call,
  })
  const call: DefinedWorld['call'] = async (partial) => (await server.call(filled(partial))).object as Unstructured
  if (!options.store)
    await call({ verb: 'create', group: '', version: 'v1', plural: 'namespaces', object: { metadata: { name: 'default' } } })
  return {
    server,
    store,
    call,
    warningsOf: async (partial) => (await server.call(filled(partial))).warnings,
    async refusal(partial) {
      try {
        await call(partial)
      } catch (error) {
        if (error instanceof StatusError) return error
        throw error
      }
      throw new Error('the call was not refused')
    },
    async define(definition) {
      const { metadata } = definition as KubeObject
      const present = await call({ verb: 'get', ...DEFINITIONS_PATH, name: metadata.name }).catch(() => undefined)
      const { resourceVersion } = present?.metadata ?? {}
      const object = { ...definition, metadata: { ...metadata, ...(resourceVersion && { resourceVersion }) } }
      return (await call(
        present ? { verb: 'update', ...DEFINITIONS_PATH, name: metadata.name, object } : { verb: 'create', ...DEFINITIONS_PATH, object },
      )) as unknown as CustomResourceDefinition
    },
  }
}

export const aGadget = (name: string, spec: object = {}): object => ({ metadata: { name }, spec })
