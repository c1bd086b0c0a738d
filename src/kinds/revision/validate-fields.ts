import { type FieldError, findings } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import type { PodSpec } from '../core/pod/schema.js'
import { type Flag, feature, type ReadConfigMap, securePodDefaults } from '../serving-config.js'

/**
 * Which fields Serving lets through, and under which flags.
 * @see knative/serving v1.23 pkg/apis/serving/fieldmask.go
 */

/** Findings for set fields that are not allowed. Zero values never count: the rule compares with a copy that lacks the field. */
export function onlyFields(object: object | undefined, allowed: readonly string[]): FieldError | undefined {
  const refused = Object.entries(object ?? {}).filter(([field, value]) => !allowed.includes(field) && !isZero(value))
  return refused.length > 0 ? findings.disallowedFields(...refused.map(([field]) => field)) : undefined
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true
  return Array.isArray(value) && value.length === 0
}

const ALWAYS = [
  'serviceAccountName',
  'containers',
  'volumes',
  'imagePullSecrets',
  'enableServiceLinks',
  'containerConcurrency',
  'timeoutSeconds',
  'responseStartTimeoutSeconds',
  'idleTimeoutSeconds',
] as const

const GATED: Readonly<Record<string, string>> = {
  affinity: 'affinity',
  topologySpreadConstraints: 'topologyspreadconstraints',
  hostAliases: 'hostaliases',
  nodeSelector: 'nodeselector',
  tolerations: 'tolerations',
  runtimeClassName: 'runtimeclassname',
  securityContext: 'securitycontext',
  shareProcessNamespace: 'shareprocessnamespace',
  hostIPC: 'hostipc',
  hostPID: 'hostpid',
  hostNetwork: 'hostnetwork',
  priorityClassName: 'priorityclassname',
  schedulerName: 'schedulername',
  initContainers: 'init-containers',
  dnsPolicy: 'dnspolicy',
  dnsConfig: 'dnsconfig',
}

export function podSpecFlag(configMap: ReadConfigMap, name: string): Flag {
  return feature(configMap, `kubernetes.podspec-${name}`)
}

export function validatePodFields(spec: PodSpec, { configMap }: Pick<AdmissionContext, 'configMap'>): FieldError | undefined {
  const gated = Object.entries(GATED)
    .filter(([field, flag]) => {
      if (podSpecFlag(configMap, flag) !== 'Disabled') return true
      return field === 'securityContext' && securePodDefaults(configMap) !== 'Disabled'
    })
    .map(([field]) => field)
  // Only switching the token off is allowed; `false` is a zero value and passes.
  return onlyFields(spec, [...ALWAYS, ...gated])
}

export const CONTAINER_FIELDS = [
  'name',
  'args',
  'command',
  'env',
  'workingDir',
  'envFrom',
  'image',
  'imagePullPolicy',
  'livenessProbe',
  'ports',
  'readinessProbe',
  'resources',
  'securityContext',
  'startupProbe',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'volumeMounts',
] as const

export const PROBE_FIELDS = [
  'httpGet',
  'tcpSocket',
  'exec',
  'grpc',
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const
