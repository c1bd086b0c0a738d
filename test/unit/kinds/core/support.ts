import type { ServedKind } from '../../../../src/apimachinery/kind.js'
import type { KubeObject } from '../../../../src/apimachinery/object.js'
import { createApiServer } from '../../../../src/apiserver/server.js'
import { createVirtualClock, type VirtualClock } from '../../../../src/base/clock.js'
import { createSilentLogger } from '../../../../src/base/logger.js'
import { createSeededRandom } from '../../../../src/base/random.js'
import { type Client, createClient } from '../../../../src/client/client.js'
import { type GarbageCollector, startGarbageCollector } from '../../../../src/controller/garbage-collector.js'
import { createManager, type Manager } from '../../../../src/controller/manager.js'
import type { Controller } from '../../../../src/controller/reconcile.js'
import { eventKind } from '../../../../src/kinds/core/event/kind.js'
import type { Event } from '../../../../src/kinds/core/event/schema.js'
import { coreControllers, coreServedKinds } from '../../../../src/kinds/core/index.js'
import { namespaceKind } from '../../../../src/kinds/core/namespace/kind.js'
import { nodeKind } from '../../../../src/kinds/core/node/kind.js'
import { NODE_NAME } from '../../../../src/kinds/core/node/schema.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import type { Container, Pod, PodSpec } from '../../../../src/kinds/core/pod/schema.js'
import type { Engines } from '../../../../src/kinds/engines.js'
import { expandReferences, mergeEnvironment } from '../../../../src/runtime/environment.js'
import { type ContainerRequest, type RunningContainer, type Runtime, StartError } from '../../../../src/runtime/runtime.js'
import { createMemoryStore } from '../../../../src/store/memory.js'
import type { Store } from '../../../../src/store/store.js'
import { anAutoscaler } from '../../../support/autoscaler.js'

/** A process that a test ends by hand. */
export interface FakeProcess {
  request: ContainerRequest
  /** Ends it, as a crash would. */
  exit(exitCode: number): void
  isRunning(): boolean
  /** The grace of the first polite request to end, in milliseconds. */
  stoppedWithMs: number | undefined
}

export interface FakeRuntime extends Runtime {
  processes: FakeProcess[]
  /** The newest process of a container. */
  last(container: string): FakeProcess
  forgotten: string[]
  /** What the log of every container ends with. */
  tail: string
  /** The logs of containers that are no processes, by container, while they are kept. */
  openLogs: Map<string, string>
  /** Programs (first word) that cannot be started. */
  missing: Set<string>
  /** Whether SIGTERM ends processes (it does by default). */
  polite: boolean
}

export function createFakeRuntime(): FakeRuntime {
  let port = 40_000
  const runtime: FakeRuntime = {
    processes: [],
    forgotten: [],
    tail: '',
    openLogs: new Map(),
    missing: new Set(),
    polite: true,
    last(container) {
      const found = runtime.processes.filter(({ request }) => request.container === container).at(-1)
      if (!found) throw new Error(`${container} was never started`)
      return found
    },
    running: () => undefined,
    async start(request) {
      const program = request.command?.[0] ?? request.image.entrypoint[0]!
      if (runtime.missing.has(program)) throw new StartError('RunContainerError', `exec: "${program}": executable file not found in $PATH`)
      let running = true
      let resolveExit: (exit: { exitCode: number; finishedAtMs: number }) => void = () => {}
      const exited = new Promise<{ exitCode: number; finishedAtMs: number }>((resolve) => {
        resolveExit = resolve
      })
      const process: FakeProcess = {
        request,
        stoppedWithMs: undefined,
        isRunning: () => running,
        exit(exitCode) {
          running = false
          resolveExit({ exitCode, finishedAtMs: 0 })
        },
      }
      const handle: RunningContainer = {
        id: `process://${runtime.processes.length + 1}-0`,
        pid: runtime.processes.length + 1,
        startedAtMs: 0,
        exited,
        exec: (command) =>
          new Promise((resolve) => {
            runtime.processes.push({
              request: { ...request, container: `${request.container}.probe`, command },
              stoppedWithMs: undefined,
              isRunning: () => running,
              exit: (exitCode) => resolve({ exitCode, output: '' }),
            })
          }),
        async stop(graceMs) {
          process.stoppedWithMs ??= graceMs
          if (runtime.polite) process.exit(143)
          await exited
        },
      }
      runtime.processes.push(process)
      return handle
    },
    freePort: async () => port++,
    logs: () => undefined,
    logTail: () => runtime.tail,
    openLog({ container, attempt }) {
      runtime.openLogs.set(container, `attempt ${attempt}`)
      return () => void runtime.openLogs.delete(container)
    },
    appendLog() {},
    forget: (uid) => void runtime.forgotten.push(uid),
    stop: async () => {},
  }
  return runtime
}

export interface Cluster {
  client: Client
  store: Store
  clock: VirtualClock
  /** The real domain, as far as the test is concerned. */
  real: VirtualClock
  runtime: FakeRuntime
  manager: Manager
  collector: GarbageCollector
  /** Loopback ports whose probes fail; `all` fails every one. */
  failing: Set<number | 'all'>
  /** Lets everything happen that needs no more than a moment of real time. */
  settle(): Promise<void>
  stop(): Promise<void>
  pod(name: string): Promise<Pod>
  events(reason?: string): Promise<readonly Event[]>
}

/** The real API server, manager and core controllers over a store in memory; only processes, images and probes are made up. */
export async function startCluster(
  options: {
    store?: Store
    runtime?: FakeRuntime
    kinds?: readonly ServedKind[]
    controllers?: (engines: Engines) => readonly Controller[]
    drained?: Engines['drained']
  } = {},
): Promise<Cluster> {
  const runtime = options.runtime ?? createFakeRuntime()
  const store = options.store ?? createMemoryStore({ freeze: true })
  const random = createSeededRandom(7)
  const log = createSilentLogger()
  const real = createVirtualClock()
  let manager: Manager | undefined
  const settle = async (): Promise<void> => {
    let isSettled = false
    const settled = manager?.settled().then(() => {
      isSettled = true
    })
    for (let turn = 0; manager && !isSettled && turn < 200; turn++) await real.advance(50)
    if (manager && !isSettled) throw new Error('the controllers never settle')
    await settled
  }
  const clock = createVirtualClock({ settle })
  const kinds = options.kinds ?? coreServedKinds
  const server = createApiServer({ store, kinds, clock, realClock: real, random, log })
  const clientFor = (name: string): Client =>
    createClient({ transport: server, user: { name, groups: ['system:masters'] }, fieldManager: name })
  const client = clientFor('kubernetes-admin')
  if (!(await client.find(namespaceKind, { name: 'default' }))) {
    await client.create(namespaceKind, { metadata: { name: 'default' } })
    const node = await client.create(nodeKind, { metadata: { name: NODE_NAME } })
    const allocatable = { cpu: '4', memory: '8Gi', pods: '3' }
    await client.updateStatus(nodeKind, { ...node, status: { allocatable, capacity: allocatable } })
  }

  const failing = new Set<number | 'all'>()
  const engines: Engines = {
    runtime,
    images: {
      resolve: async (reference) =>
        reference.includes('missing')
          ? { problem: `"${reference}" is not here` }
          : {
              image: {
                repository: `example.test/${reference.split(/[:@]/)[0]}`,
                digest: `sha256:${'a'.repeat(64)}`,
                entrypoint: ['/app'],
                args: [],
                env: {},
              },
            },
    },
    probe: async (action, target) => {
      const asked = action.httpGet?.port ?? action.tcpSocket?.port ?? 0
      const port = target.portOf(asked)
      if (action.exec) return { ok: (await target.exec!([...(action.exec.command ?? [])], 1000)).exitCode === 0, message: 'exec' }
      return failing.has('all') || failing.has(port)
        ? { ok: false, message: `dial tcp 127.0.0.1:${port}: connect: connection refused` }
        : { ok: true, message: '' }
    },
    environment: { merge: mergeEnvironment, expand: expandReferences },
    ...(options.drained && { drained: options.drained }),
    realClock: real,
    caCertificate: 'the CA',
    kinds: () => kinds.map(({ kind }) => kind),
    autoscaler: anAutoscaler(),
  }
  const controllers = (options.controllers ?? coreControllers)(engines)
  manager = createManager({ clientFor, controllers, clock, realClock: real, eventDelayMs: 0, random, log })
  await manager.start()
  const collector = startGarbageCollector({
    client: clientFor('collector'),
    kinds: engines.kinds(),
    clock,
    log,
    informer: manager.informer,
    busy: manager.busy,
  })
  await collector.synced
  await settle()

  return {
    client,
    store,
    clock,
    real,
    runtime,
    manager,
    collector,
    failing,
    settle,
    async stop() {
      await collector.stop()
      await manager?.stop()
    },
    pod: (name) => client.get(podKind, { namespace: 'default', name }),
    events: async (reason) => {
      const all = await client.list(eventKind, 'default')
      return reason === undefined ? all : all.filter((event) => event.reason === reason)
    },
  }
}

/** A Pod with one container `app` of image `app`, unless said otherwise. */
export function aPod(name: string, { container = {}, ...spec }: Partial<PodSpec> & { container?: Partial<Container> } = {}) {
  return {
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { containers: [{ name: 'app', image: 'app', ...container }], ...spec },
  }
}

export function condition(object: KubeObject & { status?: { conditions?: readonly { type: string }[] } }, type: string) {
  return object.status?.conditions?.find((each) => each.type === type) as
    | { status: string; reason?: string; message?: string; lastTransitionTime?: string; lastUpdateTime?: string }
    | undefined
}
