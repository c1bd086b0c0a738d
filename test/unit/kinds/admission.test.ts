import { expect, test } from 'vitest'
import { fieldErrorText } from '../../../src/apimachinery/field-error.js'
import type { Container, PodSpec } from '../../../src/kinds/core/pod/schema.js'
import type { TrafficTarget } from '../../../src/kinds/route/schema.js'
import { defaultService } from '../../../src/kinds/service/defaults.js'
import type { Service } from '../../../src/kinds/service/schema.js'
import { validateService } from '../../../src/kinds/service/validate.js'
import { anAdmission } from '../../support/serving.js'

const secure = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
const aContainer = (container: Partial<Container> = {}): Container => ({ name: '', image: 'example.com/hello', ...container })

interface Given {
  metadata?: Partial<Service['metadata']>
  template?: object
  spec?: Partial<PodSpec> & Record<string, unknown>
  containers?: Partial<Container>[]
  traffic?: TrafficTarget[]
  config?: Record<string, Record<string, string>>
  old?: Service
  warnings?: string[]
}

function aService({ metadata, template, spec, containers = [{}], traffic }: Given): Service {
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name: 'hello', namespace: 'default', ...metadata },
    spec: {
      template: {
        ...(template && { metadata: template }),
        spec: { containers: containers.map((container) => aContainer(container)), ...spec },
      },
      ...(traffic && { traffic }),
    },
  }
}

/** What the webhook answers for a Service: its text, or 'fine'. */
function verdict(given: Given): string {
  const context = anAdmission<Service>({
    ...(given.old && { old: given.old }),
    ...(given.config && { config: given.config }),
    ...(given.warnings && { warnings: given.warnings }),
  })
  const service = aService(given)
  defaultService(service, context)
  const error = validateService(service, context)
  return error ? fieldErrorText(error) : 'fine'
}

const at = 'spec.template.spec.containers[0]'
const features = (...flags: string[]) => ({ 'config-features': Object.fromEntries(flags.map((flag) => [flag, 'Enabled'])) })

test.each<[string, Given, string]>([
  ['a plain Service', {}, 'fine'],
  // metadata
  [
    'a name that is no DNS label',
    { metadata: { name: 'Hello' } },
    "not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.name",
  ],
  ['no name at all', { metadata: { name: '' } }, 'name or generateName is required: metadata.name'],
  [
    'an autoscaling annotation in the wrong place',
    { metadata: { annotations: { 'autoscaling.knative.dev/min-scale': '1' } } },
    'invalid key name "autoscaling.knative.dev/min-scale": metadata.annotations\nautoscaling annotations must be put under "spec.template.metadata.annotations" to work',
  ],
  [
    'an unreadable rollout duration',
    { metadata: { annotations: { 'serving.knative.dev/rollout-duration': 'soon' } } },
    'invalid value: soon: metadata.annotations.serving.knative.dev/rollout-duration',
  ],
  [
    'a fractional rollout duration',
    { metadata: { annotations: { 'serving.knative.dev/rolloutDuration': '1500ms' } } },
    'rollout-duration=1500ms is not at second precision: metadata.annotations.serving.knative.dev/rolloutDuration',
  ],
  [
    'a negative rollout duration',
    { metadata: { annotations: { 'serving.knative.dev/rollout-duration': '-3s' } } },
    'rollout-duration=-3s must be positive: metadata.annotations.serving.knative.dev/rollout-duration',
  ],
  [
    'an unknown visibility',
    { metadata: { labels: { 'networking.knative.dev/visibility': 'hidden' } } },
    'invalid value: hidden: metadata.labels.networking.knative.dev/visibility',
  ],
  // template metadata
  ['a Revision name with the prefix', { template: { name: 'hello-one' } }, 'fine'],
  [
    'a Revision name without the prefix',
    { template: { name: 'other-one' } },
    'invalid value: "other-one" must have prefix "hello-": spec.template.metadata.name',
  ],
  [
    'a Revision name where the Service only has a prefix itself',
    { metadata: { name: '', generateName: 'hello-' }, template: { name: 'hello-one' } },
    'must not set the field(s): spec.template.metadata.name',
  ],
  [
    'a networking annotation that Revisions do not know',
    { template: { annotations: { 'networking.knative.dev/x': 'y', 'networking.knative.dev/disable-auto-tls': 'true' } } },
    'invalid key name "networking.knative.dev/x": spec.template.metadata.annotations',
  ],
  [
    'a progress deadline of half a second',
    { template: { annotations: { 'serving.knative.dev/progress-deadline': '500ms' } } },
    'progress-deadline=500ms is not at second precision: spec.template.metadata.annotations.serving.knative.dev/progress-deadline',
  ],
  [
    'a share for the sidecar that is out of bounds',
    { template: { annotations: { 'queue.sidecar.serving.knative.dev/resource-percentage': '200' } } },
    'expected 0.1 <= 200 <= 100: spec.template.metadata.annotations[queue.sidecar.serving.knative.dev/resource-percentage]',
  ],
  // Revision spec
  ['a timeout beyond the maximum', { spec: { timeoutSeconds: 601 } }, 'expected 0 <= 601 <= 600: spec.template.spec.timeoutSeconds'],
  [
    'a concurrency beyond the maximum',
    { spec: { containerConcurrency: 1001 } },
    'expected 0 <= 1001 <= 1000: spec.template.spec.containerConcurrency',
  ],
  ['a field behind a flag', { spec: { hostIPC: true } }, 'must not set the field(s): spec.template.spec.hostIPC'],
  ['a field behind a flag that is on', { spec: { nodeSelector: { a: 'b' } }, config: features('kubernetes.podspec-nodeselector') }, 'fine'],
  ['a zero value behind a flag', { spec: { hostIPC: false } }, 'fine'],
  [
    'a mounted service account token',
    { spec: { automountServiceAccountToken: true } },
    'must not set the field(s): spec.template.spec.automountServiceAccountToken',
  ],
  ['no mounted service account token', { spec: { automountServiceAccountToken: false } }, 'fine'],
  [
    'two refused fields',
    { spec: { hostPID: true, hostIPC: true } },
    'must not set the field(s): spec.template.spec.hostIPC, spec.template.spec.hostPID',
  ],
  // containers
  ['no container', { containers: [] }, 'missing field(s): spec.template.spec.containers'],
  ['no image', { containers: [{ image: '' }] }, `missing field(s): ${at}.image`],
  [
    'an image that cannot be read',
    { containers: [{ image: 'foo bar' }] },
    `Failed to parse image reference: ${at}.image\nimage: "foo bar", error: could not parse reference: foo bar`,
  ],
  [
    'several containers without a port',
    { containers: [{ name: 'a' }, { name: 'b' }] },
    'missing field(s): spec.template.spec.containers[*].ports',
  ],
  [
    'several containers with several ports',
    {
      containers: [
        { name: 'a', ports: [{ containerPort: 1 }] },
        { name: 'b', ports: [{ containerPort: 2 }] },
      ],
    },
    'more than one container port is set: spec.template.spec.containers[*].ports\nOnly a single port is allowed across all containers',
  ],
  [
    'several containers where they are switched off',
    {
      containers: [{ name: 'a', ports: [{ containerPort: 1 }] }, { name: 'b' }],
      config: { 'config-features': { 'multi-container': 'Disabled' } },
    },
    'multi-container is off, but found 2 containers: ',
  ],
  [
    'a container name twice',
    { containers: [{ name: 'a', ports: [{ containerPort: 1 }] }, { name: 'a' }] },
    'duplicate container name "a": spec.template.spec.containers[1].name',
  ],
  ["the sidecar's name", { containers: [{ name: 'queue-proxy' }] }, `"queue-proxy" is a reserved container name: ${at}.name`],
  [
    'init containers without the flag',
    { spec: { initContainers: [{ name: 'i', image: 'example.com/hello' }] } },
    'must not set the field(s): spec.template.spec.initContainers\npod spec support for init-containers is off, but found 1 init containers: ',
  ],
  [
    'an init container with a probe',
    {
      spec: { initContainers: [{ name: 'i', image: 'example.com/hello', readinessProbe: { tcpSocket: { port: 1 } } }] },
      config: features('kubernetes.podspec-init-containers'),
    },
    'field not allowed in an init container: spec.template.spec.containers[0].readinessProbe',
  ],
  // environment
  [
    'a reserved variable',
    { containers: [{ env: [{ name: 'PORT', value: '1' }] }] },
    `"PORT" is a reserved environment variable: ${at}.env[0].name`,
  ],
  [
    'PORT in a sidecar',
    {
      containers: [
        { name: 'a', ports: [{ containerPort: 1 }] },
        { name: 'b', env: [{ name: 'PORT', value: '1' }] },
      ],
    },
    'fine',
  ],
  ['a variable without a name', { containers: [{ env: [{ name: '' }] }] }, `missing field(s): ${at}.env[0].name`],
  [
    'a variable from a field',
    { containers: [{ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }] },
    `must not set the field(s): ${at}.env[0].valueFrom.fieldRef`,
  ],
  [
    'variables from nothing',
    { containers: [{ envFrom: [{}] }] },
    `expected exactly one, got neither: ${at}.envFrom.configMapRef, ${at}.envFrom.secretRef`,
  ],
  // ports
  [
    'a reserved port',
    { containers: [{ ports: [{ containerPort: 8012 }] }] },
    `invalid value: 8012 is a reserved port: ${at}.ports.containerPort\n8012 is a reserved port, please use a different value`,
  ],
  [
    'a port that is none',
    { containers: [{ ports: [{ containerPort: 65536 }] }] },
    `expected 0 <= 65536 <= 65535: ${at}.ports.containerPort`,
  ],
  ['a port over UDP', { containers: [{ ports: [{ containerPort: 1, protocol: 'UDP' }] }] }, `invalid value: UDP: ${at}.ports.protocol`],
  [
    'a port of another name',
    { containers: [{ ports: [{ containerPort: 1, name: 'grpc' }] }] },
    `Port name grpc is not allowed: ${at}.ports\nName must be empty, or one of: 'h2c', 'http1'`,
  ],
  // probes
  [
    'two handlers in one probe',
    { containers: [{ livenessProbe: { httpGet: { port: 0 }, tcpSocket: { port: 0 } } }] },
    `expected exactly one, got both: ${at}.livenessProbe.httpGet, ${at}.livenessProbe.tcpSocket`,
  ],
  [
    'a liveness probe without a handler',
    { containers: [{ livenessProbe: {} }] },
    `expected exactly one, got neither: ${at}.livenessProbe.exec, ${at}.livenessProbe.grpc, ${at}.livenessProbe.httpGet, ${at}.livenessProbe.tcpSocket`,
  ],
  [
    'a failure threshold with fast probing',
    { containers: [{ readinessProbe: { failureThreshold: 2 } }] },
    `failureThreshold is disallowed when periodSeconds is zero: ${at}.readinessProbe.failureThreshold`,
  ],
  [
    'a negative initial delay',
    { containers: [{ readinessProbe: { initialDelaySeconds: -1 } }] },
    `expected 0 <= -1 <= 2147483647: ${at}.readinessProbe.initialDelaySeconds`,
  ],
  [
    'a probe of a port by another name',
    { containers: [{ livenessProbe: { httpGet: { port: 'web' } } }] },
    `invalid value: web: ${at}.livenessProbe.httpGet.port\nProbe port must match container port`,
  ],
  [
    'a probe in a sidecar',
    {
      containers: [
        { name: 'a', ports: [{ containerPort: 1 }] },
        { name: 'b', livenessProbe: { tcpSocket: { port: 1 } } },
      ],
    },
    'must not set the field(s): spec.template.spec.containers[1].livenessProbe.tcpSocket',
  ],
  // security
  [
    'a privileged container',
    { containers: [{ securityContext: { ...secure, privileged: true } }] },
    `must not set the field(s): ${at}.securityContext.privileged`,
  ],
  [
    'an added capability',
    { containers: [{ securityContext: { ...secure, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } } }] },
    `must not set the field(s): ${at}.securityContext.capabilities.add`,
  ],
  [
    'a user id out of range',
    { containers: [{ securityContext: { ...secure, runAsUser: -1 } }] },
    `expected 0 <= -1 <= 2147483647: ${at}.securityContext.runAsUser`,
  ],
  // volumes
  [
    'a volume nobody mounts',
    { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
    'volume with name "v" not mounted: spec.template.spec.volumes[0].name',
  ],
  [
    'a mount of nothing',
    { containers: [{ volumeMounts: [{ name: 'v', mountPath: '/v' }] }] },
    `volumeMount has no matching volume: ${at}.volumeMounts[0].name`,
  ],
  [
    'a host path',
    { containers: [{ volumeMounts: [{ name: 'v', mountPath: '/v' }] }], spec: { volumes: [{ name: 'v', hostPath: { path: '/' } }] } },
    'HostPath volume support is disabled, but found HostPath volume v: ',
  ],
  [
    'a claim that is written to',
    {
      containers: [{ volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
    },
    'Persistent volume claim support is disabled, but found persistent volume claim c: \nPersistent volume write support is disabled, but found persistent volume claim c that is not read-only: ',
  ],
  [
    'a volume without a source',
    { containers: [{ volumeMounts: [{ name: 'v', mountPath: '/v' }] }], spec: { volumes: [{ name: 'v' }] } },
    'expected exactly one, got neither: spec.template.spec.volumes[0].configMap, spec.template.spec.volumes[0].emptyDir, spec.template.spec.volumes[0].projected, spec.template.spec.volumes[0].secret',
  ],
  [
    'a reserved mount path',
    { containers: [{ volumeMounts: [{ name: 'v', mountPath: '/dev/' }] }], spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
    `mountPath "/dev" is a reserved path: ${at}.volumeMounts[0].mountPath`,
  ],
  [
    'the same mount path twice',
    {
      containers: [
        {
          volumeMounts: [
            { name: 'v', mountPath: '/v' },
            { name: 'v', mountPath: '/v/' },
          ],
        },
      ],
      spec: { volumes: [{ name: 'v', emptyDir: {} }] },
    },
    `invalid value: "/v/" must be unique: ${at}.volumeMounts[1].mountPath`,
  ],
  [
    'another termination message policy',
    { containers: [{ terminationMessagePolicy: 'x' }] },
    `invalid value: x: ${at}.terminationMessagePolicy`,
  ],
  // traffic
  ['traffic that does not add up', { traffic: [{ percent: 99 }] }, 'Traffic targets sum to 99, want 100: spec.traffic'],
  [
    'a share beyond 100',
    { traffic: [{ percent: 101 }] },
    'Traffic targets sum to 101, want 100: spec.traffic\nexpected 0 <= 101 <= 100: spec.traffic[0].percent',
  ],
  [
    'the same tag twice',
    { traffic: [{ tag: 'a', percent: 100 }, { tag: 'a' }] },
    'Multiple definitions for "a": spec.traffic[0].tag, spec.traffic[1].tag',
  ],
  [
    'a Revision that is the latest',
    { traffic: [{ revisionName: 'hello-00001', latestRevision: true, percent: 100 }] },
    'may not set revisionName "hello-00001" when latestRevision is true: spec.traffic[0].latestRevision',
  ],
  [
    'neither the latest nor a Revision',
    { traffic: [{ latestRevision: false, percent: 100 }] },
    'may not set revisionName "" when latestRevision is false: spec.traffic[0].latestRevision',
  ],
  [
    'a Configuration in a Service',
    { traffic: [{ configurationName: 'hello', percent: 100 }] },
    'must not set the field(s): spec.traffic[0].configurationName',
  ],
  ['a URL in a spec', { traffic: [{ tag: 'a', url: 'http://x', percent: 100 }] }, 'must not set the field(s): spec.traffic[0].url'],
])('%s', (_, given, text) => {
  expect(verdict(given)).toBe(text)
})

test('the index of a bad tag stands after the tag', () => {
  expect(verdict({ traffic: [{ tag: 'A', percent: 100 }] })).toMatch(
    /^invalid value: not a DNS 1035 label: \[.*\]: spec\.traffic\.tag\[0\]$/,
  )
})

test('insecure defaults draw one warning that names all of them', () => {
  const warnings: string[] = []
  expect(verdict({ warnings })).toBe('fine')
  const path = `${at}.securityContext`
  expect(warnings).toEqual([
    `Kubernetes default value is insecure, Knative may default this to secure in a future release: ${path}.allowPrivilegeEscalation, ${path}.capabilities, ${path}.runAsNonRoot, ${path}.seccompProfile`,
  ])
  warnings.length = 0
  expect(verdict({ containers: [{ securityContext: secure }], warnings })).toBe('fine')
  expect(warnings).toEqual([])
})

test('a sidecar share draws a deprecation warning', () => {
  const warnings: string[] = []
  verdict({
    containers: [{ securityContext: secure }],
    template: { annotations: { 'queue.sidecar.serving.knative.dev/resource-percentage': '20' } },
    warnings,
  })
  expect(warnings).toEqual([
    'Queue proxy resource percentage annotation is deprecated. Please use the available annotations to explicitly set resource values per service: spec.template.metadata.annotations.queue.sidecar.serving.knative.dev/resource-percentage',
  ])
})

const defaulted = (given: Given): Service => {
  const service = aService(given)
  defaultService(service, anAdmission<Service>({ ...(given.config && { config: given.config }) }))
  return service
}

test('a template with a name of its own must change it with every change', () => {
  const old = defaulted({ template: { name: 'hello-one' } })
  expect(
    verdict({
      metadata: old.metadata,
      template: { name: 'hello-one' },
      containers: [{ image: 'example.com/other' }],
      spec: { enableServiceLinks: false },
      old,
    }),
  ).toBe(
    'Saw the following changes without a name change (-old +new): spec.template.metadata.name\n{v1.RevisionTemplateSpec}.spec.containers[0].image:\n\t-: "example.com/hello"\n\t+: "example.com/other"\n',
  )
  expect(verdict({ metadata: old.metadata, template: { name: 'hello-two' }, containers: [{ image: 'example.com/other' }], old })).toBe(
    'fine',
  )
})

test('the creator cannot be changed, and the last modifier only together with the spec', () => {
  const old = defaulted({})
  const creator = { ...old.metadata.annotations, 'serving.knative.dev/creator': 'joe' }
  const spec = { ...old.spec.template.spec }
  expect(verdict({ metadata: { annotations: creator }, spec, old })).toBe(
    'annotation value is immutable: metadata.annotations.serving.knative.dev/creator',
  )
  const modifier = { ...old.metadata.annotations, 'serving.knative.dev/lastModifier': 'joe' }
  expect(verdict({ metadata: { annotations: modifier }, spec, old })).toBe(
    'invalid value: joe: metadata.annotations.serving.knative.dev/lastModifier',
  )
})
