import { expect, test } from 'vitest'
import { revisionText } from '../../../../src/cli/nouns/revision.js'
import { routeText } from '../../../../src/cli/nouns/route.js'
import { serviceText } from '../../../../src/cli/nouns/service-describe.js'
import type { Revision } from '../../../../src/kinds/revision/schema.js'
import type { Service } from '../../../../src/kinds/service/schema.js'

const nowMs = Date.parse('2026-05-04T12:00:00Z')
const plain = { verbose: false, nowMs }
const conditions = [
  { type: 'RoutesReady', status: 'False' as const, reason: 'NotYet', message: 'soon', lastTransitionTime: '2026-05-04T11:59:30Z' },
  { type: 'Ready', status: 'True' as const, lastTransitionTime: '2026-05-01T12:00:00Z' },
  { type: 'ActorHappy', status: 'False' as const, severity: 'Info' as const, lastTransitionTime: '2026-05-04T10:00:00Z' },
  { type: 'ConfigurationsReady', status: 'Unknown' as const, lastTransitionTime: '2026-05-04T11:00:00Z' },
]

function revision(name: string, generation: number, more: Partial<Revision> = {}): Revision {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      name,
      namespace: 'default',
      creationTimestamp: '2026-05-04T11:55:00Z',
      labels: { 'serving.knative.dev/service': 'foo', 'serving.knative.dev/configurationGeneration': String(generation) },
      annotations: { 'client.knative.dev/user-image': 'example.org/foo:v2' },
    },
    spec: { containers: [{ name: 'c', image: 'example.org/foo@sha256:1a2b3c4d' }] },
    status: {
      actualReplicas: 1,
      desiredReplicas: 2,
      containerStatuses: [{ name: 'c', imageDigest: 'example.org/foo@sha256:1a2b3c4d' }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
    ...more,
  }
}

const service: Service = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: {
    name: 'foo',
    namespace: 'default',
    creationTimestamp: '2026-05-01T12:00:00Z',
    labels: { b: '2', a: '1' },
    annotations: { 'serving.knative.dev/creator': 'me', 'kn-local.dev/port': '30001' },
  },
  spec: { template: { spec: { containers: [], serviceAccountName: 'robot' } } },
  status: {
    url: 'http://foo.default.example.com',
    latestCreatedRevisionName: 'foo-00003',
    latestReadyRevisionName: 'foo-00002',
    conditions,
  },
}

test('a service is described as kn does, with the address it has on this machine', () => {
  const failed = revision('foo-00003', 3, { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'ContainerMissing' }] } })
  const old = { ...revision('foo-00001', 1), metadata: { ...revision('foo-00001', 1).metadata, annotations: {} } }
  const text = serviceText(
    service,
    [
      { revision: failed, target: undefined },
      { revision: revision('foo-00002', 2), target: { latestRevision: true, percent: 100, tag: 'tag' } },
      { revision: old, target: undefined },
    ],
    plain,
  )
  expect(text).toBe(`Name:             foo
Namespace:        default
Labels:           a=1, b=2
Age:              3d
URL:              http://foo.default.example.com
Local URL:        http://localhost:30001
Service Account:  robot

Revisions:  
     !  foo-00003 (latest created) [3] (5m)
        Error:     ContainerMissing
        Image:     example.org/foo@sha256:1a2b3c4d
        Replicas:  0/0
  100%  @latest (foo-00002) #tag [2] (5m)
        Image:     example.org/foo:v2 (pinned to 1a2b3c)
        Replicas:  1/2
     +  foo-00001 [1] (5m)
        Image:     example.org/foo@sha256:1a2b3c4d (at 1a2b3c)
        Replicas:  1/2

Conditions:  
  OK TYPE                   AGE REASON
  ++ Ready                   3d 
  ?? ConfigurationsReady     1h 
  !! RoutesReady            30s NotYet
   I ActorHappy              2h 
`)
})

test('with -v reasons carry their messages and every label stands on a line', () => {
  const text = serviceText(service, [], { verbose: true, nowMs })
  expect(text).toContain('Labels:           a=1\n                  b=2\n')
  expect(text).toContain('serving.knative.dev/creator=me')
  expect(text).toContain('  !! RoutesReady            30s NotYet (soon)\n')
})

test('a long line of labels is cut at about a hundred characters', () => {
  const labels = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`label-${index}`, 'value']))
  const line = serviceText({ ...service, metadata: { ...service.metadata, labels } }, [], plain).split('\n')[2]!
  expect(line).toMatch(/ \.\.\.$/)
  expect(line.length).toBeLessThanOrEqual(112)
})

test('a revision shows what its container is given', () => {
  const { metadata, spec } = revision('foo-00002', 2)
  const text = revisionText(
    revision('foo-00002', 2, {
      metadata: { ...metadata, annotations: { 'autoscaling.knative.dev/min-scale': '1', 'autoscaling.knative.dev/target': '5' } },
      spec: {
        ...spec,
        containerConcurrency: 10,
        containers: [
          {
            ...spec.containers[0]!,
            ports: [{ containerPort: 8080 }],
            env: [
              { name: 'A', value: '1' },
              { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
            ],
            envFrom: [{ configMapRef: { name: 'cm' } }],
            resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1' } },
          },
        ],
      },
    }),
    { ...service, status: { ...service.status, traffic: [{ revisionName: 'foo-00002', percent: 100, tag: 'tag' }] } },
    plain,
  )
  const lines = text.split('\n').map((line) => line.replaceAll(/ {2,}/g, '  ').trimEnd())
  expect(lines).toEqual(
    expect.arrayContaining([
      'Port:  8080',
      'Env:  A=1, B=[ref]',
      'EnvFrom:  cm:cm',
      'Scale:  1 ... ∞',
      'Concurrency:',
      '  Limit:  10',
      '  Target:  5',
      'Memory:  64Mi',
      'CPU:  100m ... 1',
      'Service:  foo',
      '  Configuration Generation:  2',
      '  Latest Ready:  true',
      '  Traffic:  100%',
      '  Tags:  tag',
    ]),
  )
})

test('a route shows its targets, and the addresses of tags', () => {
  const text = routeText(
    {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Route',
      metadata: {
        name: 'foo',
        namespace: 'default',
        ownerReferences: [{ apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'foo', uid: 'u', controller: true }],
      },
      spec: {},
      status: {
        url: 'http://foo',
        traffic: [
          { latestRevision: true, revisionName: 'foo-00002', percent: 80 },
          { revisionName: 'foo-00001', percent: 20, tag: 'old', url: 'http://old-foo' },
        ],
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-05-01T12:00:00Z' }],
      },
    },
    plain,
  )
  expect(text).toBe(`Name:       foo
Namespace:  default
Age:        <unknown>
URL:        http://foo
Service:    foo

Traffic Targets:  
   80%  @latest (foo-00002)
   20%  foo-00001 #old
        URL:  http://old-foo

Conditions:  
  OK TYPE     AGE REASON
  ++ Ready     3d 
`)
})
