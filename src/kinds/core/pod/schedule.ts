import type { Node } from '../node/schema.js'
import type { Pod } from './schema.js'

/** Pods a Node takes when it does not say (kubelet --max-pods). */
const DEFAULT_MAX_PODS = 110

/** What the one Node says to a Pod: nothing, or why not, in the scheduler's words. */
export function refusalOf(pod: Pod, node: Node | undefined, podsOnNode: number): string | undefined {
  const why = problemOf(pod, node, podsOnNode)
  return why && `0/1 nodes are available: ${why}. preemption: 0/1 nodes are available: ${preemption(why)}.`
}

/** The gates that hold a Pod back; empty for most. */
export function schedulingGates({ spec }: Pod): string[] {
  return ((spec['schedulingGates'] ?? []) as { name: string }[]).map(({ name }) => name)
}

/** Whether a Pod takes a place on the Node. */
export function takesPlace({ spec, status }: Pod): boolean {
  return Boolean(spec.nodeName) && status?.phase !== 'Succeeded' && status?.phase !== 'Failed'
}

const TOO_MANY = '1 Too many pods'

/** @see kubernetes/kubernetes v1.35 pkg/scheduler/framework/plugins */
function problemOf({ spec }: Pod, node: Node | undefined, podsOnNode: number): string | undefined {
  if (node?.spec?.unschedulable && !toleratesUnschedulable(spec)) return '1 node(s) were unschedulable'
  const selector = Object.entries((spec['nodeSelector'] ?? {}) as Record<string, string>)
  if (!selector.every(([key, value]) => node?.metadata.labels?.[key] === value))
    return "1 node(s) didn't match Pod's node affinity/selector"
  const most = Number(node?.status?.allocatable?.['pods'] ?? node?.status?.capacity?.['pods'] ?? DEFAULT_MAX_PODS)
  return podsOnNode >= most ? TOO_MANY : undefined
}

function preemption(why: string): string {
  return why === TOO_MANY ? '1 No preemption victims found for incoming pod' : '1 Preemption is not helpful for scheduling'
}

function toleratesUnschedulable(spec: Pod['spec']): boolean {
  const tolerations = (spec['tolerations'] ?? []) as { key?: string; operator?: string; effect?: string }[]
  return tolerations.some(
    ({ key, operator, effect }) =>
      (key === 'node.kubernetes.io/unschedulable' || (!key && operator === 'Exists')) && (!effect || effect === 'NoSchedule'),
  )
}
