import type { AdmissionPlugin } from '../../../apimachinery/admission-plugin.js'
import type { Kind } from '../../../apimachinery/kind.js'
import { refusals } from '../../../apimachinery/status-error.js'
import { quantityText } from '../limitrange/admission.js'
import { type Amounts, amountsIn } from '../pod/resources.js'
import type { Pod } from '../pod/schema.js'
import { resourceQuotaKind } from './kind.js'
import { isInScope, resourceCountedAs, silenceOf, usageOf } from './usage.js'

/** Of these, what an update adds counts too. */
const COUNTED_ON_UPDATE: ReadonlySet<string> = new Set(['services', 'persistentvolumeclaims'])

/**
 * Refuses what would exceed a quota of its namespace. What is used is counted anew from what is stored at this moment, writes that
 * are only accepted included, in the same step that accepts this one: no two writes can share the last place.
 * @see kubernetes/apiserver v0.35 pkg/admission/plugin/resourcequota/controller.go, CheckRequest
 */
export const resourceQuotas: AdmissionPlugin = {
  count(object, { kind, resource, namespace, context }) {
    const { operation, subresource, old, nowMs } = context
    if (namespace === undefined || subresource !== '') return
    if (operation === 'UPDATE' && !COUNTED_ON_UPDATE.has(resource)) return
    const quotas = context.list(resourceQuotaKind, namespace)
    if (quotas.length === 0) return
    const forbid = (why: string) => refusals.forbidden({ group: kind.group, plural: kind.plural }, object.metadata.name, why)

    for (const quota of [...quotas].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      const hard = amountsIn(quota.spec.hard)
      const limited = [...hard.keys()].filter((name) => resourceCountedAs(name) === resource)
      if (limited.length === 0 || !isInScope(quota, resource, object)) continue
      const silence = resource === 'pods' ? silenceOf(object as Pod, limited) : undefined
      if (silence) throw forbid(`failed quota: ${quota.metadata.name}: ${silence}`)

      const before = old && isInScope(quota, resource, old) ? usageOf(resource, old, nowMs) : undefined
      const asked = usageOf(resource, object, nowMs)
      const requested: Amounts = new Map(limited.map((name) => [name, (asked.get(name) ?? 0n) - (before?.get(name) ?? 0n)]))
      if (![...requested.values()].some((amount) => amount > 0n)) continue
      const used: Amounts = new Map(limited.map((name) => [name, 0n]))
      for (const other of context.list(storedKind(kind, resource), namespace)) {
        if (!isInScope(quota, resource, other)) continue
        const usage = usageOf(resource, other, nowMs)
        for (const name of limited) used.set(name, used.get(name)! + (usage.get(name) ?? 0n))
      }
      const exceeded = limited.filter((name) => requested.get(name)! > 0n && used.get(name)! + requested.get(name)! > hard.get(name)!)
      if (exceeded.length === 0) continue
      const told = (amounts: Amounts): string =>
        exceeded
          .sort()
          .map((name) => `${name}=${quantityText(amounts.get(name)!, String(quota.spec.hard![name]))}`)
          .join(',')
      throw forbid(`exceeded quota: ${quota.metadata.name}, requested: ${told(requested)}, used: ${told(used)}, limited: ${told(hard)}`)
    }
  },
}

/** The kind under whose name the store keeps the objects, where that is another one than the sender's. */
function storedKind(kind: Kind, resource: string): Kind {
  const [plural, ...group] = resource.split('.')
  return { ...kind, plural: plural!, group: group.join('.') }
}
