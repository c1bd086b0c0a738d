import { age } from '../../../apimachinery/age.js'
import type { ContainerStatus, Pod, PodStatus } from './schema.js'

/** Reason of a Pod on a node that is gone; shown as Unknown (pkg/util/node NodeUnreachablePodReason). */
const NODE_LOST = 'NodeLost'

/** `2/2`: ready containers of all. */
export function readyCell({ spec, status }: Pod): string {
  const ready = (status?.containerStatuses ?? []).filter((container) => container.ready && container.state.running).length
  return `${ready}/${spec.containers.length}`
}

/** `3 (5m ago)`: how often containers were restarted, and when last. */
export function restartsCell({ status }: Pod, nowMs: number): string {
  const isInitializing = status?.initContainerStatuses?.some((container) => container.state.terminated?.exitCode !== 0) ?? false
  const counted = (isInitializing ? status?.initContainerStatuses : status?.containerStatuses) ?? []
  const restarts = counted.reduce((sum, { restartCount }) => sum + restartCount, 0)
  const ended = counted.map(({ lastState }) => lastState.terminated?.finishedAt).filter((at) => at !== undefined)
  if (restarts === 0 || ended.length === 0) return String(restarts)
  return `${restarts} (${age(ended.sort().at(-1), nowMs)} ago)`
}

/**
 * The Status column of `kubectl get pods`: the phase, or what is most telling about the containers.
 * @see kubernetes/kubernetes v1.35 pkg/printers/internalversion/printers.go printPod
 */
export function statusCell(pod: Pod): string {
  const { spec, status = {}, metadata } = pod
  const isTerminal = status.phase === 'Succeeded' || status.phase === 'Failed'
  const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled')
  let cell: string = status.reason || (status.phase ?? '')
  if (scheduled?.reason === 'SchedulingGated') cell = 'SchedulingGated'
  const initializing = initCell(status, spec.initContainers?.length ?? 0)
  if (initializing) cell = initializing
  else cell = containersCell(status, cell)
  if (!metadata.deletionTimestamp) return cell
  if (status.reason === NODE_LOST) return 'Unknown'
  return isTerminal ? cell : 'Terminating'
}

function initCell({ initContainerStatuses = [] }: PodStatus, count: number): string | undefined {
  for (const [index, { state }] of initContainerStatuses.entries()) {
    const { terminated, waiting } = state
    if (terminated?.exitCode === 0) continue
    if (terminated) return `Init:${endedCell(terminated)}`
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`
    return `Init:${index}/${count}`
  }
  return undefined
}

function containersCell(status: PodStatus, otherwise: string): string {
  let cell = otherwise
  let hasRunning = false
  // From the last to the first, so that the first has the last word.
  for (const { state, ready } of [...(status.containerStatuses ?? [])].reverse()) {
    if (state.waiting?.reason) cell = state.waiting.reason
    else if (state.terminated) cell = endedCell(state.terminated)
    else if (ready && state.running) hasRunning = true
  }
  if (cell !== 'Completed' || !hasRunning) return cell
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ? 'Running' : 'NotReady'
}

function endedCell({ reason, signal, exitCode }: NonNullable<ContainerStatus['state']['terminated']>): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`)
}
