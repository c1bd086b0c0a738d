import { timestamp } from '../../../apimachinery/object.js'
import type { ContainerRun, PodSurroundings } from './container-run.js'
import { loopbackPort, servingContainer } from './ports.js'
import { startProber } from './prober.js'
import type { Container, ContainerState, ContainerStatus, Pod, Probe } from './schema.js'

/** The user's readiness probe as Knative hands it to its sidecar (knative/serving pkg/reconciler/revision/resources/queue.go). */
const PROBE_VARIABLE = 'SERVING_READINESS_PROBE'
/** How long "settled" waits for the first success, in real time. */
const STARTING_MS = 2000

/**
 * The queue-proxy of a Revision's Pod. It is no process: its work is the gateway's. What is left of it is its status (it runs
 * from when the user container first runs), its readiness, which is the user's probe passed on to the user container, and its
 * log, into which the gateway writes.
 */
export function createQueueProxyRun(
  spec: Container,
  firstPod: Pod,
  surroundings: PodSurroundings,
  { user, before }: { user: ContainerRun; before: ContainerStatus | undefined },
): ContainerRun {
  const { engines, deps, ports } = surroundings
  const { clock } = deps
  const serving = servingContainer(firstPod.spec.containers)!
  let state: ContainerState = { waiting: { reason: 'ContainerCreating' } }
  let lastState: ContainerState = before?.lastState ?? {}
  let restartCount = before?.restartCount ?? 0
  const wasRunning = surroundings.isRestored ? before?.state.running : undefined
  if (wasRunning) {
    // It went down with the emulator, as the containers did.
    lastState = { terminated: { exitCode: 255, reason: 'Unknown', startedAt: wasRunning.startedAt, finishedAt: timestamp(clock.now()) } }
    restartCount++
  }
  let isReady = false
  let isOver = false
  let isDraining = false
  let endLog: () => void = () => {}
  let pod = firstPod
  /** The instance of the user container that is being probed. */
  let probed: string | undefined
  let stopProber: () => void = () => {}

  const watch = (): void => {
    const given = spec.env?.find(({ name }) => name === PROBE_VARIABLE)?.value
    const { settled, resolve } = withinLimit()
    deps.busy(settled)
    const stop = startProber({
      kind: 'Readiness',
      probe: probeFrom(given),
      target: {
        host: '127.0.0.1',
        // A port of 0 is the serving port, whichever that is.
        portOf: (port) => (port ? loopbackPort(ports, serving, port) : ports.own[serving.name]!),
      },
      run: engines.probe,
      clock: engines.realClock,
      onVerdict(isGood) {
        isReady = isGood
        resolve()
        surroundings.changed()
      },
      onFailure(message) {
        // Only what was ready once is worth a word; a program that starts slowly is not.
        if (isReady)
          deps.event(pod, 'Warning', 'Unhealthy', `Readiness probe failed: ${message}`, { fieldPath: `spec.containers{${spec.name}}` })
      },
    })
    stopProber = () => {
      stop()
      resolve()
    }
  }
  const withinLimit = (): { settled: Promise<void>; resolve: () => void } => {
    let resolve = (): void => {}
    const settled = new Promise<void>((done) => {
      const cancel = engines.realClock.after(STARTING_MS, done)
      resolve = () => {
        cancel()
        done()
      }
    })
    return { settled, resolve }
  }

  return {
    name: spec.name,
    sync(next) {
      pod = next
      if (isOver || isDraining) return
      const { state: userState, restartCount: userRestarts } = user.status()
      const instance = userState.running ? `${userRestarts}/${userState.running.startedAt}` : undefined
      if (instance && !state.running) {
        state = { running: { startedAt: userState.running!.startedAt } }
        endLog = engines.runtime.openLog({ podUid: pod.metadata.uid!, container: spec.name, attempt: restartCount })
      }
      if (instance === probed) return
      stopProber()
      stopProber = () => {}
      isReady = false
      probed = instance
      if (instance) watch()
    },
    status: () => ({
      name: spec.name,
      image: spec.image,
      imageID: spec.image,
      ...(state.running && { containerID: `gateway://${pod.metadata.uid}` }),
      ready: isReady,
      started: state.running !== undefined,
      restartCount,
      state,
      lastState,
    }),
    drain() {
      isDraining = true
      stopProber()
      isReady = false
    },
    async stop() {
      if (isOver) return
      stopProber()
      endLog()
      isReady = false
      isOver = true
      const finishedAt = timestamp(clock.now())
      state = { terminated: { exitCode: 0, reason: 'Completed', startedAt: state.running?.startedAt ?? finishedAt, finishedAt } }
    },
    retryConfiguration: () => false,
    dueInMs: () => undefined,
    isOver: () => isOver,
    release() {
      stopProber()
      endLog()
    },
  }
}

/** Absent or unreadable: a TCP connection to the serving port, as Knative defaults it. */
function probeFrom(json: string | undefined): Probe {
  try {
    const probe = JSON.parse(json ?? '') as Probe
    if (probe.httpGet || probe.tcpSocket || probe.grpc) return probe
  } catch {
    // None was given.
  }
  return { tcpSocket: { port: 0 }, periodSeconds: 0 }
}
