import { afterEach, beforeEach, expect, test } from 'vitest'
import { deploymentKind } from '../../../src/kinds/core/deployment/kind.js'
import type { ContainerStatus } from '../../../src/kinds/core/pod/schema.js'
import { imageKind } from '../../../src/kinds/image/kind.js'
import { podAutoscalerKind } from '../../../src/kinds/podautoscaler/kind.js'
import { revisionKind } from '../../../src/kinds/revision/kind.js'
import { conditionText, revisionText, type Serving, someImages, startServing } from '../../support/serving.js'

let serving: Serving
const start = async (engines: Parameters<typeof startServing>[0] = {}) => {
  serving = await startServing(engines)
}
beforeEach(() => start())
afterEach(() => serving.stop())

const revision = (name = 'hello-00001') => serving.client.get(revisionKind, { namespace: 'default', name })
const states = async () => {
  const found = await revision()
  return ['ResourcesAvailable', 'ContainerHealthy', 'Active', 'Ready'].map((type) => conditionText(found, type))
}
const QUEUED = 'Unknown Queued: Requests to the target are being buffered as resources are provisioned.'
const container = (status: Partial<ContainerStatus>): ContainerStatus => ({
  name: 'user-container',
  image: 'example.com/hello',
  imageID: '',
  ready: false,
  restartCount: 1,
  state: {},
  lastState: {},
  ...status,
})
const ended = (exitCode: number, message: string, reason = 'Error') => ({
  terminated: { exitCode, reason, message, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z' },
})
const progressing = { conditions: [{ type: 'Progressing' as const, status: 'True' as const, reason: 'ReplicaSetUpdated' }] }

test('while its Pods start, a Revision is Deploying and requests are queued', async () => {
  await serving.create('hello')
  await serving.setDeployment('hello-00001', progressing)
  expect(await states()).toEqual(['Unknown Deploying', 'Unknown Deploying', QUEUED, 'Unknown Deploying'])
})

test('a Revision whose initial scale is reached is ready, and records that once', async () => {
  await serving.create('hello')
  await serving.becomeReady('hello-00001')
  expect(await states()).toEqual(['True', 'True', 'True', 'True'])
  expect((await revision()).status).toMatchObject({ actualReplicas: 1, desiredReplicas: 1 })
})

test('a container that crashes before anything is available fails the Revision with its exit code, and it recovers', async () => {
  await serving.create('hello')
  await serving.setDeployment('hello-00001', progressing)
  await serving.setPod('hello-00001', { containerStatuses: [container({ lastState: ended(3, 'no database\n') })] })
  expect(await states()).toEqual([
    'Unknown Deploying',
    'False ExitCode3: Container failed with: no database\n',
    QUEUED,
    'False ExitCode3: Container failed with: no database\n',
  ])

  await serving.becomeReady('hello-00001')
  expect(await states()).toEqual(['True', 'True', 'True', 'True'])
})

test('a container that ends without an error and a message says so', async () => {
  await serving.create('hello')
  await serving.setPod('hello-00001', { containerStatuses: [container({ lastState: ended(0, '', 'Completed') })] })
  expect((await states())[1]).toBe('False ExitCode0: Container failed with: container exited with no error')
})

test('containers that ended together with the emulator do not count as crashed', async () => {
  await serving.create('hello')
  await serving.setDeployment('hello-00001', progressing)
  await serving.setPod('hello-00001', { containerStatuses: [container({ lastState: ended(255, '', 'Unknown') })] })
  expect((await states())[1]).toBe('Unknown Deploying')
})

test('what queue-proxy reports is never held against the program', async () => {
  await serving.create('hello')
  await serving.setPod('hello-00001', { containerStatuses: [container({ name: 'queue-proxy', lastState: ended(1, 'x') })] })
  expect((await states())[1]).toBe('Unknown Deploying')
})

test('a Revision that is never ready fails at the progress deadline, with the waiting container as the reason if there is one', async () => {
  await serving.create('hello')
  const message = 'ReplicaSet "hello-00001-deployment-abc" has timed out progressing.'
  const timedOut = { conditions: [{ type: 'Progressing' as const, status: 'False' as const, reason: 'ProgressDeadlineExceeded', message }] }
  await serving.setDeployment('hello-00001', timedOut)
  expect((await states())[0]).toBe(`False ProgressDeadlineExceeded: ${message}`)

  const waiting = { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "example.com/hello"' } }
  await serving.setPod('hello-00001', { containerStatuses: [container({ state: waiting })] })
  expect((await states())[0]).toBe('False ImagePullBackOff: Back-off pulling image "example.com/hello"')
})

test('a Pod that cannot be scheduled fails the Revision, unless the cluster is said to find room for every Pod', async () => {
  await serving.create('hello')
  const unscheduled = {
    conditions: [{ type: 'PodScheduled', status: 'False' as const, reason: 'Unschedulable', message: '0/1 nodes are available' }],
  }
  await serving.setDeployment('hello-00001', progressing)
  await serving.setPod('hello-00001', unscheduled)
  expect((await states())[0]).toBe('False Unschedulable: 0/1 nodes are available')

  await serving.setConfig('config-deployment', { 'pod-is-always-schedulable': 'true' })
  expect((await states())[0]).toBe('Unknown Deploying')
})

test('replicas that the API server refuses fail the Revision with its words', async () => {
  await serving.create('hello')
  const message = 'pods "x" is forbidden: exceeded quota'
  await serving.setDeployment('hello-00001', { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }] })
  expect((await states())[0]).toBe(`False FailedCreate: ${message}`)
})

test('an image that cannot be resolved is tried again after 1 s, 2 s, 4 s …, and other changes in between try nothing', async () => {
  await serving.stop()
  const tries: number[] = []
  let isThere = false
  await start({
    images: {
      async resolve(reference) {
        tries.push(serving.clock.now())
        return isThere ? someImages.resolve('example.com/hello') : { problem: `no such image: ${reference}` }
      },
    },
  })
  const startedMs = serving.clock.now()
  await serving.create('hello', { image: 'example.com/late' })
  await serving.clock.advance(8_000)
  expect(tries.map((ms) => ms - startedMs)).toEqual([0, 1000, 3000, 7000])

  isThere = true
  await serving.clock.advance(8_000)
  expect((await states()).slice(0, 2)).toEqual(['Unknown Deploying', 'Unknown Deploying'])
  expect((await revision()).status?.containerStatuses).toEqual([
    { name: 'user-container', imageDigest: `example.com/hello@sha256:${'a'.repeat(64)}` },
  ])
  await serving.clock.advance(60_000)
  expect(tries).toHaveLength(5)
})

test('a registry that is taken on trust leaves the digest empty and the image as it was written', async () => {
  await serving.create('hello', { image: 'dev.local/mine:1' })
  expect((await revision()).status?.containerStatuses).toEqual([{ name: 'user-container', imageDigest: '' }])
  const deployment = await serving.client.get(deploymentKind, { namespace: 'default', name: 'hello-00001-deployment' })
  expect(deployment.spec.template.spec.containers[0]!.image).toBe('dev.local/mine:1')
})

test('a reference that is a digest already is kept as it is', async () => {
  const image = `example.com/pinned@sha256:${'b'.repeat(64)}`
  await serving.create('hello', { image })
  expect((await revision()).status?.containerStatuses).toEqual([{ name: 'user-container', imageDigest: image }])
})

test('each container has an Image object with its digest', async () => {
  await serving.create('hello')
  expect((await serving.client.list(imageKind, 'default')).map(({ metadata, spec }) => [metadata.name, spec.image])).toEqual([
    ['hello-00001-cache-user-container', `example.com/hello@sha256:${'a'.repeat(64)}`],
  ])
})

test('an autoscaling annotation changed on a live Revision reaches its PodAutoscaler, and one removed goes away', async () => {
  await serving.create('hello', {
    template: {
      metadata: { annotations: { 'autoscaling.knative.dev/min-scale': '2' } },
      spec: { containers: [{ name: '', image: 'example.com/hello' }] },
    },
  })
  const patch = (value: string | null) =>
    serving.client.patch(
      revisionKind,
      { namespace: 'default', name: 'hello-00001' },
      { type: 'application/merge-patch+json', body: { metadata: { annotations: { 'autoscaling.knative.dev/min-scale': value } } } },
    )
  const annotations = async () =>
    (await serving.client.get(podAutoscalerKind, { namespace: 'default', name: 'hello-00001' })).metadata.annotations
  expect(await annotations()).toMatchObject({
    'autoscaling.knative.dev/min-scale': '2',
    'autoscaling.knative.dev/class': 'kpa.autoscaling.knative.dev',
    'autoscaling.knative.dev/metric': 'concurrency',
  })
  await patch('3')
  await serving.settled()
  expect(await annotations()).toMatchObject({ 'autoscaling.knative.dev/min-scale': '3' })
  await patch(null)
  await serving.settled()
  expect(await annotations()).not.toHaveProperty('autoscaling.knative.dev/min-scale')
})

test('a Revision whose log URL is configured shows it', async () => {
  await serving.create('hello')
  expect((await revision()).status?.logUrl).toBeUndefined()
  await serving.setConfig('config-observability', { 'logging.revision-url-template': 'http://logs/${REVISION_UID}' })
  expect((await revision()).status?.logUrl).toBe(`http://logs/${(await revision()).metadata.uid}`)
  expect(await revisionText(serving, 'hello-00001', 'Ready')).toBe('Unknown Deploying')
})
