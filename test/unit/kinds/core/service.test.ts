import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AdmissionContext, Kind } from '../../../../src/apimachinery/kind.js'
import { endpointsKind } from '../../../../src/kinds/core/endpoints/kind.js'
import { endpointSliceKind } from '../../../../src/kinds/core/endpointslice/kind.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { allocateNodePorts } from '../../../../src/kinds/core/service/allocate.js'
import { coreServiceKind } from '../../../../src/kinds/core/service/kind.js'
import type { CoreService } from '../../../../src/kinds/core/service/schema.js'
import { serviceKind } from '../../../../src/kinds/service/kind.js'
import { PORT_ANNOTATION, type Service } from '../../../../src/kinds/service/schema.js'
import { aPod, type Cluster, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop())

const web = { namespace: 'default', name: 'web' }
const slices = () => cluster.client.list(endpointSliceKind, 'default')
const create = async (spec: CoreService['spec'], name = 'web') => {
  const created = await cluster.client.create(coreServiceKind, {
    metadata: { namespace: 'default', name, labels: { tier: 'front' } },
    spec,
  })
  await cluster.settle()
  return created
}

test('a service gets defaults and a cluster address that stays the same for its name', async () => {
  const { spec } = await create({ selector: { app: 'web' }, ports: [{ port: 80 }] })
  expect(spec).toEqual({
    type: 'ClusterIP',
    selector: { app: 'web' },
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
    clusterIP: expect.stringMatching(/^10\.(9[6-9]|10\d|11[01])\.\d+\.\d+$/),
    clusterIPs: [spec.clusterIP],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    internalTrafficPolicy: 'Cluster',
  })
  await cluster.client.delete(coreServiceKind, web)
  expect((await create({ ports: [{ port: 80 }] })).spec.clusterIP).toBe(spec.clusterIP)
})

test('node ports are allocated in their range, kept on update and never given twice', async () => {
  const first = await create({ type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80 }] })
  const nodePort = first.spec.ports![0]!.nodePort!
  expect(nodePort).toBeGreaterThanOrEqual(30_000)
  expect(nodePort).toBeLessThan(32_768)
  const replaced = await cluster.client.update(coreServiceKind, {
    ...first,
    spec: { type: 'NodePort', selector: {}, ports: [{ port: 80 }] },
  })
  expect(replaced.spec).toMatchObject({ clusterIP: first.spec.clusterIP, ports: [{ nodePort }] })

  const clash = create({ type: 'NodePort', ports: [{ port: 80, nodePort }] }, 'other')
  await expect(clash).rejects.toThrow(
    `Service "other" is invalid: spec.ports[0].nodePort: Invalid value: ${nodePort}: provided port is already allocated`,
  )
})

test('an ExternalName is an alias without address; the cluster address of a service may not change', async () => {
  expect((await create({ type: 'ExternalName', externalName: 'example.test', ports: [{ name: 'http2', port: 80 }] })).spec).toEqual({
    type: 'ExternalName',
    externalName: 'example.test',
    sessionAffinity: 'None',
    ports: [{ name: 'http2', port: 80, protocol: 'TCP', targetPort: 80 }],
  })
  const other = await create({ ports: [{ port: 80 }] }, 'other')
  const moved = { ...other, spec: { ...other.spec, clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'] } }
  await expect(cluster.client.update(coreServiceKind, moved)).rejects.toThrow(
    'spec.clusterIPs[0]: Invalid value: "10.96.0.9": may not change once set',
  )
})

test('endpoints and slices follow the readiness of the selected pods', async () => {
  cluster.failing.add('all')
  await create({ selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'web-port' }] })
  expect((await slices())[0]).toMatchObject({ endpoints: [], ports: [] })
  await cluster.client.create(
    podKind,
    aPod('web', { container: { ports: [{ name: 'web-port', containerPort: 8080 }], readinessProbe: { tcpSocket: { port: 8080 } } } }),
  )
  await cluster.settle()
  const { uid } = (await cluster.pod('web')).metadata
  const [unready] = await slices()
  expect(unready!.metadata).toMatchObject({
    name: expect.stringMatching(/^web-[a-z0-9]{5}$/),
    labels: {
      tier: 'front',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    },
    ownerReferences: [{ kind: 'Service', name: 'web', controller: true }],
  })
  expect(unready!.ports).toEqual([{ name: 'http', protocol: 'TCP', port: 8080 }])
  expect(unready!.endpoints).toEqual([
    {
      addresses: ['10.244.0.2'],
      conditions: { ready: false, serving: false, terminating: false },
      targetRef: { kind: 'Pod', namespace: 'default', name: 'web', uid },
      nodeName: 'kn-local',
    },
  ])
  expect((await cluster.client.get(endpointsKind, web)).subsets).toMatchObject([
    { notReadyAddresses: [{ ip: '10.244.0.2' }], ports: [{ name: 'http', port: 8080 }] },
  ])

  cluster.failing.clear()
  await cluster.settle()
  await cluster.real.advance(2000)
  const after = await slices()
  expect(after).toHaveLength(1)
  expect(after[0]!.endpoints[0]!.conditions).toEqual({ ready: true, serving: true, terminating: false })
  expect((await cluster.client.get(endpointsKind, web)).subsets).toMatchObject([
    { addresses: [{ ip: '10.244.0.2', targetRef: { name: 'web' } }] },
  ])

  await cluster.client.delete(podKind, web)
  await cluster.settle()
  expect((await slices())[0]!.endpoints).toEqual([])
})

test('a node port is never the loopback port of a Knative Service, asked for or not', () => {
  const taken: Service = { metadata: { namespace: 'default', name: 'hello', annotations: { [PORT_ANNOTATION]: '' } } } as never
  const list = ((kind: Kind) => (kind === (serviceKind as Kind) ? [taken] : [])) as AdmissionContext<CoreService>['list']
  const context = { operation: 'CREATE', list } as AdmissionContext<CoreService>
  const nodePortOf = (asked?: number): number => {
    const ports = [{ port: 80, ...(asked && { nodePort: asked }) }]
    const draft = { metadata: web, spec: { type: 'NodePort', ports } } as unknown as CoreService
    allocateNodePorts(draft, context)
    return draft.spec.ports![0]!.nodePort!
  }
  const first = nodePortOf()
  taken.metadata.annotations![PORT_ANNOTATION] = String(first)
  expect(nodePortOf()).not.toBe(first)
  expect(() => nodePortOf(first)).toThrow(`spec.ports[0].nodePort: Invalid value: ${first}: provided port is already allocated`)
})

test('a pod with a name below a headless service has it in the endpoints too', async () => {
  await create({ clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] })
  await create({ selector: { app: 'web' }, ports: [{ port: 80 }] }, 'other')
  await cluster.client.create(podKind, aPod('web', { hostname: 'web-0', subdomain: 'web' }))
  await cluster.settle()
  const named = Object.fromEntries((await slices()).map(({ metadata, endpoints }) => [metadata.ownerReferences![0]!.name, endpoints[0]]))
  expect(named['web']!.hostname).toBe('web-0')
  expect(named['other']).not.toHaveProperty('hostname')
  expect((await cluster.client.get(endpointsKind, web)).subsets![0]!.addresses![0]!.hostname).toBe('web-0')
})

test('what is mirrored follows the endpoints: by family of address, with names, until they are gone or a lock', async () => {
  await create({ ports: [{ port: 80 }] })
  const written = await cluster.client.create(endpointsKind, {
    metadata: web,
    subsets: [
      {
        addresses: [{ ip: '192.0.2.1', hostname: 'one' }, { ip: '2001:db8::1' }],
        notReadyAddresses: [{ ip: '192.0.2.2' }],
        ports: [{ port: 8080 }],
      },
    ],
  })
  await cluster.settle()
  const shown = async () =>
    [...(await slices())]
      .sort((a, b) => (a.addressType < b.addressType ? -1 : 1))
      .map(({ addressType, endpoints, ports }) => ({ addressType, endpoints, ports }))
  const ports = [{ name: '', port: 8080, protocol: 'TCP' }]
  expect(await shown()).toEqual([
    {
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['192.0.2.1'], conditions: { ready: true }, hostname: 'one' },
        { addresses: ['192.0.2.2'], conditions: { ready: false } },
      ],
      ports,
    },
    { addressType: 'IPv6', endpoints: [{ addresses: ['2001:db8::1'], conditions: { ready: true } }], ports },
  ])

  const moved = await cluster.client.update(endpointsKind, {
    ...written,
    subsets: [{ addresses: [{ ip: '2001:db8::2' }], ports: [{ port: 8080 }] }],
  })
  await cluster.settle()
  expect(await shown()).toMatchObject([{ addressType: 'IPv6', endpoints: [{ addresses: ['2001:db8::2'] }] }])
  const annotations = { 'control-plane.alpha.kubernetes.io/leader': '{}' }
  const lock = await cluster.client.update(endpointsKind, { ...moved, metadata: { ...moved.metadata, annotations } })
  await cluster.settle()
  expect(await slices()).toEqual([])
  await cluster.client.update(endpointsKind, { ...lock, metadata: { ...lock.metadata, annotations: {} } })
  await cluster.settle()
  expect(await slices()).toHaveLength(1)
  await cluster.client.delete(endpointsKind, web)
  await cluster.settle()
  expect(await slices()).toEqual([])
})

test('endpoints written by hand are mirrored into a slice, and gone with the service', async () => {
  await create({ ports: [{ name: 'http', port: 80, targetPort: 8012 }] })
  await cluster.client.create(endpointsKind, {
    metadata: web,
    subsets: [{ addresses: [{ ip: '10.244.9.9' }], ports: [{ name: 'http', port: 8012 }] }],
  })
  await cluster.settle()
  const [mirrored] = await slices()
  expect(mirrored).toMatchObject({
    metadata: {
      labels: { 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' },
    },
    endpoints: [{ addresses: ['10.244.9.9'], conditions: { ready: true } }],
    ports: [{ name: 'http', port: 8012, protocol: 'TCP' }],
  })

  await cluster.client.delete(coreServiceKind, web)
  await cluster.settle()
  expect(await slices()).toEqual([])
  expect(await cluster.client.find(endpointsKind, web)).toBeUndefined()
})
