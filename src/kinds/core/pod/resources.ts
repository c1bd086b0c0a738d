import { parseQuantity } from '../../../apimachinery/quantity.js'
import type { Container, PodSpec } from './schema.js'

/** Amounts by resource, in billionths of their units. */
export type Amounts = Map<string, bigint>

/**
 * What a Pod as a whole requests or is limited to: the sum of its containers and sidecars, or what an init container needs while
 * it runs, whichever is more, and the overhead of its runtime class.
 * @see kubernetes/kubernetes v1.35 staging/src/k8s.io/component-helpers/resource/helpers.go, PodRequests and PodLimits
 */
export function podAmounts(
  { containers, initContainers = [], overhead, resources: ofPod }: PodSpec,
  which: 'requests' | 'limits',
): Amounts {
  const total: Amounts = new Map()
  for (const container of containers) add(total, amountsOf(container, which))
  const sidecars: Amounts = new Map()
  const most: Amounts = new Map()
  for (const container of initContainers) {
    const own = amountsOf(container, which)
    if (container.restartPolicy === 'Always') {
      add(total, own)
      add(sidecars, own)
      raise(most, sidecars)
    } else {
      const meanwhile = new Map(own)
      add(meanwhile, sidecars)
      raise(most, meanwhile)
    }
  }
  raise(total, most)
  // What is said for the Pod as a whole counts before what is said for its parts.
  const whole = (ofPod as Container['resources'])?.[which]
  for (const [name, amount] of amountsIn(whole)) total.set(name, amount)
  for (const [name, amount] of amountsIn(overhead as Record<string, string> | undefined))
    if (which === 'requests' || total.has(name)) total.set(name, (total.get(name) ?? 0n) + amount)
  return total
}

function amountsOf({ resources }: Container, which: 'requests' | 'limits'): Amounts {
  return amountsIn(resources?.[which])
}

/** Quantities by name as amounts; what is no quantity is left out. */
export function amountsIn(quantities: Readonly<Record<string, string | number>> | undefined): Amounts {
  const found: Amounts = new Map()
  for (const [name, text] of Object.entries(quantities ?? {})) {
    const amount = parseQuantity(String(text))
    if (amount !== undefined) found.set(name, amount)
  }
  return found
}

function add(total: Amounts, more: Amounts): void {
  for (const [name, amount] of more) total.set(name, (total.get(name) ?? 0n) + amount)
}

function raise(total: Amounts, least: Amounts): void {
  for (const [name, amount] of least) if (amount > (total.get(name) ?? -1n)) total.set(name, amount)
}
