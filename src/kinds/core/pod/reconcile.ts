import type { KubeObject } from '../../../apimachinery/object.js'
import { isNotFound } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import { isSameJson } from '../../../controller/same-json.js'
import { configMapKind } from '../configmap/kind.js'
import { nodeKind } from '../node/kind.js'
import { NODE_NAME } from '../node/schema.js'
import { secretKind } from '../secret/kind.js'
import { createAddresses } from './addresses.js'
import type { PodEngines } from './container-run.js'
import { podKind } from './kind.js'
import { allocatePorts, type PodPorts } from './ports.js'
import { refusalOf, schedulingGates, takesPlace } from './schedule.js'
import { PORTS_ANNOTATION, type Pod, type PodStatus } from './schema.js'
import { KUBELET_USER } from './served.js'
import { unscheduledStatus } from './status.js'
import { createPodWorker, type PodWorker } from './worker.js'

const DEFAULT_SCHEDULER = 'default-scheduler'
/** The Node's own address, when it does not say. */
const HOST_IP = '127.0.0.1'
/** What is left to the containers of a Pod that was removed without grace. */
const ORPHAN_GRACE_MS = 1000

/**
 * Scheduler and kubelet in one: gives Pods their Node, address and loopback ports, runs their containers through the Runtime,
 * and reports what becomes of them.
 * @see kubernetes/kubernetes v1.35 pkg/kubelet, pkg/scheduler
 */
export function createPodController(engines: PodEngines): Controller<Pod> {
  return {
    kind: podKind,
    actsAs: KUBELET_USER,
    reconcilesDeleted: true,
    awaited: 'work and status',
    concurrency: 32,
    eventSource: { component: 'kubelet', host: NODE_NAME },
    wokenBy: [
      {
        // The Node has room again, or new labels.
        kind: nodeKind,
        wakes: (_, all) => all.list().flatMap((pod) => ((pod as Pod).spec.nodeName ? [] : [pod.metadata])),
      },
    ],
    create: (deps) => createPodReconciler(engines, deps),
  }
}

function createPodReconciler(engines: PodEngines, deps: ReconcilerDeps): (pod: Pod) => Promise<Outcome<Pod>> {
  const { client, clock, event, log } = deps
  const pods = deps.informer(podKind)
  const nodes = deps.informer(nodeKind)
  const workers = new Map<string, PodWorker>()
  /** Pods whose place or worker is being made, by uid: the cache does not show them yet. */
  const arriving = new Map<string, PodPorts>()
  /** What Pods are while they start, which they may already have done by the time it can be written. */
  const greetings = new Map<string, PodStatus>()
  /** Pods whose last status was written. */
  const farewells = new Set<string>()
  const addresses = createAddresses()
  const node = () => nodes.get({ name: NODE_NAME })

  const leave = async ({ metadata }: Pod): Promise<void> => {
    const uid = metadata.uid!
    const worker = workers.get(uid)
    workers.delete(uid)
    arriving.delete(uid)
    greetings.delete(uid)
    farewells.delete(uid)
    addresses.release(uid)
    try {
      await worker?.stop(ORPHAN_GRACE_MS)
    } finally {
      engines.runtime.forget(uid)
    }
  }
  const placeIsFree = (): void => {
    for (const pod of pods.list()) if (!pod.spec.nodeName) deps.wake(pod.metadata)
  }
  pods.onChange(({ type, object, previous }) => {
    if (previous && previous.metadata.uid !== object.metadata.uid) deps.busy(leave(previous))
    if (type === 'DELETED') deps.busy(leave(object))
    if (type === 'DELETED' || (previous && takesPlace(previous) && !takesPlace(object))) placeIsFree()
  })
  const onConfiguration = ({ object }: { object: KubeObject }): void => {
    if (workers.size === 0) return
    for (const pod of pods.list(object.metadata.namespace)) workers.get(pod.metadata.uid!)?.retryConfiguration()
  }
  deps.informer(configMapKind).onChange(onConfiguration)
  deps.informer(secretKind).onChange(onConfiguration)
  deps.stopped.addEventListener('abort', () => {
    for (const worker of workers.values()) worker.release()
    workers.clear()
  })

  /** Binds a Pod to the Node and sets it going, or says why it waits. */
  const schedule = async (pod: Pod): Promise<Outcome<Pod>> => {
    if (pod.spec.schedulerName !== DEFAULT_SCHEDULER) return {}
    const gates = schedulingGates(pod)
    if (gates.length > 0)
      return { status: unscheduledStatus(pod, 'SchedulingGated', 'Scheduling is blocked due to non-empty scheduling gates', clock.now()) }
    const uid = pod.metadata.uid!
    const placed = pods.list().filter(takesPlace)
    const shown = new Set(placed.map(({ metadata }) => metadata.uid))
    const coming = [...arriving.keys()].filter((each) => each !== uid && !shown.has(each)).length
    const refusal = refusalOf(pod, node(), placed.length + coming)
    if (refusal) {
      const status = unscheduledStatus(pod, 'Unschedulable', refusal, clock.now())
      if (!isSameJson(status.conditions, pod.status?.conditions))
        event(pod, 'Warning', 'FailedScheduling', refusal, { source: { component: DEFAULT_SCHEDULER } })
      return { status }
    }
    arriving.set(uid, { numbers: {}, own: {} })
    let bound: Pod
    try {
      const ports = await allocatePorts(pod, () => engines.runtime.freePort())
      arriving.set(uid, ports)
      bound = await client.update(podKind, withPorts({ ...pod, spec: { ...pod.spec, nodeName: NODE_NAME } }, ports))
    } catch (error) {
      arriving.delete(uid)
      throw error
    }
    const text = `Successfully assigned ${pod.metadata.namespace}/${pod.metadata.name} to ${NODE_NAME}`
    event(pod, 'Normal', 'Scheduled', text, { source: { component: DEFAULT_SCHEDULER } })
    // Somebody may be waiting for it. What becomes of it is told when the change that was just written brings the Pod back here.
    const worker = !deps.stopped.aborted && pods.get(bound.metadata)?.metadata.uid === uid ? await admit(bound) : undefined
    if (worker) {
      worker.sync(bound)
      greetings.set(uid, worker.status(bound))
    }
    return {}
  }

  /** The worker of a Pod that is bound; undefined when its ports had to be written first, which brings it back here. */
  const admit = async (pod: Pod): Promise<PodWorker | undefined> => {
    const uid = pod.metadata.uid!
    const ports = arriving.get(uid) ?? (await allocatePorts(pod, () => engines.runtime.freePort()))
    if (pod.metadata.annotations?.[PORTS_ANNOTATION] !== portsText(ports)) {
      arriving.set(uid, ports)
      await client.update(podKind, withPorts(pod, ports))
      return undefined
    }
    arriving.delete(uid)
    const isRestored = pod.status?.podIP !== undefined
    if (isRestored) event(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
    const worker = createPodWorker(pod, {
      engines,
      deps,
      ports,
      podIP: addresses.take(uid, pod.status?.podIP, pods.list()),
      hostIP: node()?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? HOST_IP,
      allocatable: () => node()?.status?.allocatable ?? {},
      isRestored,
      changed: () => deps.wake(pod.metadata),
    })
    workers.set(uid, worker)
    return worker
  }

  const removeFinally = async ({ metadata }: Pod): Promise<void> => {
    const preconditions = { uid: metadata.uid! }
    await client.delete(podKind, metadata, { gracePeriodSeconds: 0, preconditions }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }

  return async (pod) => {
    const uid = pod.metadata.uid!
    const isOver = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    if (!pod.spec.nodeName) return pod.metadata.deletionTimestamp ? {} : schedule(pod)
    if (pod.spec.nodeName !== NODE_NAME) return {}
    let worker = workers.get(uid)
    if (!worker) {
      if (pod.metadata.deletionTimestamp) {
        await removeFinally(pod)
        return {}
      }
      if (isOver) return {}
      worker = await admit(pod)
      if (!worker) return {}
    }
    worker.sync(pod)
    const greeting = greetings.get(uid)
    if (greeting && !pod.metadata.deletionTimestamp) {
      greetings.delete(uid)
      return { status: greeting, requeueAfterMs: 0 }
    }
    const status = worker.status(pod)
    if (pod.metadata.deletionTimestamp && worker.isOver()) {
      // What became of the containers is told first.
      if (!farewells.has(uid)) {
        farewells.add(uid)
        return { status, requeueAfterMs: 0 }
      }
      log.debug('pod has ended', { pod: pod.metadata.name, namespace: pod.metadata.namespace })
      await removeFinally(pod)
      return {}
    }
    return { status, requeueAfterMs: worker.dueInMs() }
  }
}

function withPorts(pod: Pod, ports: PodPorts): Pod {
  return { ...pod, metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [PORTS_ANNOTATION]: portsText(ports) } } }
}

function portsText({ numbers }: PodPorts): string {
  return JSON.stringify(numbers)
}
