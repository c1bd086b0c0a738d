import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Kind } from '../../../../src/apimachinery/kind.js'
import type { Draft, KubeObject } from '../../../../src/apimachinery/object.js'
import { configMapKind } from '../../../../src/kinds/core/configmap/kind.js'
import { eventKind } from '../../../../src/kinds/core/event/kind.js'
import { coreServedKinds } from '../../../../src/kinds/core/index.js'
import { limitRangeKind } from '../../../../src/kinds/core/limitrange/kind.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { secretKind } from '../../../../src/kinds/core/secret/kind.js'
import { coreServiceKind } from '../../../../src/kinds/core/service/kind.js'
import type { CoreService } from '../../../../src/kinds/core/service/schema.js'
import { aPod, type Cluster, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster({ controllers: () => [] })
})
afterEach(() => cluster.stop())

const metadata = { namespace: 'default', name: 'x' }
const refusal = async <T extends KubeObject>(kind: Kind<T>, rest: object): Promise<string> => {
  try {
    await cluster.client.create(kind, { metadata, ...rest } as unknown as Draft<T>)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it was not refused')
}

const KEY_RULE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

test.each([
  [{ data: { 'a/b': '' } }, `data[a/b]: Invalid value: "a/b": ${KEY_RULE}`],
  [{ data: { ['k'.repeat(254)]: '' } }, 'must be no more than 253'],
  [{ data: { '..': '' } }, 'data[..]: Invalid value: "..": must not be \'..\''],
  [{ data: { a: '1' }, binaryData: { a: 'AA==' } }, 'data[a]: Invalid value: "a": duplicate of key present in binaryData'],
  [{ binaryData: { a: '%%%' } }, 'binaryData[a]: '],
  [{ data: { a: 'x'.repeat(1024 * 1024), b: 'y' } }, 'Too long: may not be more than 1048576 bytes'],
])('a ConfigMap is refused for keys that are no file names or stand twice, and for more than 1 MiB (%#)', async (rest, message) => {
  expect(await refusal(configMapKind, rest)).toContain(message)
})

test('what an immutable ConfigMap or Secret holds, and that it is immutable, stays', async () => {
  const { client } = cluster
  const frozen = await client.create(configMapKind, { metadata, data: { a: '1' }, immutable: true })
  const changes = [{ immutable: false }, { binaryData: { b: 'AA==' } }, { data: {} }]
  for (const change of changes)
    await expect(client.update(configMapKind, { ...frozen, ...change })).rejects.toThrow('field is immutable when `immutable` is set')
  const labelled = await client.update(configMapKind, { ...frozen, metadata: { ...frozen.metadata, labels: { may: 'change' } } })
  expect(labelled.metadata.labels).toEqual({ may: 'change' })
  const secret = await client.create(secretKind, { metadata, stringData: { a: '1' }, immutable: true })
  await expect(client.update(secretKind, { ...secret, data: {} })).rejects.toThrow(
    'data: Forbidden: field is immutable when `immutable` is set',
  )
})

const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')
test.each([
  ['kubernetes.io/dockerconfigjson', {}, 'data[.dockerconfigjson]: Required value'],
  [
    'kubernetes.io/dockerconfigjson',
    { '.dockerconfigjson': 'eyJhIjo=' },
    'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>"',
  ],
  ['kubernetes.io/basic-auth', {}, 'data[username]: Required value, data[password]: Required value'],
  ['kubernetes.io/ssh-auth', {}, 'data[ssh-privatekey]: Required value'],
  ['kubernetes.io/service-account-token', {}, 'metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  ['Opaque', { a: json('x'.repeat(1024 * 1024)) }, 'data: Too long: may not be more than 1048576 bytes'],
])('a Secret of type %s that lacks what it promises, or is too large, is refused (%#)', async (type, data, message) => {
  expect(await refusal(secretKind, { type, data })).toContain(message)
})

const port = { port: 80 }
test.each([
  [{ spec: {} }, 'spec.ports: Required value'],
  [{ spec: { ports: [port, { port: 81, name: 'b' }] } }, 'spec.ports[0].name: Required value'],
  [
    {
      spec: {
        ports: [
          { ...port, name: 'a' },
          { port: 81, name: 'a' },
        ],
      },
    },
    'spec.ports[1].name: Duplicate value: "a"',
  ],
  [
    {
      spec: {
        ports: [
          { ...port, name: 'a' },
          { ...port, name: 'b' },
        ],
      },
    },
    'spec.ports[1]: Duplicate value: ',
  ],
  [{ spec: { ports: [{ port: 0 }] } }, 'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
  [
    { spec: { ports: [{ ...port, protocol: 'ICMP' }] } },
    'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"',
  ],
  [{ spec: { type: 'ExternalName' } }, 'spec.externalName: Required value'],
  [{ spec: { type: 'Mesh', ports: [port] } }, 'spec.type: Unsupported value: "Mesh"'],
  [
    { spec: { type: 'NodePort', ports: [{ ...port, nodePort: 80 }] } },
    'spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-32767',
  ],
  [
    { spec: { sessionAffinity: 'Often', ports: [port] } },
    'spec.sessionAffinity: Unsupported value: "Often": supported values: "ClientIP", "None"',
  ],
  [
    { metadata: { ...metadata, name: '1st' }, spec: { ports: [port] } },
    'metadata.name: Invalid value: "1st": a DNS-1035 label must consist of',
  ],
])('a Service that makes no sense is refused: %j', async (rest, message) => {
  expect(await refusal(coreServiceKind, rest)).toContain(message)
})

test('a Service may be headless without ports, stick to clients, and be open to the outside', async () => {
  const { client } = cluster
  const make = async (name: string, spec: CoreService['spec']) =>
    (await client.create(coreServiceKind, { metadata: { ...metadata, name }, spec })).spec
  expect(await make('headless', { clusterIP: 'None' })).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] })
  expect(await make('sticky', { sessionAffinity: 'ClientIP', ports: [port] })).toMatchObject({
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
  })
  expect(await make('open', { type: 'LoadBalancer', ports: [port] })).toMatchObject({
    externalTrafficPolicy: 'Cluster',
    allocateLoadBalancerNodePorts: true,
    ports: [{ port: 80, nodePort: expect.any(Number) }],
  })
})

test('an Event lives in the namespace of what it is about, or in default', async () => {
  const about = (namespace?: string): object => ({
    involvedObject: { kind: 'Pod', name: 'p', ...(namespace && { namespace }) },
    reason: 'R',
  })
  expect(await refusal(eventKind, about('elsewhere'))).toContain(
    'involvedObject.namespace: Invalid value: "elsewhere": does not match event.namespace',
  )
  expect(await cluster.client.create(eventKind, { metadata, ...about() } as never)).toMatchObject({ reason: 'R' })
})

const selector = { matchLabels: { app: 'x' } }
const noPodSpec = { metadata: { labels: { app: 'x' } } }
test.each([
  ['deployments', { spec: { selector, template: noPodSpec } }, 'spec.template.spec.containers: Required value'],
  ['replicasets', { spec: { selector, template: noPodSpec } }, 'spec.template.spec.containers: Required value'],
  ['statefulsets', { spec: { selector, template: noPodSpec, serviceName: 'x' } }, 'spec.template.spec.containers: Required value'],
  ['daemonsets', { spec: { selector, template: noPodSpec } }, 'spec.template.spec.containers: Required value'],
  ['jobs', { spec: { template: {} } }, 'spec.template.spec.containers: Required value'],
  ['horizontalpodautoscalers', {}, 'spec: Required value'],
])('%s without what they are to run are refused with the field that is missing', async (plural, rest, message) => {
  const { kind } = coreServedKinds.find((served) => served.kind.plural === plural)!
  expect(await refusal(kind, rest)).toContain(message)
})

test('a LimitRange without limits limits nothing', async () => {
  const { client } = cluster
  await client.create(limitRangeKind, { metadata } as never)
  expect(await client.create(podKind, aPod('x'))).toMatchObject({ status: { phase: 'Pending' } })
})
