import { type ContainerRun, createContainerRun, type PodSurroundings } from './container-run.js'
import { servingContainer } from './ports.js'
import { createQueueProxyRun } from './queue-proxy-run.js'
import { type ContainerStatus, type Pod, type PodStatus, QUEUE_PROXY } from './schema.js'
import { podStatusFrom } from './status.js'

/** What runs of one Pod, while the emulator knows it. */
export interface PodWorker {
  /** Starts, restarts and stops what the Pod as it is now asks for; never waits. */
  sync(pod: Pod): void
  status(pod: Pod): PodStatus
  /** Milliseconds of virtual time until something is due by itself. */
  dueInMs(): number | undefined
  /** A ConfigMap or Secret of the namespace changed. */
  retryConfiguration(): void
  /** Everything has ended and stays so. */
  isOver(): boolean
  /** Ends everything, politely for `graceMs` of real time; a second call may only hurry. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>
  /** Lets go without ending anything: no probes, no restarts. */
  release(): void
}

const DEFAULT_GRACE_SECONDS = 30

/** Drives the containers of a Pod: init containers one after the other, then all others at once. */
export function createPodWorker(firstPod: Pod, surroundings: PodSurroundings): PodWorker {
  const { deps, podIP, hostIP } = surroundings
  const before = (name: string, statuses: readonly ContainerStatus[] | undefined): ContainerStatus | undefined =>
    surroundings.isRestored ? statuses?.find((status) => status.name === name) : undefined
  const { spec, status } = firstPod
  const init = (spec.initContainers ?? []).map((container) =>
    createContainerRun(container, firstPod, surroundings, { isInit: true, before: before(container.name, status?.initContainerStatuses) }),
  )
  const workloads = new Map<string, ContainerRun>()
  for (const container of spec.containers) {
    if (isQueueProxy(container.name)) continue
    const options = { isInit: false, before: before(container.name, status?.containerStatuses) }
    workloads.set(container.name, createContainerRun(container, firstPod, surroundings, options))
  }
  const serving = workloads.get(servingContainer(spec.containers)?.name ?? '')
  const runs = spec.containers.flatMap((container) => {
    const workload = workloads.get(container.name)
    if (workload) return [workload]
    if (!serving) return []
    return [
      createQueueProxyRun(container, firstPod, surroundings, { user: serving, before: before(container.name, status?.containerStatuses) }),
    ]
  })
  let graceMs = Number.POSITIVE_INFINITY

  const hasFinished = (run: ContainerRun): boolean => run.isOver() && run.status().state.terminated?.exitCode === 0
  const isInitialized = (): boolean => init.every(hasFinished)

  const stop = async (asked: number): Promise<void> => {
    if (asked >= graceMs) return
    const isFirst = graceMs === Number.POSITIVE_INFINITY
    graceMs = asked
    await Promise.all([...init, ...runs].map((run) => (isFirst || !run.isOver() ? run.stop(asked) : undefined)))
    surroundings.changed()
  }

  return {
    sync(pod) {
      const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
      if (deletionTimestamp) {
        const graceSeconds = deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS
        if (graceMs === Number.POSITIVE_INFINITY) {
          for (const run of runs)
            if (run.status().state.running)
              deps.event(pod, 'Normal', 'Killing', `Stopping container ${run.name}`, { fieldPath: `spec.containers{${run.name}}` })
        }
        deps.busy(stop(graceSeconds * 1000))
        return
      }
      for (const run of init) {
        run.sync(pod)
        if (!hasFinished(run)) return
      }
      for (const run of runs) run.sync(pod)
    },
    status(pod) {
      const initialized = isInitialized()
      const shown = runs.map((run) => {
        const current = run.status()
        if (initialized || !current.state.waiting) return current
        return { ...current, state: { waiting: { reason: 'PodInitializing' } } }
      })
      const facts = { podIP, hostIP, nowMs: deps.clock.now() }
      return podStatusFrom(pod, { ...facts, init: init.map((run) => run.status()), containers: shown })
    },
    dueInMs() {
      const dues = [...init, ...runs].flatMap((run) => run.dueInMs() ?? [])
      return dues.length > 0 ? Math.min(...dues) : undefined
    },
    retryConfiguration() {
      if ([...init, ...runs].filter((run) => run.retryConfiguration()).length > 0) surroundings.changed()
    },
    isOver: () => [...init, ...runs].every((run) => run.isOver()),
    stop,
    release() {
      for (const run of [...init, ...runs]) run.release()
    },
  }
}

function isQueueProxy(name: string): boolean {
  return name === QUEUE_PROXY
}
