import { expect, test } from 'vitest'
import { parseArguments } from '../../../../src/cli/arguments.js'
import { bareService, type ServiceDraft, serviceFrom } from '../../../../src/cli/nouns/service.js'
import { type ServiceFlagValues, serviceFlags } from '../../../../src/cli/nouns/service-flags.js'

const NOW = Date.parse('2026-05-01T10:00:00Z')
const files: Record<string, string> = { 'vars.env': 'A=1\n\nB=two words\nOLD-\n' }

/** The values of flags as KnCommand hands them over, read from a command line. */
function flagsOf(line: readonly string[]): { flags: ServiceFlagValues; given: ReturnType<typeof parseArguments>['given'] } {
  const { given } = parseArguments(serviceFlags, line)
  const flags: Record<string, unknown> = { 'lock-to-digest': true }
  for (const { name, value, values } of given) {
    const rule = serviceFlags[name as keyof typeof serviceFlags] as { type: string; multiple?: boolean; helpValue?: string }
    if (rule.type === 'boolean') flags[name] = value === 'true'
    else if (rule.multiple) flags[name] = [...((flags[name] as string[] | undefined) ?? []), ...values]
    else flags[name] = rule.helpValue === 'int' ? Number(value) : value
  }
  return { flags: flags as ServiceFlagValues, given }
}

function made(line: readonly string[], base: ServiceDraft = bareService('hello', 'default')): ServiceDraft {
  const { flags, given } = flagsOf(line)
  return serviceFrom(base, flags, { given, nowMs: NOW, random: () => 0, readFile: (path) => files[path]! })
}
const templateOf = (...line: string[]) => made(line).spec.template
const containerOf = (...line: string[]) => made(line).spec.template.spec.containers[0]!

test('a service with an image remembers the name it was asked for by, and when', () => {
  expect(made(['--image', 'example.org/hello:v1'])).toEqual({
    metadata: { name: 'hello', namespace: 'default' },
    spec: {
      template: {
        metadata: {
          annotations: {
            'client.knative.dev/user-image': 'example.org/hello:v1',
            'client.knative.dev/updateTimestamp': '2026-05-01T10:00:00Z',
          },
        },
        spec: { containers: [{ image: 'example.org/hello:v1' }] },
      },
    },
  })
  expect(templateOf('--image', 'x', '--no-lock-to-digest').metadata?.annotations).not.toHaveProperty(['client.knative.dev/user-image'])
})

test('variables stand in the order of the command line, changed in place, removed last', () => {
  expect(
    containerOf('--env', 'A=0', '--env-value-from', 'S=secret:creds:token', '--env-file', 'vars.env', '-e', 'C=x=y', '--env', 'S2-').env,
  ).toEqual([
    { name: 'A', value: '1' },
    { name: 'S', valueFrom: { secretKeyRef: { name: 'creds', key: 'token' } } },
    { name: 'B', value: 'two words' },
    { name: 'C', value: 'x=y' },
  ])
  expect(containerOf('--env', 'A=1', '--env', 'A-').env).toBeUndefined()
})

test('the container flags describe the container', () => {
  expect(
    containerOf(
      ...[
        '--image',
        'i',
        '--cmd',
        'sh',
        '--cmd',
        '-c',
        '--arg',
        '--x',
        '--port',
        'h2c:8081',
        '--pull-policy',
        'ifnotpresent',
        '--user',
        '1000',
      ],
      ...['--limit', 'cpu=1000m,memory=128Mi', '--request', 'cpu=0.1', '--env-from', 'cm:settings', '--env-from', 'secret:creds'],
    ),
  ).toEqual({
    image: 'i',
    command: ['sh', '-c'],
    args: ['--x'],
    ports: [{ containerPort: 8081, name: 'h2c' }],
    imagePullPolicy: 'IfNotPresent',
    securityContext: { runAsUser: 1000 },
    resources: { limits: { cpu: '1', memory: '128Mi' }, requests: { cpu: '100m' } },
    envFrom: [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'creds' } }],
  })
})

test('the strict security context takes every right away, and --user is set on top', () => {
  expect(containerOf('--security-context', 'Strict', '--user', '5').securityContext).toEqual({
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
    runAsUser: 5,
  })
})

test('probes are read from their short forms', () => {
  expect(
    containerOf('--probe-liveness', 'http::8080:/healthz', '--probe-liveness-opts', 'periodSeconds=5', '--probe-readiness', 'tcp::'),
  ).toMatchObject({
    livenessProbe: { httpGet: { port: 8080, path: '/healthz' }, periodSeconds: 5 },
    readinessProbe: { tcpSocket: { port: 0 } },
  })
  expect(containerOf('--probe-readiness', 'exec:cat,/ready').readinessProbe).toEqual({ exec: { command: ['cat', '/ready'] } })
})

test('a mount brings the volume it needs, under a name made from its path', () => {
  const { spec } = templateOf(
    '--mount',
    '/etc/Conf=cm:settings',
    '--mount',
    '/tmp/x=ed:scratch:readOnly=false',
    '--volume',
    'v=secret:creds',
    '--mount',
    '/s=v/sub',
  )
  expect(spec.volumes).toEqual([
    { name: 'v', secret: { secretName: 'creds' } },
    { name: expect.stringMatching(/^etc-conf-[0-9a-f]{8}$/), configMap: { name: 'settings' } },
    { name: expect.stringMatching(/^tmp-x-[0-9a-f]{8}$/), emptyDir: {} },
  ])
  expect(spec.containers[0]?.volumeMounts).toEqual([
    { mountPath: '/etc/Conf', name: spec.volumes?.[1]?.name, readOnly: true },
    { mountPath: '/tmp/x', name: spec.volumes?.[2]?.name },
    { mountPath: '/s', name: 'v', readOnly: true, subPath: 'sub' },
  ])
})

test('the scale flags become annotations of the revision', () => {
  const annotations = templateOf(
    '--scale',
    '1..5',
    '--scale-target',
    '10',
    '--scale-window',
    '30s',
    '--scale-init',
    '2',
    '--scale-metric',
    'rps',
    '--scale-utilization',
    '80',
  ).metadata?.annotations
  expect(annotations).toMatchObject({
    'autoscaling.knative.dev/min-scale': '1',
    'autoscaling.knative.dev/max-scale': '5',
    'autoscaling.knative.dev/target': '10',
    'autoscaling.knative.dev/window': '30s',
    'autoscaling.knative.dev/initial-scale': '2',
    'autoscaling.knative.dev/metric': 'rps',
    'autoscaling.knative.dev/target-utilization-percentage': '80',
  })
  expect(templateOf('--scale', '3').metadata?.annotations).toMatchObject({
    'autoscaling.knative.dev/min-scale': '3',
    'autoscaling.knative.dev/max-scale': '3',
  })
  expect(templateOf('--scale', '..4').metadata?.annotations).not.toHaveProperty(['autoscaling.knative.dev/min-scale'])
})

test('labels and annotations go to the service and its revision, and those of the autoscaler to the revision only', () => {
  const service = made([
    '-l',
    'a=1',
    '--label-revision',
    'a=2',
    '--annotation',
    'n=1',
    '-a',
    'autoscaling.knative.dev/target=5',
    '--cluster-local',
  ])
  expect(service.metadata).toMatchObject({
    labels: { a: '1', 'networking.knative.dev/visibility': 'cluster-local' },
    annotations: { n: '1' },
  })
  expect(service.metadata.annotations).not.toHaveProperty(['autoscaling.knative.dev/target'])
  expect(service.spec.template.metadata).toMatchObject({
    labels: { a: '2' },
    annotations: { n: '1', 'autoscaling.knative.dev/target': '5' },
  })
})

test('flags that make no revision leave no timestamp', () => {
  expect(templateOf('--cluster-local').metadata).toBeUndefined()
})

test('an update keeps what it does not mention and removes what it is told to', () => {
  const base = made(['--image', 'i', '--env', 'A=1', '--env', 'B=2', '-l', 'x=1', '--limit', 'cpu=1,memory=1Gi'])
  const next = made(['--env', 'A-', '-l', 'x-', '--limit', 'memory-', '--concurrency-limit', '4', '--timeout', '20'], base)
  expect(next.metadata.labels).toBeUndefined()
  expect(next.spec.template.spec).toEqual({
    containers: [{ image: 'i', env: [{ name: 'B', value: '2' }], resources: { limits: { cpu: '1' } } }],
    containerConcurrency: 4,
    timeoutSeconds: 20,
  })
})

test('the name of a revision is filled in and begins with that of the service', () => {
  const name = (template: string) => templateOf('--revision-name', template).metadata?.name
  expect(name('{{.Service}}-v{{.Generation}}')).toBe('hello-v1')
  expect(name('blue-{{.Random 3}}')).toBe('hello-blue-bbb')
  expect(name('')).toBeUndefined()
})

test('a tag on create goes to the only revision, with all traffic', () => {
  expect(made(['--image', 'i', '--tag', '@latest=v1']).spec.traffic).toEqual([{ latestRevision: true, percent: 100, tag: 'v1' }])
})

test.each([
  [['--env', 'A'], 'Invalid --env: argument requires a value that contains the "=" character; got "A"'],
  [['--label', 'a'], 'Argument requires a value that contains the "=" character as delimiter; got "a"'],
  [['--label', '=a'], 'The key is empty'],
  [['--label', 'a=1', '-l', 'a=2'], 'The key "a" has been duplicate in [a=1 a=2]'],
  [['--env-from', '-'], '"-" is not a valid value for "--env-from"'],
  [['--port', '80:x'], "the port specification '80:x' is not valid. Please provide in the format 'NAME:PORT', where 'NAME' is optional."],
  [['--pull-policy', 'x'], 'invalid --pull-policy x. Valid arguments (case insensitive): Always | Never | IfNotPresent'],
  [['--security-context', 'x'], 'invalid --security-context x. Valid arguments: strict | none'],
  [['--concurrency-limit', '-1'], 'invalid concurrency-limit -1 (must not be less than 0)'],
  [['--scale', 'x'], 'Scale must be of the format x..y or x'],
  [['--scale', '1..x'], 'strconv.Atoi: parsing "x": invalid syntax'],
  [['--scale', '1', '--scale-max', '2'], 'only --scale or --scale-max can be specified'],
  [['--scale-target', '0'], 'should be at least 0.01'],
  [['--scale-window', 'x'], "invalid duration for 'scale-window': "],
  [['--mount', '/x=v'], 'There is no volume matched with "v"'],
  [['--volume', 'v=cm:c', '--volume', 'v-', '--mount', '/x=v'], 'The volume "v" cannot be removed because it is mounted'],
  [['--probe-liveness', 'ftp:x'], "unsupported probe type 'ftp'; supported types: http, https, exec, tcp"],
  [['--probe-liveness', 'tcp:a:b:c'], 'too many probe parameters provided, please check the format'],
  [['--probe-liveness-opts', 'X=1'], "not a valid probe parameter name 'X'"],
  [['--probe-liveness-opts', 'PeriodSeconds=x'], "not a nummeric value for parameter 'PeriodSeconds'"],
  [
    ['--annotation-service', 'autoscaling.knative.dev/target=1'],
    "service can not have auto-scaling related annotation: autoscaling.knative.dev/target , please update using '--annotation-revision'",
  ],
])('%j is refused: %s', (line, message) => {
  expect(() => made(line)).toThrow(message)
})
