import type { AdmissionContext } from '../../apimachinery/kind.js'
import type { ObjectMeta } from '../../apimachinery/object.js'
import type { Container, PodSpec } from '../core/pod/schema.js'
import { type DefaultsConfig, defaultsConfig, type ReadConfigMap, renderTemplate, securePodDefaults } from '../serving-config.js'
import type { Revision, RevisionSpec } from './schema.js'

/**
 * What Serving's defaulting webhook fills in.
 * @see knative/serving v1.23 pkg/apis/serving/v1/revision_defaults.go
 */
export function defaultRevision(draft: Revision, context: AdmissionContext<Revision>): void {
  // A stored Revision never changes, not even by newer defaults.
  if (context.operation === 'CREATE') defaultRevisionSpec(draft.spec, draft.metadata, true, context.configMap)
}

/** Fills in a spec in place. `owner` is the object whose fields name templates may use. */
export function defaultRevisionSpec(spec: RevisionSpec, owner: Partial<ObjectMeta>, isCreate: boolean, configMap: ReadConfigMap): void {
  const config = defaultsConfig(configMap)
  if (!spec.timeoutSeconds) spec.timeoutSeconds = config.revisionTimeoutSeconds
  const ifShorter = (seconds: number): number | undefined => (seconds > 0 && seconds < spec.timeoutSeconds! ? seconds : undefined)
  const idle = spec.idleTimeoutSeconds ?? ifShorter(config.revisionIdleTimeoutSeconds)
  if (idle !== undefined) spec.idleTimeoutSeconds = idle
  const start = spec.responseStartTimeoutSeconds ?? ifShorter(config.revisionResponseStartTimeoutSeconds)
  if (start !== undefined) spec.responseStartTimeoutSeconds = start
  spec.containerConcurrency ??= config.containerConcurrency

  const containers = spec.containers ?? []
  const initContainers = spec.initContainers ?? []
  const taken = new Set([...containers, ...initContainers].map((container) => container.name).filter(Boolean))
  const fields = {
    Name: owner.name ?? '',
    Namespace: owner.namespace ?? '',
    Labels: owner.labels ?? {},
    Annotations: owner.annotations ?? {},
  }
  nameContainers(containers, taken, renderTemplate(config.containerNameTemplate, fields))
  nameContainers(initContainers, taken, renderTemplate(config.initContainerNameTemplate, fields))

  for (const container of containers) {
    defaultContainer(container, spec, config)
    if (containers.length === 1 || (container.ports?.length ?? 0) > 0) defaultReadinessProbe(container)
  }
  for (const container of initContainers) defaultContainer(container, spec, config)
  if (isCreate && spec.enableServiceLinks === undefined && config.enableServiceLinks !== undefined) {
    spec.enableServiceLinks = config.enableServiceLinks
  }
  const secure = securePodDefaults(configMap)
  if (secure !== 'Disabled') defaultSecurity(spec, secure === 'Enabled')
}

function nameContainers(containers: readonly Container[], taken: Set<string>, template: string): void {
  let next = 0
  for (const container of containers) {
    if (container.name) continue
    let name = template
    if (containers.length > 1 || taken.has(name)) {
      do name = `${template}-${next++}`
      while (taken.has(name))
    }
    taken.add(name)
    container.name = name
  }
}

function defaultContainer(container: Container, spec: PodSpec, config: DefaultsConfig): void {
  const resources = (container.resources ??= {})
  for (const [kind, defaults] of [['requests', config.requests] as const, ['limits', config.limits] as const]) {
    // Quantities may come as numbers; Kubernetes keeps them as text.
    const given = Object.fromEntries(Object.entries(resources[kind] ?? {}).map(([name, quantity]) => [name, String(quantity)]))
    if (resources[kind] || Object.keys(defaults).length > 0) resources[kind] = { ...defaults, ...given }
  }
  for (const probe of [container.readinessProbe, container.livenessProbe, container.startupProbe]) {
    if (probe?.grpc) probe.grpc.service ??= ''
  }
  const isWritable = (name: string): boolean => {
    const volume = spec.volumes?.find((candidate) => candidate.name === name)
    return Boolean(volume && (volume['emptyDir'] || volume['persistentVolumeClaim'] || volume['ephemeral']))
  }
  for (const mount of container.volumeMounts ?? []) if (!isWritable(mount.name)) mount.readOnly = true
}

/** periodSeconds 0 (or none) asks for Knative's own, much faster probing and stays as it is. */
function defaultReadinessProbe(container: Container): void {
  const probe = (container.readinessProbe ??= {})
  if (!probe.httpGet && !probe.tcpSocket && !probe.exec && !probe.grpc) probe.tcpSocket = { port: 0 }
  probe.successThreshold ||= 1
  if (probe.periodSeconds) {
    probe.failureThreshold ||= 3
    probe.timeoutSeconds ||= 1
  }
}

function defaultSecurity(spec: RevisionSpec, isNonRoot: boolean): void {
  const pod = spec.securityContext
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const context = (container.securityContext ??= {})
    context['allowPrivilegeEscalation'] ??= false
    if (!pod?.['seccompProfile']) context['seccompProfile'] ??= { type: 'RuntimeDefault' }
    const capabilities = (context['capabilities'] ??= {}) as { drop?: string[]; add?: string[] }
    if (!capabilities.drop) {
      capabilities.drop = ['ALL']
      const needsLowPort = container.ports?.some((port) => port.containerPort > 0 && port.containerPort < 1024)
      if (needsLowPort && !capabilities.add) capabilities.add = ['NET_BIND_SERVICE']
    }
    if (isNonRoot && pod?.['runAsNonRoot'] === undefined) context['runAsNonRoot'] ??= true
  }
}
