import type { Clock } from '../../../base/clock.js'
import { type ContainerRun, createContainerRun, type PodSurroundings } from './container-run.js'
import { preStopOf } from './hooks.js'
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
  /**
   * Ends everything within `graceMs` of real time; a second call may only hurry. Programs are told to end once the requests that
   * are in flight are answered, which is part of the grace. Resolves when all have ended.
   */
  stop(graceMs: number): Promise<void>
  /** Lets go without ending anything: no probes, no restarts. */
  release(): void
}

const DEFAULT_GRACE_SECONDS = 30
/** So much is left to programs although their Pod's requests took all of the grace (pkg/kubelet/kuberuntime minimumGracePeriodInSeconds). */
const LEAST_GRACE_MS = 2000

/** How long "settled" waits for requests that are in flight and for hooks, in real time: how long those take is nobody's here. */
const SETTLING_MS = 2000

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
  const sidecars = runs.filter(({ name }) => isQueueProxy(name))
  let graceMs = Number.POSITIVE_INFINITY
  const hurry = new AbortController()

  const isOver = (): boolean => [...init, ...runs].every((run) => run.isOver())
  const hasFinished = (run: ContainerRun): boolean => run.isOver() && run.status().state.terminated?.exitCode === 0
  const isInitialized = (): boolean => init.every(hasFinished)

  /** What a queue-proxy's preStop hook does: no new requests, and those that are there are answered. */
  const drain = async (withinMs: number): Promise<void> => {
    const { drained, realClock } = surroundings.engines
    if (!drained || sidecars.length === 0) return
    for (const sidecar of sidecars) sidecar.drain?.()
    surroundings.changed()
    const cancel = realClock.after(withinMs, () => hurry.abort())
    await drained(firstPod.metadata.uid!, hurry.signal)
    cancel()
  }
  const stop = async (asked: number): Promise<void> => {
    if (asked >= graceMs) return
    const isFirst = graceMs === Number.POSITIVE_INFINITY
    const { realClock } = surroundings.engines
    const startedMs = realClock.now()
    graceMs = asked
    if (isFirst && asked > 0) await drain(asked)
    else hurry.abort()
    const leftMs = Math.max(asked - (realClock.now() - startedMs), Math.min(asked, LEAST_GRACE_MS))
    const ending = end(leftMs, isFirst)
    const hasHooks = firstPod.spec.containers.some((container) => preStopOf(firstPod, container))
    deps.busy(hasHooks ? within(ending, SETTLING_MS, realClock) : ending)
    await ending
    surroundings.changed()
  }
  const end = async (withinMs: number, isFirst: boolean): Promise<void> => {
    const programs = [...init, ...runs].filter((run) => !sidecars.includes(run))
    await Promise.all(programs.map((run) => (isFirst || !run.isOver() ? run.stop(withinMs) : undefined)))
    // Last, so that its log has room for what the gateway has to say of the last requests.
    await Promise.all(sidecars.map((sidecar) => sidecar.stop(withinMs)))
  }

  return {
    sync(pod) {
      const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
      if (deletionTimestamp) {
        for (const run of [...init, ...runs]) run.sync(pod)
        const graceSeconds = deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS
        if (graceMs === Number.POSITIVE_INFINITY) {
          for (const run of runs)
            if (run.status().state.running)
              deps.event(pod, 'Normal', 'Killing', `Stopping container ${run.name}`, { fieldPath: `spec.containers{${run.name}}` })
        }
        deps.busy(within(stop(graceSeconds * 1000), SETTLING_MS, surroundings.engines.realClock))
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
      return podStatusFrom(pod, { ...facts, init: init.map((run) => run.status()), containers: shown, isOver: isOver() })
    },
    dueInMs() {
      const dues = [...init, ...runs].flatMap((run) => run.dueInMs() ?? [])
      return dues.length > 0 ? Math.min(...dues) : undefined
    },
    retryConfiguration() {
      if ([...init, ...runs].filter((run) => run.retryConfiguration()).length > 0) surroundings.changed()
    },
    isOver,
    stop,
    release() {
      for (const run of [...init, ...runs]) run.release()
    },
  }
}

/** Resolves when the work has ended, or after `ms`. */
function within(work: Promise<void>, ms: number, clock: Pick<Clock, 'after'>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, resolve)
    work.then(resolve, reject).finally(cancel)
  })
}

function isQueueProxy(name: string): boolean {
  return name === QUEUE_PROXY
}
