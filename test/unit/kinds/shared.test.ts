import { expect, test } from 'vitest'
import type { KubeObject } from '../../../src/apimachinery/object.js'
import { revisionsToCollect } from '../../../src/kinds/configuration/collect-revisions.js'
import type { Configuration } from '../../../src/kinds/configuration/schema.js'
import { imageReferenceFrom } from '../../../src/kinds/revision/image-reference.js'
import type { Revision } from '../../../src/kinds/revision/schema.js'
import { semanticEqual } from '../../../src/kinds/semantic-equal.js'
import { assignPort } from '../../../src/kinds/service/port.js'
import { PORT_ANNOTATION, type Service } from '../../../src/kinds/service/schema.js'
import {
  defaultsConfig,
  deploymentConfig,
  domainConfig,
  feature,
  gcConfig,
  networkConfig,
  renderTemplate,
} from '../../../src/kinds/serving-config.js'
import { nameListWith } from '../../../src/kinds/serving-labels.js'
import { childName, deploymentName, imageName, privateServiceName, revisionName } from '../../../src/kinds/serving-names.js'
import { anAdmission } from '../../support/serving.js'

test('names of children are put together plainly while they fit', () => {
  expect(revisionName('hello', 1)).toBe('hello-00001')
  expect(revisionName('hello', 123456)).toBe('hello-123456')
  expect(deploymentName('hello-00001')).toBe('hello-00001-deployment')
  expect(privateServiceName('hello-00001')).toBe('hello-00001-private')
  expect(imageName('hello-00001', 'user-container')).toBe('hello-00001-cache-user-container')
})

test('what does not fit into 63 characters is replaced by a hash of the parent', () => {
  const long = 'a'.repeat(63)
  // md5 of 63 times the letter a.
  expect(childName(long, '-private')).toBe(`${'a'.repeat(23)}b06521f39153d618550606be297466d5-private`)
  expect(childName(long, '-private')).toHaveLength(63)
  expect(childName('a', `-${'b'.repeat(63)}`)).toMatch(/^a[0-9a-f]{32}-b{29}$/)
})

const from = (data: Record<string, string>) => () => data

test("ConfigMaps have Knative's defaults where a key is absent or bad", () => {
  expect(defaultsConfig(from({}))).toMatchObject({
    revisionTimeoutSeconds: 300,
    maxRevisionTimeoutSeconds: 600,
    containerConcurrencyMaxLimit: 1000,
    enableServiceLinks: false,
  })
  expect(defaultsConfig(from({ 'revision-timeout-seconds': 'soon', 'enable-service-links': 'default' }))).toMatchObject({
    revisionTimeoutSeconds: 300,
    enableServiceLinks: undefined,
  })
  expect(deploymentConfig(from({ 'progress-deadline': '1500ms' })).progressDeadlineSeconds).toBe(600)
  expect(feature(from({ 'multi-container': 'nonsense' }), 'multi-container')).toBe('Enabled')
  expect(feature(from({ x: 'ALLOWED' }), 'x')).toBe('Allowed')
  expect(networkConfig(from({ 'http-protocol': 'Redirected' })).httpOption).toBe('Redirected')
})

test("config-domain reads selectors in block and in flow style, and adds the cluster's own domain when nothing takes everyone", () => {
  expect(
    domainConfig(
      from({
        _example: 'x',
        'a.com': 'selector:\n  app: "blue"\n  # comment\n  tier: web\ntype: wildcard\n',
        'b.com': 'selector: {app: green}',
      }),
    ),
  ).toEqual([
    { domain: 'a.com', selector: { app: 'blue', tier: 'web' } },
    { domain: 'b.com', selector: { app: 'green' } },
    { domain: 'svc.cluster.local', selector: {} },
  ])
  expect(domainConfig(from({ localhost: '' }))).toEqual([{ domain: 'localhost', selector: {} }])
})

test('name templates know fields, labels and annotations, and refuse anything else', () => {
  const fields = { Name: 'a', Labels: { app: 'x' }, Annotations: { 'example.com/sub': 'y' } }
  expect(renderTemplate('{{.Name}}-{{ .Labels.app }}-{{index .Annotations "example.com/sub"}}', fields)).toBe('a-x-y')
  expect(() => renderTemplate('{{.Nothing}}', fields)).toThrow('cannot evaluate {{.Nothing}}')
})

test('absent, null and empty mean the same to Kubernetes', () => {
  expect(semanticEqual({ a: 1, b: [], c: null }, { a: 1, d: {} })).toBe(true)
  expect(semanticEqual({ a: [1, 2] }, { a: [2, 1] })).toBe(false)
  expect(semanticEqual({ a: '' }, {})).toBe(false)
})

test('a list of Routes stays sorted and without doubles', () => {
  expect(nameListWith('b,a', 'c', true)).toBe('a,b,c')
  expect(nameListWith('a,b', 'a', true)).toBe('a,b')
  expect(nameListWith('a', 'a', false)).toBe('')
})

test.each([
  ['hello', 'index.docker.io', undefined],
  ['localhost:5000/hello:1', 'localhost:5000', undefined],
  [`ghcr.io/a/b@sha256:${'0'.repeat(64)}`, 'ghcr.io', `sha256:${'0'.repeat(64)}`],
  ['dev.local/mine', 'dev.local', undefined],
])('the reference %s is read', (image, registry, digest) => {
  expect(imageReferenceFrom(image)).toEqual({ registry, ...(digest && { digest }) })
})

test.each(['Hello', 'a b', 'x:', 'x@sha256:12', 'http://x/y'])('the reference %j cannot be read', (image) => {
  expect(imageReferenceFrom(image)).toEqual({ problem: `could not parse reference: ${image}` })
})

const aService = (name: string, port?: string): Service => ({
  apiVersion: '',
  kind: 'Service',
  metadata: { name, namespace: 'default', ...(port && { annotations: { [PORT_ANNOTATION]: port } }) },
  spec: { template: { spec: { containers: [] } } },
})
const portOf = (service: Service, others: KubeObject[] = [], old?: Service): string => {
  const draft = structuredClone(service)
  assignPort(
    draft,
    anAdmission<Service>({
      list: ((kind: { group: string }) =>
        kind.group ? others.filter(({ kind: k }) => k === 'Service') : others.filter(({ kind: k }) => k === 'Core')) as never,
      ...(old && { old }),
    }),
  )
  return draft.metadata.annotations![PORT_ANNOTATION]!
}

test('a Service gets the same port from its name every time, and the next free one when that is taken', () => {
  const port = Number(portOf(aService('hello')))
  expect(port).toBeGreaterThanOrEqual(30_000)
  expect(port).toBeLessThanOrEqual(32_767)
  expect(portOf(aService('hello'))).toBe(String(port))

  const node = { apiVersion: '', kind: 'Core', metadata: { name: 'n' }, spec: { ports: [{ nodePort: port + 1 }] } } as KubeObject
  expect(portOf(aService('hello'), [aService('other', String(port)), node])).toBe(String(port + 2))
})

test('a free port that is asked for is given; an update keeps the one it has', () => {
  expect(portOf(aService('hello', '31234'))).toBe('31234')
  expect(portOf(aService('hello', '80'))).not.toBe('80')
  expect(portOf(aService('hello'), [], aService('hello', '31234'))).toBe('31234')
  expect(portOf(aService('hello', '31235'), [], aService('hello', '31234'))).toBe('31234')
})

const HOUR = 3_600_000
const configuration: Configuration = {
  apiVersion: '',
  kind: 'Configuration',
  metadata: { name: 'c' },
  spec: { template: { spec: { containers: [] } } },
  status: { latestReadyRevisionName: 'r5' },
}
const aRevision = (index: number, state = 'reserve', annotations: Record<string, string> = {}): Revision => ({
  apiVersion: '',
  kind: 'Revision',
  metadata: {
    name: `r${index}`,
    creationTimestamp: new Date(index * HOUR).toISOString(),
    labels: { 'serving.knative.dev/routingState': state },
    annotations,
  },
  spec: { containers: [] },
})
const collected = (data: Record<string, string>, revisions: Revision[], nowHours: number) =>
  revisionsToCollect(configuration, revisions, gcConfig(from(data)), nowHours * HOUR).map(({ metadata }) => metadata.name)

test('Revisions that nothing routes to are collected once they are old, but for a number that is kept', () => {
  const revisions = [1, 2, 3, 4, 5].map((index) => aRevision(index))
  expect(collected({ 'min-non-active-revisions': '1' }, revisions, 10)).toEqual([])
  expect(collected({ 'min-non-active-revisions': '1' }, revisions, 100)).toEqual(['r1', 'r2', 'r3'])
  expect(collected({}, revisions, 100)).toEqual([])
})

test('beyond the maximum the oldest go at any age; active ones and those that are kept on purpose never', () => {
  const revisions = [
    aRevision(1, 'active'),
    aRevision(2, 'reserve', { 'serving.knative.dev/no-gc': 'true' }),
    aRevision(3),
    aRevision(4),
    aRevision(5),
  ]
  expect(collected({ 'min-non-active-revisions': '0', 'max-non-active-revisions': '1' }, revisions, 6)).toEqual(['r3'])
  const off = {
    'retain-since-create-time': 'disabled',
    'retain-since-last-active-time': 'disabled',
    'max-non-active-revisions': 'disabled',
  }
  expect(collected({ ...off, 'min-non-active-revisions': '0' }, revisions, 1000)).toEqual([])
})
