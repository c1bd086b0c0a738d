import { timestamp } from '../../../apimachinery/object.js'
import { podCondition } from './conditions.js'
import { qosClassOf } from './qos.js'
import type { ContainerStatus, Pod, PodCondition, PodStatus } from './schema.js'

export interface PodFacts {
  init: readonly ContainerStatus[]
  containers: readonly ContainerStatus[]
  podIP: string
  hostIP: string
  nowMs: number
  /** All containers have ended and none is started again. */
  isOver: boolean
}

/**
 * The status of a Pod that has a Node, from the statuses of its containers.
 * @see kubernetes/kubernetes v1.35 pkg/kubelet/kubelet_pods.go generateAPIPodStatus, pkg/kubelet/status/generate.go
 */
export function podStatusFrom(pod: Pod, facts: PodFacts): PodStatus {
  const { init, containers, podIP, hostIP, nowMs } = facts
  const phase = phaseOf(pod, facts)
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const overReason = phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed'
  const condition = (type: string, isTrue: boolean, reason?: string, message?: string): PodCondition =>
    podCondition(
      pod.status?.conditions,
      { type, status: isTrue ? 'True' : 'False', ...(reason && { reason }), ...(message && { message }) },
      { nowMs, generation: pod.metadata.generation },
    )
  const unfinished = init.filter(({ state }) => state.terminated?.exitCode !== 0).map(({ name }) => name)
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name)
  const readiness = (type: string): PodCondition => {
    if (isOver) return condition(type, false, overReason)
    if (unready.length === 0) return condition(type, true)
    return condition(type, false, 'ContainersNotReady', `containers with unready status: [${unready.join(' ')}]`)
  }
  const initialized = (): PodCondition => {
    if (phase === 'Succeeded') return condition('Initialized', true, overReason)
    if (unfinished.length === 0) return condition('Initialized', true)
    return condition('Initialized', false, 'ContainersNotInitialized', `containers with incomplete status: [${unfinished.join(' ')}]`)
  }
  const isUp = [...init, ...containers].some(({ state }) => state.running)
  const startTime = pod.status?.startTime ?? timestamp(nowMs)
  return {
    phase,
    conditions: [
      condition('PodReadyToStartContainers', isUp || !isOver),
      initialized(),
      readiness('Ready'),
      readiness('ContainersReady'),
      condition('PodScheduled', true),
      ...(pod.status?.conditions ?? []).filter(({ type }) => !OWN_CONDITIONS.has(type)),
    ],
    hostIP,
    hostIPs: [{ ip: hostIP }],
    podIP,
    podIPs: [{ ip: podIP }],
    startTime,
    ...(init.length > 0 && { initContainerStatuses: [...init] }),
    containerStatuses: [...containers],
    qosClass: pod.status?.qosClass ?? qosClassOf(pod.spec),
  }
}

/** Others belong to whoever set them, for a readiness gate say. */
const OWN_CONDITIONS = new Set(['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'])

/** The status of a Pod that no Node will have: it waits. */
export function unscheduledStatus(pod: Pod, reason: string, message: string, nowMs: number): PodStatus {
  const verdict = { type: 'PodScheduled', status: 'False' as const, reason, message }
  return {
    phase: 'Pending',
    conditions: [podCondition(pod.status?.conditions, verdict, { nowMs, generation: pod.metadata.generation })],
    qosClass: pod.status?.qosClass ?? qosClassOf(pod.spec),
  }
}

function phaseOf({ spec }: Pod, { init, containers, isOver }: PodFacts): NonNullable<PodStatus['phase']> {
  const failedInit = init.find(({ state }) => state.terminated && state.terminated.exitCode !== 0)
  if (failedInit && spec.restartPolicy === 'Never') return 'Failed'
  if (init.some(({ state }) => state.terminated?.exitCode !== 0)) return 'Pending'
  let [waiting, running, stopped, succeeded] = [0, 0, 0, 0]
  for (const { state, lastState } of containers) {
    if (state.running) running++
    else if (state.terminated) {
      stopped++
      if (state.terminated.exitCode === 0) succeeded++
    } else if (lastState.terminated) stopped++
    else waiting++
  }
  if (waiting > 0) return 'Pending'
  if (running > 0) return 'Running'
  // A Pod that was ended for good is told to have succeeded or failed before it goes, whatever its policy.
  if (isOver) return stopped === succeeded ? 'Succeeded' : 'Failed'
  if (spec.restartPolicy === 'Always') return 'Running'
  if (stopped === succeeded) return 'Succeeded'
  return spec.restartPolicy === 'Never' ? 'Failed' : 'Running'
}
