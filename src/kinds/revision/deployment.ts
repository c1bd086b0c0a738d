import type { Draft } from '../../apimachinery/object.js'
import { goDurationMs } from '../../base/duration.js'
import type { Deployment } from '../core/deployment/schema.js'
import type { Container, EnvVar, PodSpec, PodTemplateSpec, Probe } from '../core/pod/schema.js'
import { initialScale } from '../podautoscaler/scale.js'
import type { PodAutoscaler } from '../podautoscaler/schema.js'
import { autoscalerConfig, deploymentConfig, feature, type ReadConfigMap } from '../serving-config.js'
import {
  APP_LABEL,
  annotationOf,
  CONFIGURATION_LABEL,
  DEFAULT_CONTAINER_ANNOTATION,
  DEPLOYMENT_HASH_LABEL,
  LAST_PINNED_ANNOTATION,
  mapWithout,
  NO_GC_ANNOTATION,
  PROGRESS_DEADLINE_KEYS,
  REVISION_LABEL,
  REVISION_UID_LABEL,
  ROUTE_LABEL,
  ROUTES_ANNOTATION,
  ROUTING_STATE_LABEL,
  ROUTING_STATE_MODIFIED_ANNOTATION,
  SERVICE_LABEL,
} from '../serving-labels.js'
import { deploymentName } from '../serving-names.js'
import { QUEUE_PORTS, queueProxyFor } from './queue-proxy.js'
import { protocolOf, type Revision, servingContainer, userPort } from './schema.js'

/**
 * The Deployment and the PodAutoscaler of a Revision.
 * @see knative/serving v1.23 pkg/reconciler/revision/resources/{deploy,pa,meta}.go
 */

const NOT_COPIED: ReadonlySet<string> = new Set([
  LAST_PINNED_ANNOTATION,
  NO_GC_ANNOTATION,
  ROUTING_STATE_MODIFIED_ANNOTATION,
  ROUTES_ANNOTATION,
])

export function labelsFor({ metadata }: Revision): Record<string, string> {
  return {
    [APP_LABEL]: metadata.name,
    ...mapWithout(metadata.labels, (key) => key === ROUTE_LABEL || key === ROUTING_STATE_LABEL),
    [REVISION_LABEL]: metadata.name,
    [REVISION_UID_LABEL]: metadata.uid!,
  }
}

/** What Deployment, Pods and Images carry: how the Revision scales is none of their business. */
export function annotationsFor({ metadata }: Revision): Record<string, string> {
  return mapWithout(metadata.annotations, (key) => NOT_COPIED.has(key) || key.startsWith('autoscaling.knative.dev'))
}

export function deploymentFor(revision: Revision, configMap: ReadConfigMap): Draft<Deployment> & { metadata: { name: string } } {
  const labels = labelsFor(revision)
  const annotations = annotationsFor(revision)
  const spec: Deployment['spec'] = {
    replicas: initialScale(revision.metadata, autoscalerConfig(configMap)),
    selector: { matchLabels: { [REVISION_UID_LABEL]: revision.metadata.uid! } },
    progressDeadlineSeconds: progressDeadlineSeconds(revision, configMap),
    revisionHistoryLimit: 0,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0 } },
    template: {
      metadata: {
        labels,
        annotations: { ...annotations, [DEFAULT_CONTAINER_ANNOTATION]: servingContainer(revision.spec).name },
      },
      spec: podSpecFor(revision, configMap),
    },
  }
  return {
    metadata: {
      name: deploymentName(revision.metadata.name),
      labels: { ...labels, [DEPLOYMENT_HASH_LABEL]: hashOf([spec, annotations, labels]) },
      annotations,
    },
    spec,
  }
}

/**
 * The Deployment brought up to date, or the same object when its hash says that it is. Scale, selector and whatever others
 * wrote into the metadata stay, so that a restart asked for with kubectl goes on.
 */
export function correctedDeployment(existing: Deployment, wanted: ReturnType<typeof deploymentFor>): Deployment {
  const hash = wanted.metadata.labels?.[DEPLOYMENT_HASH_LABEL]
  if (existing.metadata.labels?.[DEPLOYMENT_HASH_LABEL] === hash) return existing
  const { replicas, selector, template } = existing.spec
  const templateMeta = wanted.spec.template.metadata
  return {
    ...existing,
    metadata: {
      ...existing.metadata,
      labels: { ...others(existing.metadata.labels), ...wanted.metadata.labels },
      annotations: { ...others(existing.metadata.annotations), ...wanted.metadata.annotations },
    },
    spec: {
      ...wanted.spec,
      ...(replicas !== undefined && { replicas }),
      selector,
      template: {
        ...wanted.spec.template,
        metadata: {
          labels: { ...others(template.metadata?.labels), ...templateMeta?.labels },
          annotations: { ...others(template.metadata?.annotations), ...templateMeta?.annotations },
        },
      } satisfies PodTemplateSpec,
    },
  }
}

const others = (map: Record<string, string> | undefined): Record<string, string> =>
  mapWithout(map, (key) => key.includes('knative.dev/') || key === APP_LABEL)

export function podAutoscalerFor(revision: Revision, isUnreachable: boolean): Draft<PodAutoscaler> & { metadata: { name: string } } {
  const { metadata, spec } = revision
  const state = metadata.labels?.[ROUTING_STATE_LABEL]
  const reachability = isUnreachable || state === 'reserve' ? 'Unreachable' : state === 'active' ? 'Reachable' : ''
  return {
    metadata: {
      name: metadata.name,
      labels: labelsFor(revision),
      annotations: mapWithout(metadata.annotations, (key) => NOT_COPIED.has(key)),
    },
    spec: {
      containerConcurrency: spec.containerConcurrency ?? 0,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: deploymentName(metadata.name) },
      protocolType: protocolOf(spec),
      ...(reachability && { reachability }),
    },
  }
}

function progressDeadlineSeconds(revision: Revision, configMap: ReadConfigMap): number {
  const text = annotationOf(revision.metadata.annotations, PROGRESS_DEADLINE_KEYS)?.value
  const ms = text === undefined ? undefined : goDurationMs(text)
  return ms === undefined || ms <= 0 ? deploymentConfig(configMap).progressDeadlineSeconds : Math.floor(ms / 1000)
}

const NOT_OF_THE_POD: ReadonlySet<string> = new Set([
  'containerConcurrency',
  'timeoutSeconds',
  'responseStartTimeoutSeconds',
  'idleTimeoutSeconds',
  'containers',
])

function podSpecFor(revision: Revision, configMap: ReadConfigMap): PodSpec {
  const { spec, metadata } = revision
  const config = deploymentConfig(configMap)
  const serving = servingContainer(spec)
  const copied = Object.fromEntries(Object.entries(spec).filter(([field]) => !NOT_OF_THE_POD.has(field)))
  return {
    ...copied,
    containers: [
      ...spec.containers.map((container) =>
        container === serving ? servingContainerFor(revision, configMap) : sidecarFor(container, revision, configMap),
      ),
      queueProxyFor(revision, configMap),
    ],
    ...(spec.initContainers && {
      initContainers: spec.initContainers.map((container) => withDigest(container, revision.status?.initContainerStatuses)),
    }),
    terminationGracePeriodSeconds: spec.timeoutSeconds ?? 300,
    ...(!spec['affinity'] && config.spreadOverNodes && { affinity: spreadOverNodes(metadata.name) }),
    ...(!spec['runtimeClassName'] && config.runtimeClassName && { runtimeClassName: config.runtimeClassName }),
  }
}

function servingContainerFor(revision: Revision, configMap: ReadConfigMap): Container {
  const port = userPort(revision.spec)
  const container = commonContainer(servingContainer(revision.spec), revision)
  // Only an exec probe stays: the sidecar carries out the others.
  const { readinessProbe, livenessProbe, ...rest } = container
  const keepsPort = feature(configMap, 'multi-container-probing') === 'Enabled'
  return {
    ...rest,
    ports: [{ name: 'user-port', containerPort: port, protocol: 'TCP' }],
    env: [...(rest.env ?? []), { name: 'PORT', value: String(port) }, ...identity(revision)],
    ...(readinessProbe?.exec && { readinessProbe }),
    ...(livenessProbe && { livenessProbe: onPort(livenessProbe, port, keepsPort) }),
  }
}

function sidecarFor(container: Container, revision: Revision, configMap: ReadConfigMap): Container {
  const common = commonContainer(container, revision)
  const { readinessProbe, ...rest } = common
  const isProbedBySidecar = readinessProbe && !readinessProbe.exec && feature(configMap, 'multi-container-probing') === 'Enabled'
  return { ...(isProbedBySidecar ? rest : common), env: [...(container.env ?? []), ...identity(revision)] }
}

function commonContainer(container: Container, revision: Revision): Container {
  return {
    ...withDigest(container, revision.status?.containerStatuses),
    // Blocks the end of the program until the sidecar has no request left.
    lifecycle: { preStop: { httpGet: { port: QUEUE_PORTS.admin, path: '/wait-for-drain' } } },
    terminationMessagePolicy: container.terminationMessagePolicy || 'FallbackToLogsOnError',
  }
}

function withDigest(container: Container, statuses: NonNullable<Revision['status']>['containerStatuses']): Container {
  const digest = statuses?.find(({ name }) => name === container.name)?.imageDigest
  return digest ? { ...container, image: digest } : container
}

/** K_SERVICE is empty for a Revision that no Service made. */
function identity({ metadata }: Revision): EnvVar[] {
  return [
    { name: 'K_REVISION', value: metadata.name },
    { name: 'K_CONFIGURATION', value: metadata.labels?.[CONFIGURATION_LABEL] ?? '' },
    { name: 'K_SERVICE', value: metadata.labels?.[SERVICE_LABEL] ?? '' },
  ]
}

function onPort(probe: Probe, port: number, keepsPort: boolean): Probe {
  const chosen = (given: number | string | undefined): number | string => (keepsPort && given ? given : port)
  if (probe.httpGet) return { ...probe, httpGet: { ...probe.httpGet, port: chosen(probe.httpGet.port) } }
  if (probe.tcpSocket) return { ...probe, tcpSocket: { ...probe.tcpSocket, port: chosen(probe.tcpSocket.port) } }
  return probe
}

function spreadOverNodes(revision: string): Record<string, unknown> {
  return {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 100,
          podAffinityTerm: {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { [REVISION_LABEL]: revision } },
          },
        },
      ],
    },
  }
}

/** FNV-1a over the JSON text, in base 36. */
function hashOf(value: unknown): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(JSON.stringify(value))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash.toString(36)
}
