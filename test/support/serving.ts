import type { Condition } from '../../src/apimachinery/conditions.js'
import type { AdmissionContext, Kind } from '../../src/apimachinery/kind.js'
import { controllerReference, type Draft } from '../../src/apimachinery/object.js'
import { createApiServer } from '../../src/apiserver/server.js'
import { createConfigReader } from '../../src/autoscaler/config.js'
import { createVirtualClock, type VirtualClock } from '../../src/base/clock.js'
import { createSilentLogger } from '../../src/base/logger.js'
import { createSeededRandom } from '../../src/base/random.js'
import { type Client, createClient } from '../../src/client/client.js'
import { createManager, type Manager } from '../../src/controller/manager.js'
import type { Controller } from '../../src/controller/reconcile.js'
import { createConfigurationController } from '../../src/kinds/configuration/reconcile.js'
import { configurationServed } from '../../src/kinds/configuration/served.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { configMapServed } from '../../src/kinds/core/configmap/served.js'
import { deploymentKind } from '../../src/kinds/core/deployment/kind.js'
import type { Deployment } from '../../src/kinds/core/deployment/schema.js'
import { deploymentServed } from '../../src/kinds/core/deployment/served.js'
import { endpointsKind } from '../../src/kinds/core/endpoints/kind.js'
import { endpointsServed } from '../../src/kinds/core/endpoints/served.js'
import { eventServed } from '../../src/kinds/core/event/served.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import type { Pod, PodStatus } from '../../src/kinds/core/pod/schema.js'
import { podServed } from '../../src/kinds/core/pod/served.js'
import { coreServiceServed } from '../../src/kinds/core/service/served.js'
import { imageServed } from '../../src/kinds/image/served.js'
import { createKIngressController } from '../../src/kinds/kingress/reconcile.js'
import { kingressServed } from '../../src/kinds/kingress/served.js'
import { createPodAutoscalerController } from '../../src/kinds/podautoscaler/reconcile.js'
import { podAutoscalerServed } from '../../src/kinds/podautoscaler/served.js'
import { revisionKind } from '../../src/kinds/revision/kind.js'
import { createRevisionController } from '../../src/kinds/revision/reconcile.js'
import { revisionServed } from '../../src/kinds/revision/served.js'
import { createRouteController } from '../../src/kinds/route/reconcile.js'
import { routeServed } from '../../src/kinds/route/served.js'
import { createServerlessServiceController } from '../../src/kinds/serverlessservice/reconcile.js'
import { serverlessServiceServed } from '../../src/kinds/serverlessservice/served.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { createServiceController } from '../../src/kinds/service/reconcile.js'
import type { Service } from '../../src/kinds/service/schema.js'
import { serviceServed } from '../../src/kinds/service/served.js'
import { deploymentName, privateServiceName } from '../../src/kinds/serving-names.js'
import type { ImageResolver } from '../../src/runtime/runtime.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { anAutoscaler } from './autoscaler.js'

const DIGEST = `sha256:${'a'.repeat(64)}`

/** Knows `example.com/hello` and everything under `example.com/good/`; nothing else. */
export const someImages: ImageResolver = {
  async resolve(reference) {
    const repository = reference.replace(/:[^/]*$/, '')
    if (repository !== 'example.com/hello' && !repository.startsWith('example.com/good/')) return { problem: `no such image: ${reference}` }
    return { image: { repository, digest: DIGEST, entrypoint: [], args: [], env: {} } }
  },
}

/** Serving's kinds and controllers over a store in memory. Deployments and Pods do nothing by themselves: tests say what they do. */
export interface Serving {
  client: Client
  clock: VirtualClock
  settled(): Promise<void>
  /** Stops all controllers and starts them anew over the same objects, as a restart of the emulator does. */
  restart(): Promise<void>
  /** Creates a Service as a user would and waits until everything that follows has happened. */
  create(name: string, spec?: Partial<Service['spec']> & { image?: string }, metadata?: Service['metadata'] | object): Promise<Service>
  /** Changes a Service's spec. */
  change(name: string, change: (service: Service) => Service): Promise<Service>
  service(name: string): Promise<Service>
  /** Plays kubelet and Deployment controller: one ready Pod, its Endpoints, and a Deployment that is available. */
  becomeReady(revision: string): Promise<void>
  /** Plays the Deployment controller. */
  setDeployment(revision: string, status: NonNullable<Deployment['status']>): Promise<void>
  /** Plays the kubelet: a Pod of a Revision in this state. */
  setPod(revision: string, status: PodStatus): Promise<void>
  setConfig(name: string, data: Record<string, string>): Promise<void>
  /** Deletes an object in `default`, and then what it owned. */
  remove(kind: Kind, name: string): Promise<void>
  /** Plays the garbage collector: deletes whatever has lost its owner, until there is nothing left of it. */
  collect(): Promise<void>
  stop(): Promise<void>
}

export async function startServing(
  engines: { images?: ImageResolver; desiredScale?: () => number | undefined; excessBurstCapacity?: () => number } = {},
): Promise<Serving> {
  const clock: VirtualClock = createVirtualClock({ settle: async () => manager.settled() })
  const log = createSilentLogger()
  const random = createSeededRandom(1)
  const realClock = createVirtualClock()
  const server = createApiServer({
    store: createMemoryStore({ freeze: true }),
    kinds: [
      configMapServed,
      deploymentServed,
      endpointsServed,
      eventServed,
      podServed,
      coreServiceServed,
      serviceServed,
      configurationServed,
      revisionServed,
      routeServed,
      podAutoscalerServed,
      serverlessServiceServed,
      kingressServed,
      imageServed,
    ],
    clock,
    realClock,
    random,
    log,
  })
  const clientFor = (name: string): Client => createClient({ transport: server, user: { name, groups: [] }, fieldManager: name })
  const config = createConfigReader({
    read: () => manager.informer(configMapKind).get({ namespace: 'knative-serving', name: 'config-autoscaler' })?.data,
    log,
  })
  const controllers: Controller[] = [
    createServiceController(),
    createConfigurationController(),
    createRevisionController({ images: engines.images ?? someImages }),
    createRouteController(),
    createPodAutoscalerController({ autoscaler: anAutoscaler({ ...engines, config }) }),
    createServerlessServiceController(),
    createKIngressController(),
  ]
  const newManager = (): Manager => createManager({ clientFor, controllers, clock, realClock, eventDelayMs: 0, random, log })
  let manager = newManager()
  const client = clientFor('jane')
  await manager.start()

  const settled = () => manager.settled()
  const find = (name: string) => client.get(serviceKind, { namespace: 'default', name })
  const serving: Serving = {
    client,
    clock,
    settled,
    async restart() {
      await manager.stop()
      manager = newManager()
      await manager.start()
      await settled()
    },
    async create(name, { image = 'example.com/hello', ...spec } = {}, metadata = {}) {
      const template = spec.template ?? { spec: { containers: [{ name: '', image }] } }
      await client.create(serviceKind, { metadata: { namespace: 'default', name, ...metadata }, spec: { ...spec, template } })
      await settled()
      return find(name)
    },
    async change(name, change) {
      await client.update(serviceKind, change(await find(name)))
      await settled()
      return find(name)
    },
    service: find,
    async becomeReady(revision) {
      await serving.setPod(revision, { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })
      const name = privateServiceName(revision)
      const subsets = [
        {
          addresses: [{ ip: '10.244.0.9' }],
          ports: [
            { name: 'http', port: 8012, protocol: 'TCP' },
            { name: 'http-usermetric', port: 9091, protocol: 'TCP' },
          ],
        },
      ]
      if (!(await client.find(endpointsKind, { namespace: 'default', name }))) {
        await client.create(endpointsKind, { metadata: { namespace: 'default', name }, subsets })
      }
      const conditions = [{ type: 'Progressing' as const, status: 'True' as const, reason: 'NewReplicaSetAvailable' }]
      await serving.setDeployment(revision, { replicas: 1, readyReplicas: 1, availableReplicas: 1, conditions })
    },
    async setDeployment(revision, status) {
      const deployment = await client.get(deploymentKind, { namespace: 'default', name: deploymentName(revision) })
      await client.updateStatus(deploymentKind, { ...deployment, status })
      await settled()
    },
    async setPod(revision, status) {
      const ref = { namespace: 'default', name: `${revision}-pod` }
      const deployment = await client.get(deploymentKind, { namespace: 'default', name: deploymentName(revision) })
      const { labels } = deployment.spec.template.metadata!
      const metadata = { ...ref, labels: { ...labels }, ownerReferences: [controllerReference(deployment)] }
      const draft: Draft<Pod> = { metadata, spec: deployment.spec.template.spec }
      const pod = (await client.find(podKind, ref)) ?? (await client.create(podKind, draft))
      await client.updateStatus(podKind, { ...pod, status })
      await settled()
    },
    async setConfig(name, data) {
      const ref = { namespace: 'knative-serving', name }
      const present = await client.find(configMapKind, ref)
      if (present) await client.update(configMapKind, { ...present, data })
      else await client.create(configMapKind, { metadata: ref, data })
      await settled()
    },
    async remove(kind, name) {
      await client.delete(kind, { namespace: 'default', name })
      await settled()
      await serving.collect()
    },
    async collect() {
      for (let isDone = false; !isDone; ) {
        const objects = (
          await Promise.all(server.stored.kinds().map(async (kind) => (await client.list(kind)).map((object) => ({ kind, object }))))
        ).flat()
        const alive = new Set(objects.map(({ object }) => object.metadata.uid))
        const orphans = objects.filter(({ object }) => object.metadata.ownerReferences?.some(({ uid }) => !alive.has(uid)))
        for (const { kind, object } of orphans) await client.delete(kind, object.metadata)
        await settled()
        isDone = orphans.length === 0
      }
    },
    stop: () => manager.stop(),
  }
  return serving
}

/** `status reason: message` of a condition, or `none`. */
export function conditionText(object: { status?: { conditions?: readonly Condition[] } }, type: string): string {
  const condition = object.status?.conditions?.find((candidate) => candidate.type === type)
  if (!condition) return 'none'
  const { status, reason, message } = condition
  return `${status}${reason ? ` ${reason}` : ''}${message ? `: ${message}` : ''}`
}

export async function revisionText(serving: Serving, name: string, type: string): Promise<string> {
  return conditionText(await serving.client.get(revisionKind, { namespace: 'default', name }), type)
}

/** What defaulting and validation are told; nothing is stored, no ConfigMap says anything but `config`. */
export function anAdmission<T extends AdmissionContext['old'] & object>(
  overrides: Partial<Omit<AdmissionContext, 'old'>> & {
    old?: T
    config?: Record<string, Record<string, string>>
    warnings?: string[]
  } = {},
): AdmissionContext<T> {
  const { config = {}, warnings = [], ...rest } = overrides
  return {
    operation: rest.old ? 'UPDATE' : 'CREATE',
    subresource: '',
    user: { name: 'jane', groups: [] },
    nowMs: 0,
    dryRun: false,
    find: () => undefined,
    list: () => [],
    configMap: (_, name) => config[name] ?? {},
    isAllowed: () => true,
    warn: (text) => void warnings.push(text),
    ...rest,
  } as AdmissionContext<T>
}
