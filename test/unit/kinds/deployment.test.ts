import { expect, test } from 'vitest'
import type { Container } from '../../../src/kinds/core/pod/schema.js'
import { correctedDeployment, deploymentFor, podAutoscalerFor } from '../../../src/kinds/revision/deployment.js'
import type { Revision, RevisionSpec } from '../../../src/kinds/revision/schema.js'

function aRevision({
  annotations = {},
  labels = {},
  containers = [{}],
  ...spec
}: Partial<Omit<RevisionSpec, 'containers'>> & {
  annotations?: Record<string, string>
  labels?: Record<string, string>
  containers?: Partial<Container>[]
} = {}): Revision {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Revision',
    metadata: {
      name: 'hello-00001',
      namespace: 'default',
      uid: 'revision-uid',
      labels: {
        'serving.knative.dev/service': 'hello',
        'serving.knative.dev/configuration': 'hello',
        'serving.knative.dev/routingState': 'active',
        ...labels,
      },
      annotations: { 'serving.knative.dev/creator': 'jane', 'serving.knative.dev/routes': 'hello', ...annotations },
      ownerReferences: [{ apiVersion: 'serving.knative.dev/v1', kind: 'Configuration', name: 'hello', uid: 'c', controller: true }],
    },
    spec: {
      timeoutSeconds: 300,
      containers: containers.map((container) => ({ name: 'user-container', image: 'example.com/hello', ...container })),
      ...spec,
    },
    status: { containerStatuses: [{ name: 'user-container', imageDigest: 'example.com/hello@sha256:1' }] },
  }
}

const made = (revision: Revision, config: Record<string, Record<string, string>> = {}) =>
  deploymentFor(revision, (_, name) => config[name] ?? {})
const podOf = (...given: Parameters<typeof made>) => made(...given).spec.template.spec
const env = (container: Container | undefined) =>
  Object.fromEntries((container?.env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom]))

test("a Deployment carries the Revision's labels and annotations without those about routing and scaling", () => {
  const { metadata, spec } = made(aRevision({ annotations: { 'autoscaling.knative.dev/min-scale': '2', team: 'blue' } }))
  const labels = {
    app: 'hello-00001',
    'serving.knative.dev/service': 'hello',
    'serving.knative.dev/configuration': 'hello',
    'serving.knative.dev/revision': 'hello-00001',
    'serving.knative.dev/revisionUID': 'revision-uid',
  }
  expect(metadata.name).toBe('hello-00001-deployment')
  expect(metadata.labels).toEqual({ ...labels, 'serving.knative.dev/deployment-hash': expect.stringMatching(/^[0-9a-z]+$/) })
  expect(metadata.annotations).toEqual({ 'serving.knative.dev/creator': 'jane', team: 'blue' })
  expect(spec).toMatchObject({
    replicas: 1,
    selector: { matchLabels: { 'serving.knative.dev/revisionUID': 'revision-uid' } },
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 0,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } },
    template: {
      metadata: {
        labels,
        annotations: { 'serving.knative.dev/creator': 'jane', team: 'blue', 'kubectl.kubernetes.io/default-container': 'user-container' },
      },
    },
  })
})

test('initial scale and progress deadline come from annotations, then from the cluster', () => {
  expect(
    made(aRevision({ annotations: { 'autoscaling.knative.dev/initial-scale': '3', 'serving.knative.dev/progress-deadline': '2m' } })).spec,
  ).toMatchObject({
    replicas: 3,
    progressDeadlineSeconds: 120,
  })
  const config = { 'config-autoscaler': { 'initial-scale': '2' }, 'config-deployment': { 'progress-deadline': '30s' } }
  expect(made(aRevision(), config).spec).toMatchObject({ replicas: 2, progressDeadlineSeconds: 30 })
})

test('the serving container runs the pinned image on the user port and knows who it is', () => {
  const { containers, terminationGracePeriodSeconds, affinity } = podOf(
    aRevision({ timeoutSeconds: 42, containers: [{ ports: [{ name: 'http1', containerPort: 9000 }], env: [{ name: 'A', value: '1' }] }] }),
  )
  expect(containers[0]).toMatchObject({
    name: 'user-container',
    image: 'example.com/hello@sha256:1',
    ports: [{ name: 'user-port', containerPort: 9000 }],
    lifecycle: { preStop: { httpGet: { port: 8022, path: '/wait-for-drain' } } },
    terminationMessagePolicy: 'FallbackToLogsOnError',
  })
  expect(env(containers[0])).toEqual({ A: '1', PORT: '9000', K_REVISION: 'hello-00001', K_CONFIGURATION: 'hello', K_SERVICE: 'hello' })
  expect(terminationGracePeriodSeconds).toBe(42)
  expect(affinity).toMatchObject({ podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100 }] } })
})

test('readiness is judged by the sidecar, but for exec; liveness always looks at the user port', () => {
  const [user, queue] = podOf(
    aRevision({
      containers: [
        {
          readinessProbe: { httpGet: { path: '/ok', port: 0 }, successThreshold: 1 },
          livenessProbe: { httpGet: { path: '/live', port: 1 } },
        },
      ],
    }),
  ).containers
  expect(user).not.toHaveProperty('readinessProbe')
  expect(user!.livenessProbe).toEqual({ httpGet: { path: '/live', port: 8080 } })
  expect(JSON.parse(env(queue)['SERVING_READINESS_PROBE'] as string)).toEqual({
    httpGet: { path: '/ok', port: 8080, host: '127.0.0.1', scheme: 'HTTP' },
    successThreshold: 1,
  })
  const exec = { exec: { command: ['true'] }, successThreshold: 1 }
  const [withExec, withConnect] = podOf(aRevision({ containers: [{ readinessProbe: exec }] })).containers
  expect(withExec!.readinessProbe).toEqual(exec)
  expect(JSON.parse(env(withConnect)['SERVING_READINESS_PROBE'] as string)).toEqual({
    tcpSocket: { port: 8080, host: '127.0.0.1' },
    successThreshold: 1,
  })
})

test('queue-proxy is the last container, with the ports and the environment a cluster shows', () => {
  const { containers } = podOf(
    aRevision({ containerConcurrency: 7, containers: [{ readinessProbe: { tcpSocket: { port: 0 }, successThreshold: 1 } }] }),
  )
  const queue = containers.at(-1)!
  expect(queue.name).toBe('queue-proxy')
  expect(queue.image).toBe('gcr.io/knative-releases/knative.dev/serving/cmd/queue')
  expect(queue.ports?.map(({ name, containerPort }) => `${name} ${containerPort}`)).toEqual([
    'http-autometric 9090',
    'http-usermetric 9091',
    'queue-port 8012',
    'https-port 8112',
  ])
  expect(env(queue)).toMatchObject({
    SERVING_NAMESPACE: 'default',
    SERVING_SERVICE: 'hello',
    SERVING_CONFIGURATION: 'hello',
    SERVING_REVISION: 'hello-00001',
    QUEUE_SERVING_PORT: '8012',
    CONTAINER_CONCURRENCY: '7',
    REVISION_TIMEOUT_SECONDS: '300',
    SERVING_POD: { fieldRef: { fieldPath: 'metadata.name' } },
    USER_PORT: '8080',
    SERVING_READINESS_PROBE: '{"tcpSocket":{"port":8080,"host":"127.0.0.1"},"successThreshold":1}',
  })
  expect(queue.resources).toEqual({ requests: { cpu: '25m' } })
  expect(queue.readinessProbe).toEqual({
    successThreshold: 1,
    httpGet: { port: 8012, httpHeaders: [{ name: 'K-Network-Probe', value: 'queue' }] },
  })
})

test('an h2c application is reached through port 8013 of the sidecar', () => {
  const queue = podOf(aRevision({ containers: [{ ports: [{ name: 'h2c', containerPort: 9000 }] }] })).containers.at(-1)!
  expect(queue.ports).toContainEqual({ name: 'queue-port', containerPort: 8013, protocol: 'TCP' })
  expect(env(queue)).toMatchObject({ QUEUE_SERVING_PORT: '8013', USER_PORT: '9000' })
})

test("the sidecar's resources follow explicit annotations, then the bounded share of the container, then the cluster", () => {
  const resources = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2' } }
  const share = { 'queue.sidecar.serving.knative.dev/resource-percentage': '20' }
  const queue = (annotations: Record<string, string>) =>
    podOf(aRevision({ annotations, containers: [{ resources }] })).containers.at(-1)!.resources
  expect(queue(share)).toEqual({ requests: { cpu: '100m', memory: '200Mi' }, limits: { cpu: '400m' } })
  expect(queue({ ...share, 'queue.sidecar.serving.knative.dev/cpu-resource-request': '30m' })).toMatchObject({ requests: { cpu: '30m' } })
})

test("a sidecar of the user's gets no port but knows who it is", () => {
  const [, sidecar] = podOf(aRevision({ containers: [{ name: 'main', ports: [{ containerPort: 80 }] }, { name: 'side' }] })).containers
  expect(sidecar).not.toHaveProperty('ports')
  expect(env(sidecar)).toEqual({ K_REVISION: 'hello-00001', K_CONFIGURATION: 'hello', K_SERVICE: 'hello' })
})

test('a Deployment is only touched when its hash says so, and keeps scale and what others wrote into it', () => {
  const wanted = made(aRevision())
  const stored = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    ...wanted,
    metadata: { ...wanted.metadata, annotations: { ...wanted.metadata.annotations, mine: 'kept' } },
    spec: {
      ...wanted.spec,
      replicas: 5,
      template: {
        ...wanted.spec.template,
        metadata: {
          ...wanted.spec.template.metadata,
          annotations: { 'kubectl.kubernetes.io/restartedAt': 'now', 'old.knative.dev/x': 'gone' },
        },
      },
    },
  }
  expect(correctedDeployment(stored, wanted)).toBe(stored)

  const corrected = correctedDeployment(stored, made(aRevision({ timeoutSeconds: 60 })))
  expect(corrected.spec.replicas).toBe(5)
  expect(corrected.spec.template.spec.terminationGracePeriodSeconds).toBe(60)
  expect(corrected.metadata.annotations).toMatchObject({ mine: 'kept' })
  expect(corrected.spec.template.metadata?.annotations).toMatchObject({ 'kubectl.kubernetes.io/restartedAt': 'now' })
  expect(corrected.spec.template.metadata?.annotations).not.toHaveProperty('old.knative.dev/x')
})

test.each([
  ['active', false, 'Reachable'],
  ['reserve', false, 'Unreachable'],
  ['pending', false, undefined],
  ['active', true, 'Unreachable'],
])('a Revision whose routing state is %s (broken: %s) is %s to its PodAutoscaler', (routingState, isBroken, reachability) => {
  const { metadata, spec } = podAutoscalerFor(aRevision({ labels: { 'serving.knative.dev/routingState': routingState } }), isBroken)
  expect(metadata.name).toBe('hello-00001')
  expect(spec).toEqual({
    containerConcurrency: 0,
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'hello-00001-deployment' },
    protocolType: 'http1',
    ...(reachability && { reachability }),
  })
})
