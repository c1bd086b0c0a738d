import { afterEach, beforeEach, expect, test } from 'vitest'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { startInformer } from '../../../src/client/informer.js'
import { configurationKind } from '../../../src/kinds/configuration/kind.js'
import { configMapKind } from '../../../src/kinds/core/configmap/kind.js'
import { deploymentKind } from '../../../src/kinds/core/deployment/kind.js'
import { endpointsKind } from '../../../src/kinds/core/endpoints/kind.js'
import { coreServiceKind } from '../../../src/kinds/core/service/kind.js'
import { imageKind } from '../../../src/kinds/image/kind.js'
import { kingressKind } from '../../../src/kinds/kingress/kind.js'
import { podAutoscalerKind } from '../../../src/kinds/podautoscaler/kind.js'
import { revisionKind } from '../../../src/kinds/revision/kind.js'
import { routeKind } from '../../../src/kinds/route/kind.js'
import { serverlessServiceKind } from '../../../src/kinds/serverlessservice/kind.js'
import { serviceKind } from '../../../src/kinds/service/kind.js'
import type { Service } from '../../../src/kinds/service/schema.js'
import { conditionText, revisionText, type Serving, startServing } from '../../support/serving.js'

let serving: Serving
beforeEach(async () => {
  serving = await startServing()
})
afterEach(() => serving.stop())

const verdict = (service: Service): string[] =>
  ['ConfigurationsReady', 'RoutesReady', 'Ready'].map((type) => `${type} ${conditionText(service, type)}`)
const withImage =
  (image: string) =>
  (service: Service): Service => ({
    ...service,
    spec: { ...service.spec, template: { ...service.spec.template, spec: { containers: [{ name: '', image }] } } },
  })
const inDefault = (name: string) => ({ namespace: 'default', name })

test('a Service with a good image waits for its Revision, shows its URL meanwhile, and becomes ready', async () => {
  const waiting = await serving.create('hello')
  expect(verdict(waiting)).toEqual([
    'ConfigurationsReady Unknown',
    'RoutesReady Unknown RevisionMissing: Configuration "hello" is waiting for a Revision to become ready.',
    'Ready Unknown RevisionMissing: Configuration "hello" is waiting for a Revision to become ready.',
  ])
  expect(waiting.status?.url).toBe('http://hello.default.svc.cluster.local')

  await serving.becomeReady('hello-00001')
  const ready = await serving.service('hello')
  expect(verdict(ready)).toEqual(['ConfigurationsReady True', 'RoutesReady True', 'Ready True'])
  expect(ready.status).toMatchObject({
    observedGeneration: 1,
    latestCreatedRevisionName: 'hello-00001',
    latestReadyRevisionName: 'hello-00001',
    address: { url: 'http://hello.default.svc.cluster.local' },
    traffic: [{ revisionName: 'hello-00001', percent: 100, latestRevision: true }],
  })
})

test('a Service with an image that cannot be resolved fails, and its Ready shows what the Route says', async () => {
  const failed = await serving.create('hello', { image: 'example.com/missing' })

  expect(verdict(failed)).toEqual([
    'ConfigurationsReady False RevisionFailed: Revision "hello-00001" failed with message: Unable to fetch image "example.com/missing": failed to resolve image to digest: no such image: example.com/missing.',
    'RoutesReady False RevisionMissing: Configuration "hello" does not have any ready Revision.',
    'Ready False RevisionMissing: Configuration "hello" does not have any ready Revision.',
  ])
  expect(await revisionText(serving, 'hello-00001', 'ContainerHealthy')).toBe(
    'False ContainerMissing: Unable to fetch image "example.com/missing": failed to resolve image to digest: no such image: example.com/missing',
  )
  expect(await revisionText(serving, 'hello-00001', 'ResourcesAvailable')).toBe('Unknown ResolvingDigests')
  expect(await serving.client.list(deploymentKind, 'default')).toEqual([])
})

test('an update to a bad image fails the Configuration while the Route goes on with the old Revision', async () => {
  await serving.create('hello')
  await serving.becomeReady('hello-00001')
  const updated = await serving.change('hello', withImage('example.com/missing'))

  expect(verdict(updated)[0]).toMatch(/^ConfigurationsReady False RevisionFailed: Revision "hello-00002" failed with message: /)
  expect(verdict(updated)[1]).toBe('RoutesReady True')
  expect(verdict(updated)[2]).toMatch(/^Ready False RevisionFailed: /)
  expect(updated.status).toMatchObject({
    latestCreatedRevisionName: 'hello-00002',
    latestReadyRevisionName: 'hello-00001',
    traffic: [{ revisionName: 'hello-00001', percent: 100 }],
  })
})

test('an update moves all traffic once the new Revision is ready', async () => {
  await serving.create('hello')
  await serving.becomeReady('hello-00001')
  const waiting = await serving.change('hello', withImage('example.com/good/other'))
  expect(verdict(waiting)).toEqual(['ConfigurationsReady Unknown', 'RoutesReady True', 'Ready Unknown'])
  expect(waiting.status?.traffic).toMatchObject([{ revisionName: 'hello-00001' }])

  await serving.becomeReady('hello-00002')
  const ready = await serving.service('hello')
  expect(verdict(ready)[2]).toBe('Ready True')
  expect(ready.status?.traffic).toEqual([{ revisionName: 'hello-00002', percent: 100, latestRevision: true }])
})

test('traffic to a Revision that does not exist fails the Route and leaves the Configuration ready', async () => {
  await serving.create('hello')
  await serving.becomeReady('hello-00001')
  const split = await serving.change('hello', (service) => ({
    ...service,
    spec: { ...service.spec, traffic: [{ revisionName: 'hello-99999', percent: 100 }] },
  }))

  expect(verdict(split)).toEqual([
    'ConfigurationsReady True',
    'RoutesReady False RevisionMissing: Revision "hello-99999" referenced in traffic not found.',
    'Ready False RevisionMissing: Revision "hello-99999" referenced in traffic not found.',
  ])
  // The old traffic goes on.
  expect(split.status?.traffic).toMatchObject([{ revisionName: 'hello-00001' }])
})

test('listing the same Revision twice without tags is merged by the Route, so the Service is never migrated', async () => {
  await serving.create('hello')
  await serving.becomeReady('hello-00001')
  const doubled = await serving.change('hello', (service) => ({
    ...service,
    spec: {
      ...service.spec,
      traffic: [
        { revisionName: 'hello-00001', percent: 50 },
        { revisionName: 'hello-00001', percent: 50 },
      ],
    },
  }))

  expect(doubled.status?.traffic).toEqual([{ revisionName: 'hello-00001', percent: 100, latestRevision: false }])
  expect(verdict(doubled)[1]).toBe('RoutesReady Unknown TrafficNotMigrated: Traffic is not yet migrated to the latest revision.')
})

test('a Configuration of the same name that the Service does not own is left alone, and taken over from once it is gone', async () => {
  const template = { spec: { containers: [{ name: '', image: 'example.com/hello' }] } }
  const stranger = await serving.client.create(configurationKind, { metadata: inDefault('hello'), spec: { template } })
  const blocked = await serving.create('hello')
  expect(verdict(blocked)[0]).toBe('ConfigurationsReady False NotOwned: There is an existing Configuration "hello" that we do not own.')

  await serving.remove(configurationKind, stranger.metadata.name)
  expect(verdict(await serving.service('hello'))[0]).toBe('ConfigurationsReady Unknown')
})

test('a Revision name that is taken by another Configuration stops the traffic from moving there', async () => {
  await serving.create('other', {
    template: { metadata: { name: 'other-one' }, spec: { containers: [{ name: '', image: 'example.com/hello' }] } },
  })
  const original = await serving.client.get(revisionKind, inDefault('other-one'))
  await serving.client.create(revisionKind, {
    metadata: inDefault('hello-one'),
    spec: original.spec,
  })
  const taken = await serving.create('hello', {
    template: { metadata: { name: 'hello-one' }, spec: { containers: [{ name: '', image: 'example.com/hello' }] } },
  })

  expect(verdict(taken)).toEqual([
    'ConfigurationsReady False RevisionFailed: Revision creation failed with message: revisions.serving.knative.dev "hello-one" already exists.',
    'RoutesReady False RevisionNameTaken: The revision name "hello-one" is taken by a conflicting Revision, so traffic will not be migrated',
    'Ready False RevisionNameTaken: The revision name "hello-one" is taken by a conflicting Revision, so traffic will not be migrated',
  ])
  expect(await serving.client.find(routeKind, inDefault('hello'))).toBeUndefined()

  await serving.remove(revisionKind, 'hello-one')
  expect(verdict(await serving.service('hello'))[0]).toBe('ConfigurationsReady Unknown')
})

test('going back to an older Revision name with the same template moves both latest names back and makes no new Revision', async () => {
  const rename =
    (name: string, image: string) =>
    (service: Service): Service => {
      const { spec } = service.spec.template
      const template = { metadata: { name }, spec: { ...spec, containers: [{ ...spec.containers[0]!, image }] } }
      return { ...service, spec: { ...service.spec, template } }
    }
  await serving.create('hello')
  await serving.change('hello', rename('hello-one', 'example.com/hello'))
  await serving.becomeReady('hello-one')
  await serving.change('hello', rename('hello-two', 'example.com/good/two'))
  await serving.becomeReady('hello-two')

  const back = await serving.change('hello', rename('hello-one', 'example.com/hello'))
  expect(back.status).toMatchObject({
    latestCreatedRevisionName: 'hello-one',
    latestReadyRevisionName: 'hello-one',
    traffic: [{ revisionName: 'hello-one' }],
  })
  expect(verdict(back)[2]).toBe('Ready True')
  expect(await serving.client.list(revisionKind, 'default')).toHaveLength(3)
})

test('the present Revision is made again when it is deleted', async () => {
  await serving.create('hello')
  await serving.remove(revisionKind, 'hello-00001')
  expect((await serving.client.list(revisionKind, 'default')).map(({ metadata }) => metadata.name)).toEqual(['hello-00001'])
})

test('a Service that is deleted and made anew at once never shows a conflict with what the old one left behind', async () => {
  await serving.create('hello')
  await serving.becomeReady('hello-00001')
  await serving.client.delete(serviceKind, inDefault('hello'))
  const seen: string[] = []
  const informer = startInformer({ client: serving.client, kind: serviceKind, clock: serving.clock, log: createSilentLogger() })
  informer.onChange(({ object }) => seen.push(...verdict(object)))
  await serving.create('hello')
  await serving.collect()
  await serving.becomeReady('hello-00001')

  expect(verdict(await serving.service('hello'))[2]).toBe('Ready True')
  expect(seen.filter((line) => line.includes('False'))).toEqual([])
  informer.stop()
})

test('editing a label of a Service changes its children and makes no new Revision', async () => {
  await serving.create('hello')
  await serving.change('hello', (service) => ({ ...service, metadata: { ...service.metadata, labels: { team: 'blue' } } }))

  expect((await serving.client.get(configurationKind, inDefault('hello'))).metadata.labels).toMatchObject({ team: 'blue' })
  expect((await serving.client.get(routeKind, inDefault('hello'))).metadata.labels).toMatchObject({ team: 'blue' })
  expect(await serving.client.list(revisionKind, 'default')).toHaveLength(1)
})

test('drift of a child is undone', async () => {
  await serving.create('hello')
  const route = await serving.client.get(routeKind, inDefault('hello'))
  await serving.client.update(routeKind, { ...route, spec: { traffic: [{ configurationName: 'other', percent: 100 }] } })
  await serving.settled()
  expect((await serving.client.get(routeKind, inDefault('hello'))).spec.traffic).toEqual([
    { configurationName: 'hello', latestRevision: true, percent: 100 },
  ])
})

test('reconciling everything anew changes nothing', async () => {
  await serving.setConfig('config-domain', { localhost: '' })
  await serving.create('hello', { traffic: [{ tag: 'now', latestRevision: true, percent: 100 }] })
  await serving.becomeReady('hello-00001')
  const kinds = [serviceKind, configurationKind, revisionKind, routeKind, kingressKind, podAutoscalerKind, serverlessServiceKind, imageKind]
  const coreKinds = [deploymentKind, coreServiceKind, endpointsKind, configMapKind]
  const versions = async () => {
    const lists = await Promise.all([...kinds, ...coreKinds].map((kind) => serving.client.list<KubeObject>(kind)))
    return lists.flat().map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`)
  }
  const before = await versions()
  expect(before.length).toBeGreaterThan(12)

  await serving.restart()
  expect(await versions()).toEqual(before)
})
