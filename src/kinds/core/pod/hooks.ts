import type { Clock } from '../../../base/clock.js'
import { KUBERNETES_VERSION } from '../../../base/versions.js'
import type { ProbeTarget, RunProbe } from '../../engines.js'
import { type Container, type Hook, type Pod, QUEUE_PROXY } from './schema.js'

/** The hooks of one container, in real time. */
export interface ContainerHooks {
  /** Runs `postStart`, if there is one; resolves with whether the container may go on. */
  afterStart(pod: Pod, container: Container): Promise<boolean>
  /**
   * Runs `preStop`, once for a container's run, and waits for it as long as `graceMs` lasts. Resolves with what is left of it: some, so
   * that a program whose hook took all of it still has a moment.
   */
  beforeStop(pod: Pod, container: Container, graceMs: number): Promise<number>
}

/** No hook is stopped at its container's start by time alone (pkg/kubelet/lifecycle/handlers.go); this is as good as never. */
const NO_LIMIT_MS = 24 * 60 * 60 * 1000
/** What is left to a program although its hook took all of the grace (pkg/kubelet/kuberuntime minimumGracePeriodInSeconds). */
const LEAST_GRACE_MS = 2000
const USER_AGENT = `kube-lifecycle/${KUBERNETES_VERSION.major}.${KUBERNETES_VERSION.minor}`
/** Where a queue-proxy answers when its requests are answered; what stands behind that is the gateway's. */
const DRAIN_PATH = '/wait-for-drain'

/** The hook that a container's program is ended with; undefined for Knative's own, which the gateway stands for. */
export function preStopOf({ spec }: Pod, { lifecycle }: Container): Hook | undefined {
  const hook = lifecycle?.preStop
  const isKnatives = hook?.httpGet?.path === DRAIN_PATH && spec.containers.some(({ name }) => name === QUEUE_PROXY)
  return isKnatives ? undefined : hook
}

/**
 * Hooks against `target`. `onProblem` is told the reason and the words of the Event, which say nothing of what went wrong, lest a secret
 * be shown.
 * @see kubernetes/kubernetes v1.35 pkg/kubelet/kuberuntime/kuberuntime_container.go, executePreStopHook
 */
export function createHooks(options: {
  target: ProbeTarget
  run: RunProbe
  clock: Clock
  onProblem(reason: string, message: string): void
}): ContainerHooks {
  const { target, run, clock, onProblem } = options
  let stopping: Promise<void> | undefined

  const runHook = async ({ exec, httpGet, sleep }: Hook, timeoutMs: number): Promise<boolean> => {
    if (sleep) {
      await clock.sleep(Math.min(sleep.seconds * 1000, timeoutMs))
      return true
    }
    if (exec) return (await run({ exec }, target, { timeoutMs })).ok
    if (!httpGet) return false
    const headers = httpGet.httpHeaders ?? []
    const hasAgent = headers.some(({ name }) => name.toLowerCase() === 'user-agent')
    const httpHeaders = hasAgent ? headers : [...headers, { name: 'User-Agent', value: USER_AGENT }]
    const { ok, message } = await run({ httpGet: { ...httpGet, httpHeaders } }, target, { timeoutMs })
    // That it was answered is enough, whatever the answer.
    return ok || message.includes('statuscode')
  }

  return {
    async afterStart(_pod, { lifecycle }) {
      const hook = lifecycle?.postStart
      if (!hook || (await runHook(hook, NO_LIMIT_MS))) return true
      onProblem('FailedPostStartHook', 'PostStartHook failed')
      return false
    },
    async beforeStop(pod, container, graceMs) {
      const hook = preStopOf(pod, container)
      if (!hook || graceMs <= 0) return graceMs
      const startedMs = clock.now()
      stopping ??= runHook(hook, graceMs).then((isDone) => {
        if (!isDone) onProblem('FailedPreStopHook', 'PreStopHook failed')
      })
      const patience = new AbortController()
      await Promise.race([stopping, clock.sleep(graceMs, patience.signal).catch(() => {})])
      patience.abort()
      return Math.max(graceMs - (clock.now() - startedMs), Math.min(graceMs, LEAST_GRACE_MS))
    },
  }
}
