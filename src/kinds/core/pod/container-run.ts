import { timestamp } from '../../../apimachinery/object.js'
import type { ReconcilerDeps } from '../../../controller/reconcile.js'
import type { RunnableImage, RunningContainer } from '../../../runtime/runtime.js'
import type { Engines, ProbeTarget } from '../../engines.js'
import { createBackoff, goSeconds } from './backoff.js'
import { type Phase, stateOf, type Terminated } from './container-phase.js'
import { containerEnvironment } from './environment.js'
import { type ContainerHooks, createHooks } from './hooks.js'
import { loopbackPort, type PodPorts } from './ports.js'
import type { Container, ContainerState, ContainerStatus, Pod } from './schema.js'
import { unsupportedReason } from './unsupported.js'
import { watchContainer } from './watch-container.js'

/** A container of a Pod, from its first start to its last end. Methods never wait: what they set going calls `changed`. */
export interface ContainerRun {
  readonly name: string
  /** Starts it if it should run and does not. `pod` is the Pod as it is now. */
  sync(pod: Pod): void
  status(): ContainerStatus
  /** SIGTERM, then SIGKILL after the grace; it is not started again. Resolves when it has ended. */
  stop(graceMs: number): Promise<void>
  /** A ConfigMap or Secret changed: what could not be put together may be now. Says whether it waits for that. */
  retryConfiguration(): boolean
  /** Its Pod is on its way out, and what is in flight may end: it is not ready any more. */
  drain?(): void
  /** Milliseconds until time alone changes something. */
  dueInMs(): number | undefined
  /** It has ended, and nothing will start it again. */
  isOver(): boolean
  /** Lets go without ending it: no probes, no restart, no word about its end. */
  release(): void
}

/** The engines that Pods are run with. */
export type PodEngines = Pick<Engines, 'runtime' | 'images' | 'probe' | 'environment' | 'realClock' | 'drained'>

/** What a container shares with the others of its Pod. */
export interface PodSurroundings {
  engines: PodEngines
  deps: Pick<ReconcilerDeps, 'client' | 'clock' | 'event' | 'busy' | 'log'>
  ports: PodPorts
  podIP: string
  hostIP: string
  allocatable(): Readonly<Record<string, string>>
  /** Whether the emulator found this Pod in its store rather than saw it made. */
  isRestored: boolean
  changed(): void
}

/** What a kubelet reports of containers that a reboot of its machine ended. */
const LOST = { exitCode: 255, reason: 'Unknown' }
const EPOCH = timestamp(0)
const DEFAULT_GRACE_SECONDS = 30
/** The exit code of a container whose program could not be started (containerd, runc). */
const START_ERROR_CODE = 128
/** How much of the log becomes a termination message (pkg/kubelet/container MaxContainerTerminationMessageLogLength). */
const MESSAGE_BYTES = 2048
/** How often a configuration that lacks something is looked at again; its ConfigMap or Secret wakes the Pod sooner. */
const CONFIG_RETRY_MS = 10_000
/** How long a failed pull is shown as such before it is shown as waiting for the next. */
const PULL_ERROR_SHOWN_MS = 2000
/** How long "settled" waits for a container that starts to be ready, in real time. */
const STARTING_MS = 2000

const NOT_STARTED: NonNullable<ContainerState['waiting']> = { reason: 'ContainerCreating' }

/** Runs one container with restarts, back-off and probes. `isInit`: it is to end, and has neither port nor probes. */
export function createContainerRun(
  spec: Container,
  firstPod: Pod,
  surroundings: PodSurroundings,
  { isInit, before }: { isInit: boolean; before: ContainerStatus | undefined },
): ContainerRun {
  const { engines, deps, ports } = surroundings
  const { runtime, realClock } = engines
  const { clock } = deps
  const restarts = createBackoff({ immediately: 1 })
  const pulls = createBackoff({ immediately: 0 })
  let pod = firstPod
  let container = spec
  let phase: Phase = { is: 'waiting', ...NOT_STARTED, untilMs: 0 }
  let lastEnd = before?.lastState.terminated
  let endBefore: Terminated | undefined
  let restartCount = before?.restartCount ?? 0
  let wasStarted =
    before !== undefined &&
    (before.state.terminated !== undefined || before.state.running !== undefined || before.lastState.terminated !== undefined)
  let imageID = before?.imageID ?? ''
  let containerID = before?.containerID
  let isStarted = false
  let isReady = false
  let isStopping = false
  let isReleased = false
  let pullProblem = ''
  let pullBackoffFromMs = 0
  let stopProbers: () => void = () => {}
  let markStarted: () => void = () => {}
  let hooks: ContainerHooks
  let ended: Promise<void> = Promise.resolve()

  /** What ended last, but for an end that is its present state. */
  const lastState = (): ContainerState => {
    const terminated = stateOf(phase).terminated ? endBefore : lastEnd
    return terminated ? { terminated } : {}
  }
  const where = { fieldPath: `spec.${isInit ? 'initContainers' : 'containers'}{${spec.name}}` }
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void => deps.event(pod, type, reason, message, where)
  const podText = (): string => `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
  const enter = (next: Phase): void => {
    phase = next
    surroundings.changed()
  }

  const restartsAfter = (exitCode: number): boolean => {
    if (isStopping || pod.metadata.deletionTimestamp) return false
    if (isInit) return exitCode !== 0 && pod.spec.restartPolicy !== 'Never'
    return pod.spec.restartPolicy === 'Always' || (pod.spec.restartPolicy === 'OnFailure' && exitCode !== 0)
  }

  const noteEnd = (terminated: Terminated): void => {
    endBefore = lastEnd
    lastEnd = terminated
  }
  const afterEnd = (terminated: Terminated): void => {
    isReady = false
    isStarted = false
    markStarted()
    noteEnd(terminated)
    if (restartsAfter(terminated.exitCode)) {
      const nowMs = clock.now()
      enter({ is: 'restarting', terminated, untilMs: nowMs + restarts.next(nowMs), isTold: false })
    } else enter({ is: 'ended', terminated })
  }
  const waitToRestart = (untilMs: number): void => {
    tell('Warning', 'BackOff', `Back-off restarting failed container ${spec.name} in pod ${podText()}`)
    const message = `back-off ${goSeconds(untilMs - clock.now())} restarting failed container=${spec.name} pod=${podText()}`
    enter({ is: 'waiting', reason: 'CrashLoopBackOff', message, untilMs })
  }

  const onPullProblem = (problem: string): void => {
    const { image, imagePullPolicy } = container
    if (imagePullPolicy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`
      tell('Warning', 'ErrImageNeverPull', message)
      tell('Warning', 'Failed', 'Error: ErrImageNeverPull')
      enter({ is: 'waiting', reason: 'ErrImageNeverPull', message, untilMs: clock.now() + pulls.next(clock.now()) })
      return
    }
    const waitMs = pulls.next(clock.now())
    const untilMs = clock.now() + waitMs
    const text = `failed to pull and unpack image "${image}": ${problem}`
    tell('Normal', 'Pulling', `Pulling image "${image}"`)
    tell('Warning', 'Failed', `Failed to pull image "${image}": ${text}`)
    tell('Warning', 'Failed', 'Error: ErrImagePull')
    pullProblem = text
    pullBackoffFromMs = clock.now() + PULL_ERROR_SHOWN_MS
    enter({ is: 'waiting', reason: 'ErrImagePull', message: text, untilMs })
  }

  /** After a moment a failed pull is a pull that waits, as it is after the kubelet's next look at the Pod. */
  const noteBackoff = (): void => {
    if (phase.is !== 'waiting' || phase.reason !== 'ErrImagePull' || clock.now() < pullBackoffFromMs) return
    tell('Normal', 'BackOff', `Back-off pulling image "${container.image}"`)
    tell('Warning', 'Failed', 'Error: ImagePullBackOff')
    const message = `Back-off pulling image "${container.image}": ErrImagePull: ${pullProblem}`
    enter({ is: 'waiting', reason: 'ImagePullBackOff', message, untilMs: phase.untilMs })
  }

  const start = async (): Promise<void> => {
    const unsupported = unsupportedReason(pod, container, isInit)
    if (unsupported) return onConfigProblem(unsupported)
    const found = await engines.images.resolve(container.image)
    if ('problem' in found) return onPullProblem(found.problem)
    const { image } = found
    imageID = `${image.repository}@${image.digest}`
    tell('Normal', 'Pulled', `Container image "${container.image}" already present on machine and can be accessed by the pod`)
    const { podIP, hostIP } = surroundings
    const port = isInit ? undefined : ports.own[spec.name]
    const source = {
      client: deps.client,
      environment: engines.environment,
      pod,
      podIP,
      hostIP,
      port,
      allocatable: surroundings.allocatable(),
    }
    const assembled = await containerEnvironment(container, source)
    if ('problem' in assembled) return onConfigProblem(assembled.problem)
    if (isStopping) {
      enter({ is: 'ended', terminated: neverRan() })
      return
    }
    await launch(image, assembled.env)
  }

  const onConfigProblem = (problem: string): void => {
    tell('Warning', 'Failed', `Error: ${problem}`)
    enter({ is: 'waiting', reason: 'CreateContainerConfigError', message: problem, untilMs: clock.now() + CONFIG_RETRY_MS })
  }

  const launch = async (image: RunnableImage, env: Record<string, string>): Promise<void> => {
    const attempt = wasStarted ? restartCount + 1 : 0
    const { namespace = '', name, uid = '' } = pod.metadata
    const expand = (words: readonly string[]): string[] => words.map((word) => engines.environment.expand(word, env))
    const request = {
      pod: { namespace, name, uid },
      container: spec.name,
      attempt,
      image,
      ...(container.command?.length && { command: expand(container.command) }),
      ...(container.args?.length && { args: expand(container.args) }),
      env,
      ...(container.workingDir && { workingDir: container.workingDir }),
      ...(container.stdin && { stdin: container.stdinOnce ? ('once' as const) : ('always' as const) }),
      ...(container.tty && { tty: true }),
    }
    let running: RunningContainer
    try {
      running = await runtime.start(request)
    } catch (error) {
      return onStartError(error as Error & { reason?: string }, attempt)
    }
    tell('Normal', 'Created', 'Container created')
    tell('Normal', 'Started', 'Container started')
    wasStarted = true
    restartCount = attempt
    containerID = running.id
    const startedAt = timestamp(clock.now())
    enter({ is: 'running', running, startedAt, image: container.image })
    ended = running.exited.then((exit) => {
      stopProbers()
      if (isReleased) return
      const terminated = {
        exitCode: exit.exitCode,
        reason: exit.exitCode === 0 ? 'Completed' : 'Error',
        ...messageOf(exit.exitCode, attempt),
        startedAt,
        finishedAt: timestamp(clock.now()),
        containerID: running.id,
      }
      afterEnd(terminated)
    })
    hooks = createHooks({
      target: targetOf(running),
      run: engines.probe,
      clock: realClock,
      onProblem: (reason, message) => tell('Warning', reason, message),
    })
    if (!isStopping) void afterStart(running)
  }

  /** Not awaited: how long a program's own hook takes is nobody's here. Until it is done the container is not ready. */
  const afterStart = async (running: RunningContainer): Promise<void> => {
    const goesOn = await hooks.afterStart(pod, container)
    if (isReleased || isStopping || phase.is !== 'running' || phase.running !== running) return
    if (goesOn) return watch(running)
    tell('Normal', 'Killing', 'FailedPostStartHook')
    await end(running, graceOf(pod))
  }

  /** Asks a container to end: its hook first, which is part of the grace. */
  const end = async (running: RunningContainer, graceMs: number): Promise<void> => {
    const leftMs = await Promise.race([hooks.beforeStop(pod, container, graceMs), running.exited.then(() => 0)])
    await running.stop(leftMs)
  }

  const onStartError = (error: Error & { reason?: string }, attempt: number): void => {
    const reason = error.reason ?? 'RunContainerError'
    tell('Warning', 'Failed', `Error: ${error.message}`)
    deps.log.debug('container does not start', { pod: pod.metadata.name, container: spec.name, error })
    wasStarted = true
    restartCount = attempt
    const finishedAt = timestamp(clock.now())
    const terminated = { exitCode: START_ERROR_CODE, reason: 'StartError', message: error.message, startedAt: EPOCH, finishedAt }
    noteEnd(terminated)
    if (!restartsAfter(START_ERROR_CODE)) {
      enter({ is: 'ended', terminated })
      return
    }
    // Shown as what it is until the next try; from the second failure on it is a crash loop like any other.
    const waitMs = restarts.next(clock.now())
    if (waitMs === 0) {
      enter({ is: 'waiting', reason, message: error.message, untilMs: clock.now() + CONFIG_RETRY_MS })
      return
    }
    waitToRestart(clock.now() + waitMs)
  }

  const messageOf = (exitCode: number, attempt: number): { message?: string } => {
    if (exitCode === 0 || container.terminationMessagePolicy !== 'FallbackToLogsOnError') return {}
    const message = runtime.logTail({ podUid: pod.metadata.uid!, container: spec.name, attempt }, MESSAGE_BYTES)
    return message ? { message } : {}
  }
  const neverRan = (): Terminated => {
    const now = timestamp(clock.now())
    return {
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message: 'The container could not be located when the pod was terminated',
      startedAt: now,
      finishedAt: now,
    }
  }

  const targetOf = (running: RunningContainer): ProbeTarget => ({
    host: '127.0.0.1',
    portOf: (port) => loopbackPort(ports, container, port),
    ...(running.exec && { exec: (command: string[], timeoutMs: number) => running.exec!(command, timeoutMs) }),
  })

  const watch = (running: RunningContainer): void => {
    stopProbers = watchContainer({
      container,
      isInit,
      target: targetOf(running),
      run: engines.probe,
      clock: realClock,
      onStarted() {
        isStarted = true
        surroundings.changed()
      },
      onReady(verdict) {
        isReady = verdict
        if (verdict) markStarted()
        surroundings.changed()
      },
      onDoomed(kind) {
        tell('Normal', 'Killing', `Container ${spec.name} failed ${kind} probe, will be restarted`)
        void end(running, graceOf(pod))
      },
      onFailure: (text) => tell('Warning', 'Unhealthy', text),
    })
  }

  const begin = (): void => {
    phase = { is: 'starting', shown: stateOf(phase) }
    const work = start().catch((error: unknown) => {
      deps.log.warn('container cannot be started', { pod: pod.metadata.name, container: spec.name, error })
      enter({
        is: 'waiting',
        reason: 'CreateContainerError',
        message: error instanceof Error ? error.message : String(error),
        untilMs: clock.now() + CONFIG_RETRY_MS,
      })
    })
    ended = work
    const settled = new Promise<void>((resolve) => {
      const cancel = realClock.after(STARTING_MS, resolve)
      markStarted = () => {
        cancel()
        resolve()
      }
    })
    deps.busy(
      work.then(() => {
        if (phase.is !== 'running') markStarted()
        return settled
      }),
    )
  }

  const restore = (): void => {
    const { running, terminated } = before?.state ?? {}
    if (terminated) {
      noteEnd(terminated)
      if (!restartsAfter(terminated.exitCode)) phase = { is: 'ended', terminated }
    } else if (running) {
      const lost = { ...LOST, startedAt: running.startedAt, finishedAt: timestamp(clock.now()), ...(containerID && { containerID }) }
      noteEnd(lost)
      if (!restartsAfter(LOST.exitCode)) phase = { is: 'ended', terminated: lost }
    }
  }
  if (surroundings.isRestored) restore()

  return {
    name: spec.name,
    sync(next) {
      pod = next
      container = (isInit ? pod.spec.initContainers : pod.spec.containers)?.find(({ name }) => name === spec.name) ?? spec
      if (pod.metadata.deletionTimestamp || isStopping) return
      noteBackoff()
      if (phase.is === 'restarting' && phase.untilMs > clock.now()) {
        if (phase.isTold) waitToRestart(phase.untilMs)
        else phase = { ...phase, isTold: true }
      } else if (phase.is === 'restarting' || (phase.is === 'waiting' && phase.untilMs <= clock.now())) {
        begin()
      } else if (phase.is === 'running' && phase.image !== container.image) {
        tell('Normal', 'Killing', `Container ${spec.name} definition changed, will be restarted`)
        phase = { ...phase, image: container.image }
        void end(phase.running, graceOf(pod))
      }
    },
    status: () => ({
      name: spec.name,
      image: container.image,
      imageID,
      ...(containerID && { containerID }),
      ready: isInit ? phase.is === 'ended' && phase.terminated.exitCode === 0 : isReady,
      started: isInit ? phase.is === 'running' : isStarted,
      restartCount,
      state: stateOf(phase),
      lastState: lastState(),
    }),
    async stop(graceMs) {
      isStopping = true
      stopProbers()
      isReady = false
      if (phase.is === 'running') {
        await end(phase.running, graceMs)
        await ended
      } else {
        if (phase.is === 'starting') await ended
        // Started just before the word to stop came.
        const now = phase as Phase
        if (now.is === 'running') {
          await end(now.running, graceMs)
          await ended
        } else if (now.is !== 'ended') enter({ is: 'ended', terminated: lastEnd ?? neverRan() })
      }
    },
    retryConfiguration() {
      if (phase.is !== 'waiting' || phase.reason !== 'CreateContainerConfigError') return false
      phase = { ...phase, untilMs: 0 }
      return true
    },
    dueInMs() {
      if (isStopping || pod.metadata.deletionTimestamp) return undefined
      if (phase.is === 'restarting') return 0
      if (phase.is !== 'waiting') return undefined
      const dueMs = phase.reason === 'ErrImagePull' ? Math.min(pullBackoffFromMs, phase.untilMs) : phase.untilMs
      return dueMs === 0 ? undefined : Math.max(0, dueMs - clock.now())
    },
    isOver: () => phase.is === 'ended',
    release() {
      isReleased = true
      stopProbers()
      markStarted()
    },
  }
}

function graceOf({ spec }: Pod): number {
  return (spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000
}
