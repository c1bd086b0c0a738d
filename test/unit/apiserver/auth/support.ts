import { generateKeyPairSync } from 'node:crypto'
import type { ApiAnswer, ApiCall } from '../../../../src/apimachinery/call.js'
import type { Identity } from '../../../../src/apimachinery/kind.js'
import { type PolicyRule, RBAC_GROUP, type RoleRef, type Subject } from '../../../../src/apimachinery/rbac.js'
import { StatusError } from '../../../../src/apimachinery/status-error.js'
import { type ApiServer, createApiServer } from '../../../../src/apiserver/server.js'
import { createVirtualClock, type VirtualClock } from '../../../../src/base/clock.js'
import { createSilentLogger } from '../../../../src/base/logger.js'
import { createSeededRandom } from '../../../../src/base/random.js'
import { servedKinds } from '../../../../src/kinds/index.js'
import { createMemoryStore } from '../../../../src/store/memory.js'
import type { Store } from '../../../../src/store/store.js'

/** A key to sign tokens with, as an instance keeps it. */
export function aKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}

export const root: Identity = { name: 'root', groups: ['system:masters', 'system:authenticated'] }
export const bob: Identity = { name: 'bob', groups: ['staff', 'system:authenticated'] }
export const robot: Identity = {
  name: 'system:serviceaccount:shop:robot',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
}

export const user = (name: string): Subject => ({ kind: 'User', apiGroup: RBAC_GROUP, name })
export const group = (name: string): Subject => ({ kind: 'Group', apiGroup: RBAC_GROUP, name })
export const account = (name: string, namespace?: string): Subject => ({ kind: 'ServiceAccount', name, ...(namespace && { namespace }) })

export interface AccessWorld {
  server: ApiServer
  store: Store
  clock: VirtualClock
  realClock: VirtualClock
  /** `default-role`, in a namespace or, without one, for the whole cluster. */
  role(name: string, rules: readonly PolicyRule[], namespace?: string, labels?: Record<string, string>): Promise<void>
  bind(name: string, to: { role?: string; clusterRole?: string }, subjects: readonly Subject[], namespace?: string): Promise<void>
  /** A call on a core resource of namespace `shop` unless it says otherwise, as root. */
  call(call: Partial<ApiCall> & Pick<ApiCall, 'verb' | 'plural'>): Promise<ApiAnswer>
  refusal(call: Partial<ApiCall> & Pick<ApiCall, 'verb' | 'plural'>): Promise<StatusError>
}

/** An API server with every kind, tokens included, and the namespace `shop`. */
export async function anAccessWorld(): Promise<AccessWorld> {
  const clock = createVirtualClock()
  const realClock = createVirtualClock()
  const store = createMemoryStore({ freeze: true })
  const server = createApiServer({
    store,
    kinds: servedKinds,
    clock,
    realClock,
    random: createSeededRandom(11),
    log: createSilentLogger(),
    credentials: { adminToken: 'sesame', serviceAccountKey: aKey() },
  })
  const call: AccessWorld['call'] = (partial) =>
    server.call({ user: root, group: '', version: 'v1', ...(partial.plural !== 'namespaces' && { namespace: 'shop' }), ...partial })
  await call({ verb: 'create', plural: 'namespaces', object: { metadata: { name: 'shop' } } })
  const create = async (plural: string, object: object, namespace: string | undefined): Promise<void> => {
    await server.call({ user: root, verb: 'create', group: RBAC_GROUP, version: 'v1', plural, object, ...(namespace && { namespace }) })
  }
  return {
    server,
    store,
    clock,
    realClock,
    role: (name, rules, namespace, labels) =>
      create(namespace ? 'roles' : 'clusterroles', { metadata: { name, ...(labels && { labels }) }, rules }, namespace),
    bind(name, { role, clusterRole }, subjects, namespace) {
      const roleRef: RoleRef = { apiGroup: RBAC_GROUP, kind: clusterRole ? 'ClusterRole' : 'Role', name: (clusterRole ?? role)! }
      return create(namespace ? 'rolebindings' : 'clusterrolebindings', { metadata: { name }, roleRef, subjects }, namespace)
    },
    call,
    async refusal(partial) {
      try {
        await call(partial)
      } catch (error) {
        if (error instanceof StatusError) return error
        throw error
      }
      throw new Error('the call was not refused')
    },
  }
}
