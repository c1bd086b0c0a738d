import { afterEach, beforeEach, expect, test } from 'vitest'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { StatusError } from '../../../src/apimachinery/status-error.js'
import { podKind } from '../../../src/kinds/core/pod/kind.js'
import { controllers, servedKinds } from '../../../src/kinds/index.js'
import { revisionKind } from '../../../src/kinds/revision/kind.js'
import { serviceKind } from '../../../src/kinds/service/kind.js'
import type { Service } from '../../../src/kinds/service/schema.js'
import { conditionText } from '../../support/serving.js'
import { type Cluster, startCluster } from './core/support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster({ kinds: servedKinds, controllers })
})
afterEach(() => cluster.stop())

const ref = { namespace: 'default', name: 'hello' }
const service = () => cluster.client.get(serviceKind, ref)
const create = async (spec: object = { containers: [{ image: 'example.com/app' }] }, metadata: object = {}) => {
  await cluster.client.create(serviceKind, { metadata: { ...ref, ...metadata }, spec: { template: { spec } } } as never)
  await cluster.settle()
}
const everything = async (): Promise<string[]> => {
  const lists = await Promise.all(
    servedKinds.map(async ({ kind }) => cluster.client.list<KubeObject>(kind, kind.namespaced ? 'default' : undefined)),
  )
  return lists
    .flat()
    .filter(({ kind }) => kind !== 'Event')
    .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
}

test('a Service starts a process, becomes ready, and leaves nothing when it is deleted', async () => {
  const before = await everything()
  await create()
  expect(conditionText(await service(), 'Ready')).toBe('True')
  const { env } = cluster.runtime.last('user-container').request
  expect(env).toMatchObject({ K_SERVICE: 'hello', K_CONFIGURATION: 'hello', K_REVISION: 'hello-00001' })
  const [pod] = await cluster.client.list(podKind, 'default')
  expect(pod!.spec.containers.map(({ name }) => name)).toEqual(['user-container', 'queue-proxy'])
  expect(pod!.status?.containerStatuses?.every(({ ready }) => ready)).toBe(true)

  await cluster.client.delete(serviceKind, ref)
  await cluster.settle()
  expect(await everything()).toEqual(before)
})

test('an update starts the new Revision beside the old one, and both keep running', async () => {
  await create()
  const before = await service()
  const { spec } = before.spec.template
  const changed: Service = { ...before, spec: { ...before.spec, template: { spec: { ...spec, containerConcurrency: 3 } } } }
  await cluster.client.update(serviceKind, changed)
  await cluster.settle()
  expect(conditionText(await service(), 'Ready')).toBe('True')
  expect((await service()).status?.traffic).toMatchObject([{ revisionName: 'hello-00002', percent: 100 }])
  expect(await cluster.client.list(podKind, 'default')).toHaveLength(2)
})

test('a program that crashes at once fails the Service with its exit code and last words', async () => {
  cluster.failing.add('all')
  await create()
  cluster.runtime.tail = 'cannot open database\n'
  cluster.runtime.last('user-container').exit(2)
  await cluster.settle()
  const revision = await cluster.client.get(revisionKind, { namespace: 'default', name: 'hello-00001' })
  expect(conditionText(revision, 'ContainerHealthy')).toBe('False ExitCode2: Container failed with: cannot open database\n')
  expect(conditionText(await service(), 'ConfigurationsReady')).toMatch(/^False RevisionFailed: /)
})

test("what happened is recorded as Events in Knative's words", async () => {
  await create()
  const events = (await cluster.events()).map(({ involvedObject, reason, message }) => `${involvedObject.kind} ${reason}: ${message}`)
  expect(events).toEqual(
    expect.arrayContaining([
      'Service Created: Created Configuration "hello"',
      'Service Created: Created Route "hello"',
      'Configuration Created: Created Revision "hello-00001"',
      'Configuration ConfigurationReady: Configuration becomes ready',
      'Configuration LatestReadyUpdate: LatestReadyRevisionName updated to "hello-00001"',
      'Revision RevisionReady: Revision becomes ready upon all resources being ready',
      'Route FinalizerUpdate: Updated "hello" finalizers',
      'Route Created: Created placeholder service "hello"',
      'Route Created: Created Ingress "hello"',
    ]),
  )
})

test("fields that Serving does not know are pruned, and a refusal reads as its webhook's", async () => {
  await create({
    containers: [{ image: 'example.com/app', lifecycle: { preStop: {} }, stdin: true, ports: [{ containerPort: 9000, hostPort: 1 }] }],
    terminationGracePeriodSeconds: 5,
  })
  const { template } = (await service()).spec
  expect(template.spec).not.toHaveProperty('terminationGracePeriodSeconds')
  expect(template.spec.containers[0]).not.toHaveProperty('lifecycle')
  expect(template.spec.containers[0]!.ports).toEqual([{ containerPort: 9000, protocol: 'TCP' }])

  const refused = cluster.client.create(serviceKind, {
    metadata: { namespace: 'default', name: 'bad' },
    spec: { template: { spec: { containers: [{ name: '', image: 'x y' }] } } },
  })
  await expect(refused).rejects.toThrow(
    'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: Failed to parse image reference: spec.template.spec.containers[0].image\nimage: "x y", error: could not parse reference: x y',
  )
})

test('a Service without containers is refused by its schema', async () => {
  const refused = cluster.client.create(serviceKind, { metadata: ref, spec: { template: { spec: {} } } } as never)
  await expect(refused).rejects.toBeInstanceOf(StatusError)
  await expect(refused).rejects.toThrow('spec.template.spec.containers: Required value')
})
