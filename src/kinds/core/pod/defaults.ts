import { canonicalQuantity } from '../../../apimachinery/quantity.js'
import type { Container, Pod, PodSpec, Probe, ResourceRequirements } from './schema.js'

/** Tolerations that admission gives every Pod, in seconds (plugin defaulttolerationseconds). */
const TOLERATION_SECONDS = 300
const FILE_MODE = 0o644

/**
 * Defaults of a PodSpec, in place: those of templates too.
 * @see kubernetes/kubernetes v1.35 pkg/apis/core/v1/defaults.go
 */
export function defaultPodSpec(spec: PodSpec): void {
  spec.restartPolicy ??= 'Always'
  spec.dnsPolicy ??= 'ClusterFirst'
  spec.schedulerName ??= 'default-scheduler'
  spec.terminationGracePeriodSeconds ??= 30
  spec.securityContext ??= {}
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) defaultContainer(container)
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
  // The old and the new name of the same field; the new one wins.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount
}

/**
 * Defaults that only Pods get, not templates: the API server's own and those of its admission plugins. No service account
 * token is mounted: a workload here is a process of the user's own and is given no credential.
 */
export function defaultPod(pod: Pod): void {
  const { spec } = pod
  defaultPodSpec(spec)
  spec.enableServiceLinks ??= true
  spec.serviceAccountName ||= 'default'
  spec.serviceAccount = spec.serviceAccountName
  spec['preemptionPolicy'] ??= 'PreemptLowerPriority'
  spec['priority'] ??= 0
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) requestLimits(container.resources)
  const tolerations = (spec['tolerations'] ??= []) as { key?: string; effect?: string; operator?: string; tolerationSeconds?: number }[]
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const isTolerated = tolerations.some((own) => (!own.key || own.key === key) && (!own.effect || own.effect === 'NoExecute'))
    if (!isTolerated) tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATION_SECONDS })
  }
}

function defaultContainer(container: Container): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? '')
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  container.resources ??= {}
  for (const amounts of [container.resources.limits, container.resources.requests]) {
    for (const [name, amount] of Object.entries(amounts ?? {})) amounts![name] = canonicalQuantity(String(amount)) ?? amount
  }
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1'
    if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ??= '0'
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) if (probe) defaultProbe(probe)
  for (const hook of [container.lifecycle?.postStart, container.lifecycle?.preStop]) if (hook?.httpGet) defaultHttpGet(hook.httpGet)
}

/** Always for the tag `latest` or none at all, unless a digest pins the image. */
function pullPolicyOf(image: string): string {
  if (image.includes('@')) return 'IfNotPresent'
  const lastPart = image.slice(image.lastIndexOf('/') + 1)
  const colon = lastPart.indexOf(':')
  return colon < 0 || lastPart.slice(colon + 1) === 'latest' ? 'Always' : 'IfNotPresent'
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  if (probe.httpGet) defaultHttpGet(probe.httpGet)
  if (probe.grpc) probe.grpc.service ??= ''
}

function defaultHttpGet(httpGet: NonNullable<Probe['httpGet']>): void {
  httpGet.path ||= '/'
  httpGet.scheme ||= 'HTTP'
}

function defaultVolume(volume: { name: string } & Record<string, unknown>): void {
  for (const source of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    const present = volume[source] as { defaultMode?: number } | undefined
    if (present) present.defaultMode ??= FILE_MODE
  }
  const hostPath = volume['hostPath'] as { type?: string } | undefined
  if (hostPath) hostPath.type ??= ''
  if (Object.keys(volume).length === 1) volume['emptyDir'] = {}
}

function requestLimits(resources: ResourceRequirements | undefined): void {
  for (const [name, limit] of Object.entries(resources?.limits ?? {})) {
    resources!.requests = { ...resources!.requests, [name]: resources!.requests?.[name] ?? limit }
  }
}
