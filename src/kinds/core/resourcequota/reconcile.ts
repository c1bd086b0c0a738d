import { groupResource, type Kind } from '../../../apimachinery/kind.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import type { Engines } from '../../engines.js'
import { quantityText } from '../limitrange/admission.js'
import type { Amounts } from '../pod/resources.js'
import { resourceQuotaKind } from './kind.js'
import type { ResourceQuota } from './schema.js'
import { isInScope, resourceCountedAs, usageOf } from './usage.js'

/**
 * Shows how much of each quota is used. Nothing is decided by it: admission counts for itself. Only kinds that some quota limits are
 * followed.
 * @see kubernetes/kubernetes v1.35 pkg/controller/resourcequota/resource_quota_controller.go
 */
export function createResourceQuotaController(engines: Pick<Engines, 'kinds' | 'onKinds'>): Controller<ResourceQuota> {
  return {
    kind: resourceQuotaKind,
    actsAs: 'system:serviceaccount:kube-system:resourcequota-controller',
    create(deps) {
      const quotas = deps.informer(resourceQuotaKind)
      const followed = new Set<string>()
      const wakeAll = (namespace?: string): void => {
        for (const { metadata } of quotas.list(namespace)) deps.wake(metadata)
      }
      const endKinds = engines.onKinds?.(({ removed }) => {
        for (const kind of removed) followed.delete(groupResource(kind))
        wakeAll()
      })
      if (endKinds) deps.stopped.addEventListener('abort', endKinds)
      const follow = (kind: Kind): void => {
        const name = groupResource(kind)
        if (followed.has(name)) return
        followed.add(name)
        deps.informer(kind).onChange(({ object }) => wakeAll(object.metadata.namespace))
      }
      return (quota) => reconcile(deps, engines, follow, quota)
    },
  }
}

async function reconcile(
  { client, clock }: ReconcilerDeps,
  { kinds }: Pick<Engines, 'kinds'>,
  follow: (kind: Kind) => void,
  quota: ResourceQuota,
): Promise<Outcome<ResourceQuota>> {
  const hard = quota.spec.hard ?? {}
  const names = Object.keys(hard)
  const resources = new Set(names.flatMap((name) => resourceCountedAs(name) ?? []))
  const used: Amounts = new Map()
  for (const kind of kinds()) {
    const resource = groupResource(kind)
    if (!kind.namespaced || !resources.has(resource)) continue
    follow(kind)
    for (const name of names) if (resourceCountedAs(name) === resource) used.set(name, 0n)
    // Asked of the server, not the cache: it may have just been started.
    for (const object of await client.list(kind, quota.metadata.namespace)) {
      if (!isInScope(quota, resource, object)) continue
      for (const [name, amount] of usageOf(resource, object, clock.now())) if (used.has(name)) used.set(name, used.get(name)! + amount)
    }
  }
  const shown = names.flatMap((name) => (used.has(name) ? [[name, quantityText(used.get(name)!, String(hard[name]))]] : []))
  return { status: { hard, used: Object.fromEntries(shown) } }
}
