import { afterEach, beforeEach, expect, test } from 'vitest'
import { configurationKind } from '../../../src/kinds/configuration/kind.js'
import { coreServiceKind } from '../../../src/kinds/core/service/kind.js'
import { kingressKind } from '../../../src/kinds/kingress/kind.js'
import { PRIVATE_GATEWAY_HOST, PUBLIC_GATEWAY_HOST } from '../../../src/kinds/kingress/schema.js'
import { revisionKind } from '../../../src/kinds/revision/kind.js'
import { routeKind } from '../../../src/kinds/route/kind.js'
import type { TrafficTarget } from '../../../src/kinds/route/schema.js'
import { PORT_ANNOTATION } from '../../../src/kinds/service/schema.js'
import { conditionText, type Serving, startServing } from '../../support/serving.js'

let serving: Serving
beforeEach(async () => {
  serving = await startServing()
  await serving.setConfig('config-domain', { localhost: '' })
  await serving.setConfig('kn-local', { 'external-port': '19080', 'cluster-local-port': '19081' })
})
afterEach(() => serving.stop())

const inDefault = (name: string) => ({ namespace: 'default', name })
const route = (name = 'hello') => serving.client.get(routeKind, inDefault(name))
const kingress = (name = 'hello') => serving.client.get(kingressKind, inDefault(name))
const revision = (name: string) => serving.client.get(revisionKind, inDefault(name))
const withTraffic = (traffic: TrafficTarget[]) => serving.change('hello', (service) => ({ ...service, spec: { ...service.spec, traffic } }))
const secondRevision = async () => {
  await serving.change('hello', (service) => {
    const { spec } = service.spec.template
    return {
      ...service,
      spec: { ...service.spec, template: { spec: { ...spec, containers: [{ ...spec.containers[0]!, image: 'example.com/good/two' }] } } },
    }
  })
  await serving.becomeReady('hello-00002')
}
const ready = async () => {
  await serving.create('hello')
  await serving.becomeReady('hello-00001')
}

test('a public Route has the domain and the port of the emulator in its URL, a KIngress host has no port', async () => {
  await ready()
  expect((await route()).status).toMatchObject({
    url: 'http://hello.default.localhost:19080',
    address: { url: 'http://hello.default.svc.cluster.local' },
  })
  expect((await kingress()).spec).toEqual({
    httpOption: 'Enabled',
    rules: [
      {
        hosts: ['hello.default', 'hello.default.svc', 'hello.default.svc.cluster.local'],
        visibility: 'ClusterLocal',
        http: { paths: [{ splits: [splitTo('hello-00001', 100)] }] },
      },
      { hosts: ['hello.default.localhost'], visibility: 'ExternalIP', http: { paths: [{ splits: [splitTo('hello-00001', 100)] }] } },
    ],
  })
})

const splitTo = (name: string, percent: number, servicePort = 80) => ({
  serviceNamespace: 'default',
  serviceName: name,
  servicePort,
  percent,
  appendHeaders: { 'Knative-Serving-Revision': name, 'Knative-Serving-Namespace': 'default' },
})

test('port 80 is left out of the URL, and URLs follow the ConfigMaps while the Route lives', async () => {
  await ready()
  await serving.setConfig('kn-local', { 'external-port': '80' })
  expect((await route()).status?.url).toBe('http://hello.default.localhost')
  await serving.setConfig('config-domain', { '127.0.0.1.sslip.io': '', 'blue.example.com': 'selector:\n  team: blue\n' })
  expect((await route()).status?.url).toBe('http://hello.default.127.0.0.1.sslip.io')
  await serving.change('hello', (service) => ({ ...service, metadata: { ...service.metadata, labels: { team: 'blue' } } }))
  expect((await route()).status?.url).toBe('http://hello.default.blue.example.com')
})

test('a domain template shapes the host, and one that makes no domain name is an error of the Route', async () => {
  await ready()
  await serving.setConfig('config-network', { 'domain-template': '{{.Name}}-{{.Namespace}}.{{.Domain}}' })
  expect((await route()).status?.url).toBe('http://hello-default.localhost:19080')
  await serving.setConfig('config-network', { 'domain-template': '{{.Name}}_x.{{.Domain}}' })
  expect(conditionText(await route(), 'AllTrafficAssigned')).toMatch(/^False ErrorConfig: invalid domain name "hello_x.localhost": /)
})

test('a cluster-local Route has no rule for the outside and no port', async () => {
  await serving.create(
    'hello',
    {},
    { namespace: 'default', name: 'hello', labels: { 'networking.knative.dev/visibility': 'cluster-local' } },
  )
  await serving.becomeReady('hello-00001')
  expect((await route()).status?.url).toBe('http://hello.default.svc.cluster.local')
  expect((await kingress()).spec.rules.map(({ visibility }) => visibility)).toEqual(['ClusterLocal'])
  expect(conditionText(await route(), 'CertificateProvisioned')).toBe('True TLSNotEnabled: TLS is not enabled for cluster-local')
})

test('the visibility label on a placeholder Service hides only that target', async () => {
  await ready()
  await withTraffic([{ tag: 'beta', latestRevision: true, percent: 100 }])
  const placeholder = await serving.client.get(coreServiceKind, inDefault('beta-hello'))
  const labels = { ...placeholder.metadata.labels, 'networking.knative.dev/visibility': 'cluster-local' }
  await serving.client.update(coreServiceKind, { ...placeholder, metadata: { ...placeholder.metadata, labels } })
  await serving.settled()
  const { status } = await route()
  expect(status?.url).toBe('http://hello.default.localhost:19080')
  expect(status?.traffic?.[0]?.url).toBe('http://beta-hello.default.svc.cluster.local')
  expect((await serving.client.get(coreServiceKind, inDefault('beta-hello'))).metadata.labels).toMatchObject(labels)
})

test('traffic splits in the order of the spec; a tag has a host and a Service of its own and gets everything there', async () => {
  await ready()
  await secondRevision()
  await withTraffic([
    { revisionName: 'hello-00001', percent: 90 },
    { latestRevision: true, percent: 10 },
    { tag: 'old', revisionName: 'hello-00001', percent: 0 },
  ])
  expect((await route()).status?.traffic).toEqual([
    { revisionName: 'hello-00001', percent: 90, latestRevision: false },
    { revisionName: 'hello-00002', percent: 10, latestRevision: true },
    { revisionName: 'hello-00001', percent: 0, latestRevision: false, tag: 'old', url: 'http://old-hello.default.localhost:19080' },
  ])
  const { spec, metadata } = await kingress()
  expect(
    spec.rules.map(({ hosts, http }) => [hosts[0], http.paths[0]!.splits.map(({ serviceName, percent }) => [serviceName, percent])]),
  ).toEqual([
    [
      'hello.default',
      [
        ['hello-00001', 90],
        ['hello-00002', 10],
      ],
    ],
    [
      'hello.default.localhost',
      [
        ['hello-00001', 90],
        ['hello-00002', 10],
      ],
    ],
    ['old-hello.default', [['hello-00001', 100]]],
    ['old-hello.default.localhost', [['hello-00001', 100]]],
  ])
  expect(JSON.parse(metadata.annotations!['networking.internal.knative.dev/tag-to-host']!)).toEqual({
    old: ['old-hello.default.svc.cluster.local', 'old-hello.default.localhost'],
  })
  expect(JSON.parse(metadata.annotations!['networking.internal.knative.dev/rollout']!)).toEqual({
    configurations: [{ configurationName: 'hello', percent: 10, revisions: [{ revisionName: 'hello-00002', percent: 10 }] }],
  })
  expect(conditionText(await serving.service('hello'), 'Ready')).toBe('True')

  await withTraffic([{ latestRevision: true, percent: 100 }])
  expect(await serving.client.find(coreServiceKind, inDefault('old-hello'))).toBeUndefined()
})

test('with tag header routing, the default host also routes by header and tag hosts name their tag', async () => {
  await serving.setConfig('config-features', { 'tag-header-based-routing': 'Enabled' })
  await ready()
  await withTraffic([{ tag: 'now', latestRevision: true, percent: 100 }])
  const paths = (await kingress()).spec.rules.map(({ http }) =>
    http.paths.map(({ headers, appendHeaders }) => ({ headers, appendHeaders })),
  )
  expect(paths[0]).toEqual([
    { headers: { 'Knative-Serving-Tag': { exact: 'now' } }, appendHeaders: undefined },
    { headers: undefined, appendHeaders: { 'Knative-Serving-Default-Route': 'true' } },
  ])
  expect(paths[2]).toEqual([{ headers: undefined, appendHeaders: { 'Knative-Serving-Tag': 'now' } }])
})

test('an application that speaks h2c is reached on port 81', async () => {
  await serving.create('hello', {
    template: { spec: { containers: [{ name: '', image: 'example.com/hello', ports: [{ name: 'h2c', containerPort: 9000 }] }] } },
  })
  await serving.becomeReady('hello-00001')
  expect((await kingress()).spec.rules[0]!.http.paths[0]!.splits).toEqual([splitTo('hello-00001', 100, 81)])
})

test("placeholder Services resolve to the gateway, and the KIngress carries the Service's port", async () => {
  await ready()
  const service = await serving.service('hello')
  expect((await kingress()).metadata.annotations).toMatchObject({
    [PORT_ANNOTATION]: service.metadata.annotations![PORT_ANNOTATION],
    'networking.knative.dev/ingress.class': 'kn-local.ingress.networking.knative.dev',
  })
  expect((await kingress()).status).toMatchObject({
    publicLoadBalancer: { ingress: [{ domainInternal: PUBLIC_GATEWAY_HOST }] },
    privateLoadBalancer: { ingress: [{ domainInternal: PRIVATE_GATEWAY_HOST }] },
  })
  const placeholder = await serving.client.get(coreServiceKind, inDefault('hello'))
  expect(placeholder.spec).toMatchObject({ type: 'ExternalName', externalName: PRIVATE_GATEWAY_HOST, sessionAffinity: 'None' })
  expect(placeholder.spec.ports).toMatchObject([{ name: 'http2', port: 80, appProtocol: 'kubernetes.io/h2c' }])
})

test("a core Service of the Route's name that belongs to someone else stops the Route, until it is gone", async () => {
  await serving.client.create(coreServiceKind, { metadata: inDefault('hello'), spec: { ports: [{ port: 1 }] } })
  await ready()
  expect(conditionText(await route(), 'IngressReady')).toBe(
    'False NotOwned: There is an existing placeholder Service "hello" that we do not own.',
  )
  await serving.remove(coreServiceKind, 'hello')
  expect(conditionText(await route(), 'Ready')).toBe('True')
})

test('a Service may only send traffic to Revisions of its own', async () => {
  await ready()
  await serving.create('other')
  await serving.becomeReady('other-00001')
  await withTraffic([{ revisionName: 'other-00001', percent: 100 }])
  expect(conditionText(await route(), 'AllTrafficAssigned')).toBe(
    'False RevisionNotOwned: Revision "other-00001" belongs to Service "other", not Service "hello".',
  )
})

test('a Route of its own may use any Revision, and reports what is missing or not ready', async () => {
  await serving.create('hello')
  const create = (name: string, traffic: TrafficTarget[]) =>
    serving.client.create(routeKind, { metadata: inDefault(name), spec: { traffic } })
  await create('free', [{ revisionName: 'hello-00001', percent: 100 }])
  await create('nowhere', [{ configurationName: 'nothing', percent: 100 }])
  await serving.settled()
  expect(conditionText(await route('free'), 'AllTrafficAssigned')).toBe('Unknown RevisionMissing: Revision "hello-00001" is not yet ready.')
  expect(conditionText(await route('nowhere'), 'AllTrafficAssigned')).toBe(
    'False ConfigurationMissing: Configuration "nothing" referenced in traffic not found.',
  )
  await serving.becomeReady('hello-00001')
  expect(conditionText(await route('free'), 'Ready')).toBe('True')
  expect((await route('free')).status?.url).toBe('http://free.default.localhost:19080')
})

test('Revisions and Configurations know the Routes that use them, and a Revision left by all is in reserve', async () => {
  await ready()
  expect((await revision('hello-00001')).metadata).toMatchObject({
    labels: { 'serving.knative.dev/routingState': 'active' },
    annotations: { 'serving.knative.dev/routes': 'hello' },
  })
  await serving.clock.advance(60_000)
  await secondRevision()
  const old = (await revision('hello-00001')).metadata
  expect(old.labels).toMatchObject({ 'serving.knative.dev/routingState': 'reserve' })
  expect(old.annotations).not.toHaveProperty('serving.knative.dev/routes')
  expect(old.annotations).toMatchObject({ 'serving.knative.dev/routingStateModified': '2026-01-01T00:01:00Z' })
  expect((await revision('hello-00002')).metadata.annotations).toMatchObject({ 'serving.knative.dev/routes': 'hello' })
})

test('during an update the old Revision stays active until the Route is ready with the new one', async () => {
  await ready()
  await serving.change('hello', (service) => {
    const { spec } = service.spec.template
    return {
      ...service,
      spec: { ...service.spec, template: { spec: { ...spec, containers: [{ ...spec.containers[0]!, image: 'example.com/good/two' }] } } },
    }
  })
  expect((await revision('hello-00001')).metadata.labels).toMatchObject({ 'serving.knative.dev/routingState': 'active' })
})

test('deleting a Route unmarks everything it used before it goes', async () => {
  await ready()
  await serving.client.create(routeKind, {
    metadata: inDefault('second'),
    spec: { traffic: [{ configurationName: 'hello', percent: 100 }] },
  })
  await serving.settled()
  expect((await revision('hello-00001')).metadata.annotations).toMatchObject({ 'serving.knative.dev/routes': 'hello,second' })
  expect((await route('second')).metadata.finalizers).toEqual(['routes.serving.knative.dev'])

  await serving.client.delete(routeKind, inDefault('second'))
  await serving.settled()
  expect(await serving.client.find(routeKind, inDefault('second'))).toBeUndefined()
  expect((await revision('hello-00001')).metadata).toMatchObject({
    labels: { 'serving.knative.dev/routingState': 'active' },
    annotations: { 'serving.knative.dev/routes': 'hello' },
  })
  expect((await serving.client.get(configurationKind, inDefault('hello'))).metadata.annotations).toMatchObject({
    'serving.knative.dev/routes': 'hello',
  })
})
