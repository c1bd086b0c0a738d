import { arch, availableParallelism, totalmem } from 'node:os'
import type { Transport } from '../apimachinery/call.js'
import type { Identity } from '../apimachinery/kind.js'
import { startControlListener } from '../apiserver/http.js'
import { createApiServer } from '../apiserver/server.js'
import { createAutoscaler } from '../autoscaler/autoscaler.js'
import { type Clock, type ControllableClock, onNextTurn } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import { KUBERNETES_VERSION } from '../base/versions.js'
import { type Client, createClient } from '../client/client.js'
import { createEventRecorder } from '../controller/events.js'
import { startGarbageCollector } from '../controller/garbage-collector.js'
import { createManager } from '../controller/manager.js'
import { createEventTypes } from '../eventing/event-types.js'
import { startEventing } from '../eventing/eventing.js'
import { startGateway } from '../gateway/gateway.js'
import { startWorkloadProxy } from '../gateway/workload-proxy.js'
import { createImages } from '../images/images.js'
import { createJournal } from '../journal/journal.js'
import { brokerKind } from '../kinds/broker/kind.js'
import { admissionPlugins } from '../kinds/core/admission.js'
import { AGGREGATOR, publishApiServices } from '../kinds/core/apiservice/reconcile.js'
import { configMapKind } from '../kinds/core/configmap/kind.js'
import { OWN_DEFINITION_WRITER } from '../kinds/core/customresourcedefinition/schema.js'
import { endpointSliceKind } from '../kinds/core/endpointslice/kind.js'
import { NODE_NAME } from '../kinds/core/node/schema.js'
import { podKind } from '../kinds/core/pod/kind.js'
import { QUEUE_PROXY } from '../kinds/core/pod/schema.js'
import { secretKind } from '../kinds/core/secret/kind.js'
import { coreServiceKind } from '../kinds/core/service/kind.js'
import { serviceAccountKind } from '../kinds/core/serviceaccount/kind.js'
import { isEnabled } from '../kinds/eventing-config.js'
import { EVENTING_CONTROLLER_USER, EVENTING_NAMESPACE } from '../kinds/eventing-labels.js'
import { TLS_SERVERS } from '../kinds/eventing-tls.js'
import { eventPolicyKind } from '../kinds/eventpolicy/kind.js'
import { controllers, servedKindsWith } from '../kinds/index.js'
import { inMemoryChannelKind } from '../kinds/inmemorychannel/kind.js'
import { kingressKind } from '../kinds/kingress/kind.js'
import { requestReplyKind } from '../kinds/requestreply/kind.js'
import { revisionKind } from '../kinds/revision/kind.js'
import { domainConfig } from '../kinds/serving-config.js'
import { subscriptionKind } from '../kinds/subscription/kind.js'
import { triggerKind } from '../kinds/trigger/kind.js'
import { subscriptionName } from '../kinds/trigger/subscription.js'
import { type EnvironmentSources, expandReferences, mergeEnvironment, withDirectSink } from '../runtime/environment.js'
import { probe } from '../runtime/probe.js'
import { createProcessRuntime } from '../runtime/process.js'
import { startSupervisor, sweepLeftovers } from '../runtime/supervise.js'
import { loadSqlite } from '../store/sqlite-engine.js'
import type { Store } from '../store/store.js'
import { bootstrap, LOCAL_CONFIG, SERVING_NAMESPACE } from './bootstrap.js'
import { bootstrapEventing } from './bootstrap-eventing.js'
import { bootstrapRoles } from './bootstrap-roles.js'
import type { InstanceCertificates } from './certificates.js'
import { createClockKeeper } from './clock.js'
import { areDefinitionsThere, publishDefinitions } from './definitions.js'
import { createEventLogs } from './event-logs.js'
import { eventRecordsFrom, followJournalSettings } from './event-records.js'
import { forgetProcesses } from './forget-processes.js'
import { publishImages } from './images.js'
import { createOidc } from './oidc.js'
import { createPodLogs } from './pod-logs.js'
import { createPodStreams } from './pod-streams.js'
import { createPortWarnings } from './port-warnings.js'
import type { Ports } from './ports.js'
import { programFile, programsDirectory } from './programs.js'
import { createFindProxyTarget } from './proxy-target.js'
import { createReach } from './reach.js'
import { createTransportEncryption } from './transport-encryption.js'
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
  /** Where the logs of Brokers and channels are kept; made with the first of them. */
  eventsFile: string
  /** Where the journal of events is kept; made with the first event. */
  journalFile: string
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
    network: { proxyUrl: (namespace) => proxy.urlFor(namespace), preload: programFile('workload-preload.cjs') },
  })
  const eventLogs = createEventLogs(options.eventsFile, log.with({ part: 'events' }))
  const images = createImages({ programsDirectory: `${programsDirectory()}/images`, nodePath: process.execPath })

  /** What the controllers did is on disk too, where the network sees it. */
  const settled = async (): Promise<void> => {
    await manager.settled()
    await store.settled()
  }
  const clockKeeper = createClockKeeper({
    clock,
    realClock,
    client: () => admin,
    settled,
    log: log.with({ part: 'clock' }),
  })
  const journal = createJournal({
    open: (path) => loadSqlite()(path),
    path: options.journalFile,
    workerFile: programFile('journal-worker.cjs'),
    clock,
    realClock,
    random,
    log: log.with({ part: 'journal' }),
    settings: followJournalSettings(() => manager.informer(configMapKind).get(LOCAL_CONFIG)?.data, log),
  })
  let isStarted = false
  const server = createApiServer({
    store,
    kinds: servedKindsWith({ clock: clockKeeper, eventRecords: eventRecordsFrom(journal) }),
    clock,
    realClock,
    random,
    log: log.with({ part: 'apiserver' }),
    credentials: { adminToken: options.token, serviceAccountKey: options.serviceAccountKey },
    callWebhook: createWebhookCaller({ client: () => admin, clock: realClock }),
    plugins: admissionPlugins,
    // What the emulator itself writes while it starts waits for no webhook: the Pods that serve them are not there yet.
    asksWebhooks: () => isStarted,
  })
  const admin = clientFor(server.inside, 'kubernetes-admin')
  await bootstrap({
    client: admin,
    ports: options.ports,
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    os: process.platform,
    arch: goArch(),
  })
  await bootstrapEventing({ client: admin, ports: options.ports })
  await bootstrapRoles({ client: admin })
  await publishApiServices(clientFor(server.inside, AGGREGATOR), server.kinds)
  const publishOwn = () => publishDefinitions(clientFor(server.inside, OWN_DEFINITION_WRITER), server.kinds)
  // What is there already is brought up to date once everyone can be answered.
  const areOwnThere = await areDefinitionsThere(admin, server.kinds)
  if (!areOwnThere) await publishOwn()
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
    environment: {
      merge: (sources: EnvironmentSources) => mergeEnvironment(withDirectSink(sources, proxy.directUrl)),
      expand: expandReferences,
    },
    drained: (podUid: string, signal: AbortSignal) => gateway.drained(podUid, signal),
    realClock,
    caCertificate: certificates.caCertificate,
    ...(server.access.tokens && { tokenForSecret: server.access.tokens.issueForSecret }),
    kinds: server.stored.kinds,
    onKinds: server.stored.onKinds,
    autoscaler,
  }
  const manager = createManager({
    clientFor: (userName) => clientFor(server.inside, userName),
    controllers: controllers(engines),
    kinds: server.stored,
    clock,
    realClock,
    eventDelayMs: EVENT_DELAY_MS,
    isHurried: () => gateway.counts.areUnserved(),
    random,
    log: log.with({ part: 'controller' }),
  })
  // First of all who are told: whoever follows a kind that changed then gets a cache of what it is now.
  const forgetKinds = server.stored.onKinds(({ removed }) => removed.forEach(manager.forget))
  // Nothing listens yet: a start that ends here leaves no port behind.
  await eventLogs.ready
  const configMap = (namespace: string, name: string) => manager.informer(configMapKind).get({ namespace, name })?.data ?? {}
  const noteEventType = createEventTypes({
    client: clientFor(server.inside, EVENTING_CONTROLLER_USER),
    isEnabled: () => isEnabled(configMap, 'eventtype-auto-create'),
    busy: manager.busy,
    log: log.with({ part: 'eventing' }),
  })
  const reach = createReach({
    services: manager.informer(coreServiceKind),
    slices: manager.informer(endpointSliceKind),
    pods: manager.informer(podKind),
    domains: () => domainConfig(configMap).map(({ domain }) => domain),
    ports: () => ({
      external: gateway.externalPort,
      clusterLocal: gateway.clusterLocalPort,
      clusterLocalTls: options.ports.clusterLocalTls,
    }),
    speaksTls: ({ namespace, name }) => namespace === EVENTING_NAMESPACE && TLS_SERVERS.some(({ service }) => service === name),
    random,
  })
  const proxy = await startWorkloadProxy({ reach, random, log: log.with({ part: 'gateway' }) })
  const { tokens } = server.access
  const oidc = tokens && createOidc({ tokens, serviceAccounts: manager.informer(serviceAccountKind), configMap, realClock })
  const encryption = createTransportEncryption({
    client: clientFor(server.inside, EVENTING_CONTROLLER_USER),
    configMaps: manager.informer(configMapKind),
    secrets: manager.informer(secretKind),
    configMap,
    port: options.ports.clusterLocalTls,
    busy: manager.busy,
    realClock,
    log: log.with({ part: 'eventing' }),
  })
  const subscriptions = manager.informer(subscriptionKind)
  const eventing = startEventing({
    informers: {
      brokers: manager.informer(brokerKind),
      triggers: manager.informer(triggerKind),
      channels: manager.informer(inMemoryChannelKind),
      policies: manager.informer(eventPolicyKind),
      requestReplies: manager.informer(requestReplyKind),
      secrets: manager.informer(secretKind),
    },
    ...(oidc && { oidc }),
    encryption,
    subscriptionOf: (trigger) => subscriptions.get({ namespace: trigger.metadata.namespace, name: subscriptionName(trigger) }),
    openLogs: eventLogs.open,
    reach,
    record: journal.record,
    noteEventType,
    busy: manager.busy,
    clock,
    realClock,
    random,
    log: log.with({ part: 'eventing' }),
  })
  const gateway = await startGateway({
    informers: {
      kingresses: manager.informer(kingressKind),
      services: manager.informer(coreServiceKind),
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
    inside: eventing.inside,
    onNodePortTaken: createPortWarnings({
      event: createEventRecorder({
        client: clientFor(server.inside, 'system:serviceaccount:kube-system:kube-proxy'),
        clock,
        realClock,
        delayMs: EVENT_DELAY_MS,
        random,
        log: log.with({ part: 'gateway' }),
        source: { component: 'kube-proxy', host: NODE_NAME },
        busy: manager.busy,
      }),
      busy: manager.busy,
    }),
    requestLog: {
      configMaps: manager.informer(configMapKind),
      write: (podUid, lines) => runtime.appendLog(podUid, QUEUE_PROXY, lines),
    },
  })
  encryption.start(gateway.listenSecurely)
  autoscaler.start(gateway.counts)
  await manager.start()
  const collector = startGarbageCollector({
    client: clientFor(server.inside, 'system:serviceaccount:kube-system:generic-garbage-collector'),
    kinds: server.stored.kinds(),
    onKinds: server.stored.onKinds,
    clock,
    log: log.with({ part: 'garbage-collector' }),
    informer: manager.informer,
    busy: manager.busy,
  })
  await collector.synced
  await clockKeeper.publish()
  await store.settled()
  isStarted = true
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
    podStreams: createPodStreams({ runtime }),
    findProxyTarget: createFindProxyTarget({
      services: manager.informer(coreServiceKind),
      slices: manager.informer(endpointSliceKind),
      pods: manager.informer(podKind),
      reach,
    }),
  })
  if (areOwnThere)
    onNextTurn(() =>
      manager.busy(
        publishOwn().catch((error: unknown) => log.error('the definitions of our own kinds could not be brought up to date', { error })),
      ),
    )

  return {
    ports: { ...options.ports, control: control.port, external: gateway.externalPort, clusterLocal: gateway.clusterLocalPort },
    client: admin,
    settled,
    async stop() {
      await control.stop()
      await clockKeeper.stop()
      autoscaler.stop()
      encryption.stop()
      await eventing.stop()
      await eventLogs.close()
      await gateway.stop()
      await proxy.stop()
      forgetKinds()
      await collector.stop()
      await manager.stop()
      journal.close()
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
