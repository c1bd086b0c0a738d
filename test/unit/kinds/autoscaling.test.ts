import { afterEach, expect, test } from 'vitest'
import { deploymentKind } from '../../../src/kinds/core/deployment/kind.js'
import { endpointsKind } from '../../../src/kinds/core/endpoints/kind.js'
import { coreServiceKind } from '../../../src/kinds/core/service/kind.js'
import { podAutoscalerKind } from '../../../src/kinds/podautoscaler/kind.js'
import { revisionKind } from '../../../src/kinds/revision/kind.js'
import { serverlessServiceKind } from '../../../src/kinds/serverlessservice/kind.js'
import { ACTIVATOR_ADDRESS } from '../../../src/kinds/serverlessservice/schema.js'
import { conditionText, type Serving, startServing } from '../../support/serving.js'

let serving: Serving
afterEach(() => serving.stop())

const ref = { namespace: 'default', name: 'hello-00001' }
const autoscaler = () => serving.client.get(podAutoscalerKind, ref)
const sks = () => serving.client.get(serverlessServiceKind, ref)
const replicas = async () =>
  (await serving.client.get(deploymentKind, { namespace: 'default', name: 'hello-00001-deployment' })).spec.replicas
const wake = async () => {
  await serving.setConfig('config-autoscaler', { touched: String(Math.random()) })
}
const states = async () => {
  const pa = await autoscaler()
  return ['Active', 'ScaleTargetInitialized', 'SKSReady', 'Ready'].map((type) => conditionText(pa, type))
}
const withAnnotations = (annotations: Record<string, string>) => ({
  template: { metadata: { annotations }, spec: { containers: [{ name: '', image: 'example.com/hello' }] } },
})

test('without an autoscaler a Deployment keeps the larger of one, initial scale and minimum scale', async () => {
  serving = await startServing()
  await serving.create('hello', withAnnotations({ 'autoscaling.knative.dev/min-scale': '2', 'autoscaling.knative.dev/initial-scale': '3' }))
  expect(await replicas()).toBe(3)
  expect((await autoscaler()).status).toMatchObject({ desiredScale: 3, actualScale: 0 })
})

test('a maximum scale bounds the scale', async () => {
  serving = await startServing()
  await serving.create('hello', withAnnotations({ 'autoscaling.knative.dev/initial-scale': '3', 'autoscaling.knative.dev/max-scale': '2' }))
  expect(await replicas()).toBe(2)
})

test('a scale that somebody else changed is put right', async () => {
  serving = await startServing()
  await serving.create('hello')
  await serving.client.patch(
    deploymentKind,
    { namespace: 'default', name: 'hello-00001-deployment' },
    { type: 'application/merge-patch+json', body: { spec: { replicas: 5 } } },
  )
  await serving.settled()
  expect(await replicas()).toBe(1)
})

test('a PodAutoscaler queues until its Pods are ready, and its target stays initialized for good', async () => {
  let desired = 1
  serving = await startServing({ desiredScale: () => desired })
  await serving.create('hello')
  expect(await states()).toEqual([
    'Unknown Queued: Requests to the target are being buffered as resources are provisioned.',
    'Unknown',
    'Unknown NotReady: K8s Service is not ready',
    'Unknown Queued: Requests to the target are being buffered as resources are provisioned.',
  ])
  await serving.becomeReady('hello-00001')
  expect(await states()).toEqual(['True', 'True', 'True', 'True'])

  desired = 0
  await wake()
  await serving.clock.advance(95_000)
  expect(await replicas()).toBe(0)
  expect((await states()).slice(0, 2)).toEqual(['False NoTraffic: The target is not receiving traffic.', 'True'])
  const revision = await serving.client.get(revisionKind, ref)
  expect([conditionText(revision, 'Active'), conditionText(revision, 'Ready')]).toEqual([
    'False NoTraffic: The target is not receiving traffic.',
    'True',
  ])
})

test('a target that does not come up is given up half a minute after its progress deadline, and has timed out', async () => {
  serving = await startServing({ desiredScale: () => undefined })
  await serving.create('hello')
  await serving.clock.advance(629_000)
  expect(await replicas()).toBe(1)
  expect((await states())[0]).toMatch(/^Unknown Queued/)
  await serving.clock.advance(1000)
  expect(await replicas()).toBe(0)
  expect((await states())[0]).toBe('False TimedOut: The target could not be activated.')
  const revision = await serving.client.get(revisionKind, ref)
  expect(conditionText(revision, 'ResourcesAvailable')).toBe('False ProgressDeadlineExceeded: Initial scale was never achieved')
})

test('an autoscaler that does not know scales nothing and leaves the known number alone', async () => {
  let desired: number | undefined = 2
  serving = await startServing({ desiredScale: () => desired })
  await serving.create('hello')
  expect(await replicas()).toBe(2)
  desired = undefined
  await wake()
  expect(await replicas()).toBe(2)
  expect((await autoscaler()).status).toMatchObject({ desiredScale: 2 })
  expect((await sks()).spec.mode).toBe('Proxy')
})

test('the minimum scale does not hold for a Revision that traffic cannot reach', async () => {
  serving = await startServing({ desiredScale: () => 0 })
  await serving.create('hello', withAnnotations({ 'autoscaling.knative.dev/min-scale': '2' }))
  expect(await replicas()).toBe(2)
  await serving.client.patch(revisionKind, ref, {
    type: 'application/merge-patch+json',
    body: { metadata: { labels: { 'serving.knative.dev/routingState': 'reserve' } } },
  })
  // The Route marks it again at once, so look at what the PodAutoscaler was told in between.
  await serving.settled()
  expect((await autoscaler()).spec.reachability).toBe('Reachable')
})

test('another autoscaler class is left to whoever serves it', async () => {
  serving = await startServing()
  await serving.create('hello', withAnnotations({ 'autoscaling.knative.dev/class': 'keda.example.com' }))
  expect((await autoscaler()).status).toBeUndefined()
  expect(await serving.client.list(serverlessServiceKind, 'default')).toEqual([])
})

test('the public Endpoints are the activator until Pods are ready, then the Pods with the public ports only', async () => {
  serving = await startServing()
  await serving.create('hello')
  const endpoints = async () => (await serving.client.get(endpointsKind, ref)).subsets
  expect(await endpoints()).toMatchObject([
    {
      addresses: [{ ip: ACTIVATOR_ADDRESS }],
      ports: [
        { name: 'http', port: 8012 },
        { name: 'https', port: 8112 },
      ],
    },
  ])
  expect(conditionText(await sks(), 'Ready')).toBe('Unknown NoHealthyBackends: K8s Service is not ready')
  expect(conditionText(await sks(), 'ActivatorEndpointsPopulated')).toBe(
    'True ActivatorEndpointsPopulated: Revision is backed by Activator',
  )

  await serving.becomeReady('hello-00001')
  expect(await endpoints()).toMatchObject([{ addresses: [{ ip: '10.244.0.9' }], ports: [{ name: 'http', port: 8012 }] }])
  expect((await endpoints())![0]!.ports).toHaveLength(1)
  expect((await sks()).status).toMatchObject({ serviceName: 'hello-00001', privateServiceName: 'hello-00001-private' })
  expect(conditionText(await sks(), 'Ready')).toBe('True')
  expect(conditionText(await sks(), 'ActivatorEndpointsPopulated')).toBe(
    'False ActivatorEndpointsPopulated: Revision is backed by Activator',
  )
})

test('the private Service selects the Pods of the Revision and lists every port of the sidecar', async () => {
  serving = await startServing()
  await serving.create('hello', {
    template: { spec: { containers: [{ name: '', image: 'example.com/hello', ports: [{ name: 'h2c', containerPort: 9000 }] }] } },
  })
  const { uid } = (await serving.client.get(revisionKind, ref)).metadata
  const service = await serving.client.get(coreServiceKind, { namespace: 'default', name: 'hello-00001-private' })
  expect(service.spec.selector).toEqual({ 'serving.knative.dev/revisionUID': uid })
  expect(service.metadata.labels).toMatchObject({
    'networking.internal.knative.dev/serverlessservice': 'hello-00001',
    'networking.internal.knative.dev/serviceType': 'Private',
  })
  expect(service.spec.ports?.map(({ name, port, targetPort }) => `${name} ${port}->${targetPort}`)).toEqual([
    'http2 80->8013',
    'https 443->8112',
    'http-autometric 9090->9090',
    'http-usermetric 9091->9091',
    'http2-istio 8013->8013',
  ])
  const publicService = await serving.client.get(coreServiceKind, ref)
  expect(publicService.spec.selector).toBeUndefined()
  expect(publicService.spec.ports?.map(({ name, port, targetPort }) => `${name} ${port}->${targetPort}`)).toEqual([
    'http2 81->8013',
    'https 443->8112',
  ])
})

test('a core Service of the same name that belongs to someone else is reported, not touched', async () => {
  serving = await startServing()
  await serving.client.create(coreServiceKind, { metadata: ref, spec: { ports: [{ port: 1 }] } })
  await serving.create('hello')
  expect(conditionText(await sks(), 'Ready')).toBe('False NotOwned: Resource hello-00001 of type Service is not owned by SKS')
  expect((await serving.client.get(coreServiceKind, ref)).spec.ports).toMatchObject([{ port: 1 }])
})
