import { expect, test } from 'vitest'
import { defaultConfiguration } from '../../../src/kinds/configuration/defaults.js'
import type { Configuration } from '../../../src/kinds/configuration/schema.js'
import type { Container, PodSpec } from '../../../src/kinds/core/pod/schema.js'
import { defaultService } from '../../../src/kinds/service/defaults.js'
import type { Service } from '../../../src/kinds/service/schema.js'
import { anAdmission } from '../../support/serving.js'

const aContainer = (container: Partial<Container> = {}): Container => ({ name: '', image: 'example.com/hello', ...container })

interface Given {
  template?: object
  spec?: Partial<PodSpec> & Record<string, unknown>
  containers?: Partial<Container>[]
  config?: Record<string, Record<string, string>>
}

/** A Service as the webhook leaves it. */
function defaulted({ template, spec, containers = [{}], config }: Given): Service {
  const service: Service = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'hello', namespace: 'default' },
    spec: { template: { ...(template && { metadata: template }), spec: { containers: containers.map(aContainer), ...spec } } },
  }
  defaultService(service, anAdmission<Service>({ ...(config && { config }) }))
  return service
}

test('defaults fill in what a Service leaves out', () => {
  expect(defaulted({}).spec).toEqual({
    template: {
      spec: {
        containers: [
          {
            name: 'user-container',
            image: 'example.com/hello',
            resources: {},
            readinessProbe: { tcpSocket: { port: 0 }, successThreshold: 1 },
          },
        ],
        containerConcurrency: 0,
        timeoutSeconds: 300,
        enableServiceLinks: false,
      },
    },
    traffic: [{ latestRevision: true, percent: 100 }],
  })
})

test('several containers get numbered names, and only the one with a port a probe', () => {
  const { containers } = defaulted({ containers: [{ ports: [{ containerPort: 80 }] }, {}, { name: 'user-container-1' }] }).spec.template
    .spec
  expect(containers.map(({ name, readinessProbe }) => [name, Boolean(readinessProbe)])).toEqual([
    ['user-container-0', true],
    ['user-container-2', false],
    ['user-container-1', false],
  ])
})

test('a probe with a period gets the rest of its timing, one without stays fast', () => {
  const probe = (readinessProbe: Container['readinessProbe']) =>
    defaulted({ containers: [{ readinessProbe }] as Partial<Container>[] }).spec.template.spec.containers[0]!.readinessProbe
  expect(probe({ httpGet: { path: '/', port: 0 }, periodSeconds: 5 })).toEqual({
    httpGet: { path: '/', port: 0 },
    periodSeconds: 5,
    successThreshold: 1,
    failureThreshold: 3,
    timeoutSeconds: 1,
  })
  expect(probe({ grpc: { port: 0 } })).toEqual({ grpc: { port: 0, service: '' }, successThreshold: 1 })
})

test('timeouts of the cluster apply where they are shorter than the request timeout', () => {
  const config = { 'config-defaults': { 'revision-idle-timeout-seconds': '60' } }
  expect(defaulted({ spec: { timeoutSeconds: 400 }, config }).spec.template.spec).toMatchObject({
    timeoutSeconds: 400,
    responseStartTimeoutSeconds: 300,
    idleTimeoutSeconds: 60,
  })
})

test('mounts are read-only but for volumes that are meant to be written to; quantities become text', () => {
  const { containers } = defaulted({
    containers: [
      {
        resources: { limits: { cpu: 1 as never } },
        volumeMounts: [
          { name: 'a', mountPath: '/a' },
          { name: 'b', mountPath: '/b' },
        ],
      },
    ],
    spec: {
      volumes: [
        { name: 'a', secret: { secretName: 's' } },
        { name: 'b', emptyDir: {} },
      ],
    },
  }).spec.template.spec
  expect(containers[0]).toMatchObject({
    resources: { limits: { cpu: '1' } },
    volumeMounts: [{ name: 'a', readOnly: true }, { name: 'b' }],
  })
  expect(containers[0]!.volumeMounts![1]).not.toHaveProperty('readOnly')
})

test('secure defaults lock containers down without touching what the user chose', () => {
  const config = { 'config-features': { 'secure-pod-defaults': 'Enabled' } }
  const { containers } = defaulted({ containers: [{ ports: [{ containerPort: 80 }], securityContext: { runAsNonRoot: false } }], config })
    .spec.template.spec
  expect(containers[0]!.securityContext).toEqual({
    runAsNonRoot: false,
    allowPrivilegeEscalation: false,
    seccompProfile: { type: 'RuntimeDefault' },
    capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
  })
})

test('a named template that has not changed is left as it is stored, whatever the defaults are now', () => {
  const old = defaulted({ template: { name: 'hello-one' } })
  const draft: Service = { ...structuredClone(old) }
  const config = { 'config-defaults': { 'revision-cpu-request': '100m' } }
  defaultService(draft, anAdmission<Service>({ old, config }))
  expect(draft.spec.template).toEqual(old.spec.template)
})

test('who made an object and who changed its spec last is written down', () => {
  const old = defaulted({})
  expect(old.metadata.annotations).toEqual({ 'serving.knative.dev/creator': 'jane', 'serving.knative.dev/lastModifier': 'jane' })
  const draft = structuredClone(old)
  draft.spec.template.spec.containerConcurrency = 5
  defaultService(draft, anAdmission<Service>({ old, user: { name: 'joe', groups: [] } }))
  expect(draft.metadata.annotations).toEqual({ 'serving.knative.dev/creator': 'jane', 'serving.knative.dev/lastModifier': 'joe' })

  const owned: Configuration = {
    apiVersion: '',
    kind: 'Configuration',
    metadata: { name: 'hello', ownerReferences: [{ apiVersion: '', kind: 'Service', name: 'hello', uid: '1' }] },
    spec: { template: { spec: { containers: [aContainer()] } } },
  }
  defaultConfiguration(owned, anAdmission<Configuration>())
  expect(owned.metadata.annotations).toBeUndefined()
})
