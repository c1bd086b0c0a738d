import { expect, test } from 'vitest'
import type { AdmissionRequest } from '../../../../src/apimachinery/admission-plugin.js'
import { StatusError } from '../../../../src/apimachinery/status-error.js'
import { knativeConfigs } from '../../../../src/kinds/knative-config/admission.js'
import { crc32 } from '../../../../src/kinds/knative-config/crc32.js'

/** What the webhook says of a ConfigMap's data, or nothing. */
function said(name: string, data: Record<string, string>, { namespace = 'knative-serving', annotations = {} } = {}): string | undefined {
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, annotations }, data }
  try {
    knativeConfigs.validate!(map, { resource: 'configmaps', namespace } as AdmissionRequest)
    return undefined
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    expect({ code: error.code, reason: error.reason }).toEqual({ code: 400, reason: 'BadRequest' })
    return error.message.replace(
      /^admission webhook "config\.webhook\.(serving|eventing)\.knative\.dev" denied the request: validation failed: /,
      '$1: ',
    )
  }
}

test.each([
  ['config-autoscaler', { 'stable-window': '2h' }, 'stable-window = 2h0m0s, must be in [6s; 1h0m0s] range'],
  ['config-autoscaler', { 'scale-to-zero-grace-period': '0s' }, 'scale-to-zero-grace-period must be positive, was: 0s'],
  [
    'config-autoscaler',
    { 'target-burst-capacity': '-2' },
    'target-burst-capacity must be either non-negative or -1 (for unlimited), was: -2.000000',
  ],
  [
    'config-autoscaler',
    { 'initial-scale': '0' },
    'initial-scale = 0, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)',
  ],
  ['config-autoscaler', { 'max-scale-limit': '5' }, 'max-scale = 0, must be in [1, max-scale-limit(5)] range'],
  [
    'config-autoscaler',
    { 'panic-window-percentage': 'x' },
    'failed to parse data: failed to parse "panic-window-percentage": strconv.ParseFloat: parsing "x": invalid syntax',
  ],
  [
    'config-autoscaler',
    { 'stable-window': '60' },
    'failed to parse data: failed to parse "stable-window": time: missing unit in duration "60"',
  ],
  [
    'config-defaults',
    { 'revision-timeout-seconds': '700' },
    'revision-timeout-seconds (700) cannot be greater than max-revision-timeout-seconds (600)',
  ],
  ['config-defaults', { 'container-concurrency': '1001' }, 'expected 0 <= 1001 <= 1000: container-concurrency'],
  [
    'config-defaults',
    { 'revision-cpu-request': 'lots' },
    `failed to parse "revision-cpu-request": quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
  ],
  ['config-deployment', {}, 'queue-sidecar-image cannot be empty or unset'],
  [
    'config-deployment',
    { 'queue-sidecar-image': 'q', 'progress-deadline': '1500ms' },
    'progress-deadline must be rounded to a whole second, was: 1.5s',
  ],
  [
    'config-gc',
    { 'min-non-active-revisions': '30', 'max-non-active-revisions': '20' },
    'min-non-active-revisions(30) must be <= max-non-active-revisions(20)',
  ],
  ['config-network', { 'rollout-duration': '-1' }, 'rollout-duration must be a positive integer, but was -1'],
  ['config-network', { 'http-protocol': 'gopher' }, 'httpProtocol gopher in config-network ConfigMap is not supported'],
  ['config-network', { 'domain-template': '{{.Name}}.{{.Domain}}/path' }, 'domain template has url path: /path'],
  ['config-observability', { 'metrics-protocol': 'grpc' }, 'endpoint should be set when protocol is "grpc"'],
  ['config-observability', { 'tracing-sampling-rate': '2' }, 'sampling rate 2.000000 should be less than or equal to one'],
  ['config-leader-election', { buckets: '11' }, 'buckets: value must be between 1 <= 11 <= 10'],
  ['config-logging', { 'loglevel.controller': 'loud' }, 'invalid logging level: loud'],
])('%s refuses %o', (name, data, text) => {
  expect(said(name, data as Record<string, string>)).toBe(`serving: ${text}`)
})

test('what may stand there is let through, and other ConfigMaps and namespaces are none of its business', () => {
  expect(
    said('config-autoscaler', {
      'stable-window': '6s',
      'allow-zero-initial-scale': 'true',
      'initial-scale': '0',
      'target-burst-capacity': '-1',
    }),
  ).toBeUndefined()
  expect(said('config-gc', { 'max-non-active-revisions': 'disabled' })).toBeUndefined()
  expect(said('config-network', { 'domain-template': '{{.Name}}-{{.Namespace}}.{{.Domain}}' })).toBeUndefined()
  expect(said('mine', { 'stable-window': '2h' })).toBeUndefined()
  expect(said('config-autoscaler', { 'stable-window': '2h' }, { namespace: 'default' })).toBeUndefined()
})

test('Eventing has a webhook of its own for its namespace', () => {
  expect(said('config-observability', { 'tracing-protocol': 'carrier-pigeon' }, { namespace: 'knative-eventing' })).toBe(
    'eventing: unsupported protocol "carrier-pigeon"',
  )
})

test('an example that was edited in place is refused, by the checksum beside it', () => {
  expect(crc32('123456789')).toBe('cbf43926')
  const annotations = { 'knative.dev/example-checksum': crc32('the example') }
  expect(said('config-gc', { _example: '\nthe example\n' }, { annotations })).toBeUndefined()
  expect(said('config-gc', { _example: 'another example' }, { annotations })).toContain('the update modifies a key in "_example"')
})
