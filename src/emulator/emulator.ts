import { arch, availableParallelism, totalmem } from 'node:os'
import type { Transport } from '../apimachinery/call.js'
import type { Identity } from '../apimachinery/kind.js'
import { startControlListener } from '../apiserver/http.js'
import { createApiServer } from '../apiserver/server.js'
import { createAutoscaler } from '../autoscaler/autoscaler.js'
import type { Clock, ControllableClock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import { KUBERNETES_VERSION } from '../base/versions.js'
import { type Client, createClient } from '../client/client.js'
import { startGarbageCollector } from '../controller/garbage-collector.js'
import { createManager } from '../controller/manager.js'
import { startGateway } from '../gateway/gateway.js'
import { createImages } from '../images/images.js'
import { configMapKind } from '../kinds/core/configmap/kind.js'
import { OWN_DEFINITION_WRITER } from '../kinds/core/customresourcedefinition/schema.js'
import { endpointSliceKind } from '../kinds/core/endpointslice/kind.js'
import { podKind } from '../kinds/core/pod/kind.js'
import { QUEUE_PROXY } from '../kinds/core/pod/schema.js'
import { controllers, servedKindsWith } from '../kinds/index.js'
import { kingressKind } from '../kinds/kingress/kind.js'
import { revisionKind } from '../kinds/revision/kind.js'
import { expandReferences, mergeEnvironment } from '../runtime/environment.js'
import { probe } from '../runtime/probe.js'
import { createProcessRuntime } from '../runtime/process.js'
import { startSupervisor, sweepLeftovers } from '../runtime/supervise.js'
import type { Store } from '../store/store.js'
import { bootstrap, SERVING_NAMESPACE } from './bootstrap.js'
import { bootstrapRoles } from './bootstrap-roles.js'
import type { InstanceCertificates } from './certificates.js'
import { createClockKeeper } from './clock.js'
import { publishDefinitions } from './definitions.js'
import { forgetProcesses } from './forget-processes.js'
import { publishImages } from './images.js'
import { createPodLogs } from './pod-logs.js'
import type { Ports } from './ports.js'
import { programFile, programsDirectory } from './programs.js'
import { createWebhookCaller } from './webhooks.js'

export interface Emulator {
  ports: Ports
  /** An in-process client of the administrator. */
  client: Client
  /** Resolves when no controller has anything to do (what waits for the virtual clock does not count). */
  settled(): Promise<void>
  /** Refuses new requests, ends workloads as Pods end, then everything else. The store is the caller's to close. */
  stop(): Promise<void>
}

/** Workloads get this long between SIGTERM and SIGKILL when the emulator stops, in milliseconds: they end with it, not by a deletion. */
const STOP_GRACE_MS = 2_000
/** Events are written this much later than what they tell of, in real milliseconds; a cold start is over by then. */
const EVENT_DELAY_MS = 100

/**
 * Puts everything together: the only place where parameters get their real values. Resolves when the API answers and the
 * first objects are there; Pods of an earlier run are started again after that.
 */
export async function startEmulator(options: {
  store: Store
  ports: Ports
  host: string
  /** A unix socket for kn itself. */
  socketPath?: string
  certificates: InstanceCertificates
  token: string
  /** Signs tokens of ServiceAccounts: P-256, PKCS #8 in PEM. */
  serviceAccountKey: string
  marker: string
  workloadsDirectory: string
  hostEnv: NodeJS.ProcessEnv
  /** The virtual domain; the API moves it. */
  clock: ControllableClock
  realClock: Clock
  random: Random
  log: Logger
}): Promise<Emulator> {
  const { store, certificates, marker, clock, realClock, random, log, host } = options
  const leftovers = sweepLeftovers({ marker, clock: realClock })
  const supervisor = await startSupervisor({
    file: programFile('supervisor.cjs'),
    marker,
    log: log.with({ part: 'supervisor' }),
    clock: realClock,
  })
  const runtime = createProcessRuntime({
    directory: options.workloadsDirectory,
    marker,
    supervisor,
    clock: realClock,
    log: log.with({ part: 'runtime' }),
    hostEnv: options.hostEnv,
    random,
  })
  const images = createImages({ programsDirectory: `${programsDirectory()}/images`, nodePath: process.execPath })

  const clockKeeper = createClockKeeper({
    clock,
    realClock,
    client: () => admin,
    settled: () => manager.settled(),
    log: log.with({ part: 'clock' }),
  })
  const server = createApiServer({
    store,
    kinds: servedKindsWith({ clock: clockKeeper }),
    clock,
    realClock,
    random,
    log: log.with({ part: 'apiserver' }),
    credentials: { adminToken: options.token, serviceAccountKey: options.serviceAccountKey },
    callWebhook: createWebhookCaller({ client: () => admin, clock: realClock }),
  })
  const admin = clientFor(server, 'kubernetes-admin')
  await bootstrap({
    client: admin,
    ports: options.ports,
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    os: process.platform,
    arch: goArch(),
  })
  await bootstrapRoles({ client: admin })
  await publishDefinitions(clientFor(server, OWN_DEFINITION_WRITER), server.kinds)
  await publishImages(admin, images.list())
  await forgetProcesses(admin)
  const swept = await leftovers
  if (swept > 0) log.warn('ended workloads that an earlier run left behind', { processes: swept })

  const autoscaler = createAutoscaler({
    clock,
    realClock,
    readConfig: () => manager.informer(configMapKind).get({ namespace: SERVING_NAMESPACE, name: 'config-autoscaler' })?.data,
    log: log.with({ part: 'autoscaler' }),
  })
  const engines = {
    runtime,
    images,
    probe,
    environment: { merge: mergeEnvironment, expand: expandReferences },
    drained: (podUid: string, signal: AbortSignal) => gateway.drained(podUid, signal),
    realClock,
    caCertificate: certificates.caCertificate,
    ...(server.access.tokens && { tokenForSecret: server.access.tokens.issueForSecret }),
    kinds: server.stored.kinds,
    onKinds: server.stored.onKinds,
    autoscaler,
  }
  const manager = createManager({
    clientFor: (userName) => clientFor(server, userName),
    controllers: controllers(engines),
    clock,
    realClock,
    eventDelayMs: EVENT_DELAY_MS,
    random,
    log: log.with({ part: 'controller' }),
  })
  // First of all who are told: whoever follows a kind that changed then gets a cache of what it is now.
  const forgetKinds = server.stored.onKinds(({ removed }) => removed.forEach(manager.forget))
  const gateway = await startGateway({
    informers: {
      kingresses: manager.informer(kingressKind),
      slices: manager.informer(endpointSliceKind),
      pods: manager.informer(podKind),
      revisions: manager.informer(revisionKind),
    },
    realClock,
    random,
    log: log.with({ part: 'gateway' }),
    host,
    externalPort: options.ports.external,
    clusterLocalPort: options.ports.clusterLocal,
    requestLog: {
      configMaps: manager.informer(configMapKind),
      write: (podUid, lines) => runtime.appendLog(podUid, QUEUE_PROXY, lines),
    },
  })
  autoscaler.start(gateway.counts)
  await manager.start()
  const collector = startGarbageCollector({
    client: clientFor(server, 'system:serviceaccount:kube-system:generic-garbage-collector'),
    kinds: server.stored.kinds(),
    onKinds: server.stored.onKinds,
    clock,
    log: log.with({ part: 'garbage-collector' }),
    informer: manager.informer,
    busy: manager.busy,
  })
  await collector.synced
  await clockKeeper.publish()
  const control = await startControlListener({
    server,
    version: KUBERNETES_VERSION,
    tls: { key: certificates.serverKey, cert: certificates.serverCertificate, ca: certificates.caCertificate },
    token: options.token,
    host,
    port: options.ports.control,
    ...(options.socketPath && { socketPath: options.socketPath }),
    clock,
    realClock,
    log: log.with({ part: 'http' }),
    podLogs: createPodLogs({ runtime }),
  })

  return {
    ports: { control: control.port, external: gateway.externalPort, clusterLocal: gateway.clusterLocalPort },
    client: admin,
    settled: () => manager.settled(),
    async stop() {
      await control.stop()
      await clockKeeper.stop()
      autoscaler.stop()
      await gateway.stop()
      forgetKinds()
      await collector.stop()
      await manager.stop()
      await runtime.stop(STOP_GRACE_MS)
      await supervisor.stop()
    },
  }
}

/** In-process clients carry a user as network clients do: what they write says who did. They are trusted, so no role has to allow it. */
function clientFor(transport: Transport, name: string): Client {
  const user: Identity = { name, groups: ['system:masters', 'system:authenticated'] }
  return createClient({ transport, user, fieldManager: name.split(':').at(-1)! })
}

function goArch(): string {
  const names: Record<string, string> = { x64: 'amd64', ia32: '386' }
  return names[arch()] ?? arch()
}
