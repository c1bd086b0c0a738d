import type { KubeObject, ObjectMeta } from '../../../apimachinery/object.js'

export interface EnvVar {
  name: string
  value?: string
  valueFrom?: {
    configMapKeyRef?: { name: string; key: string; optional?: boolean }
    secretKeyRef?: { name: string; key: string; optional?: boolean }
    fieldRef?: { apiVersion?: string; fieldPath: string }
    resourceFieldRef?: { containerName?: string; resource: string; divisor?: string }
  }
}

export interface EnvFromSource {
  prefix?: string
  configMapRef?: { name: string; optional?: boolean }
  secretRef?: { name: string; optional?: boolean }
}

export interface ContainerPort {
  name?: string
  containerPort: number
  protocol?: string
  hostPort?: number
  hostIP?: string
}

export interface Probe {
  httpGet?: { path?: string; port: number | string; host?: string; scheme?: string; httpHeaders?: { name: string; value: string }[] }
  tcpSocket?: { port: number | string; host?: string }
  exec?: { command?: string[] }
  grpc?: { port: number; service?: string }
  initialDelaySeconds?: number
  timeoutSeconds?: number
  periodSeconds?: number
  successThreshold?: number
  failureThreshold?: number
}

/** What is done when a container starts, or before it is told to end. */
export type Hook = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket'> & { sleep?: { seconds: number } }

export interface ResourceRequirements {
  limits?: Record<string, string>
  requests?: Record<string, string>
}

export interface Container {
  name: string
  image: string
  command?: string[]
  args?: string[]
  workingDir?: string
  ports?: ContainerPort[]
  env?: EnvVar[]
  envFrom?: EnvFromSource[]
  resources?: ResourceRequirements
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean; subPath?: string }[]
  livenessProbe?: Probe
  readinessProbe?: Probe
  startupProbe?: Probe
  lifecycle?: { postStart?: Hook; preStop?: Hook; stopSignal?: string }
  terminationMessagePath?: string
  terminationMessagePolicy?: string
  imagePullPolicy?: string
  securityContext?: Record<string, unknown>
  stdin?: boolean
  stdinOnce?: boolean
  tty?: boolean
  /** `Always` makes an init container a sidecar. */
  restartPolicy?: string
}

export interface PodSpec {
  containers: Container[]
  initContainers?: Container[]
  volumes?: ({ name: string } & Record<string, unknown>)[]
  restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  terminationGracePeriodSeconds?: number
  serviceAccountName?: string
  serviceAccount?: string
  automountServiceAccountToken?: boolean
  nodeName?: string
  hostname?: string
  subdomain?: string
  enableServiceLinks?: boolean
  imagePullSecrets?: { name: string }[]
  dnsPolicy?: string
  schedulerName?: string
  securityContext?: Record<string, unknown>
  [field: string]: unknown
}

export interface PodTemplateSpec {
  metadata?: Partial<ObjectMeta>
  spec: PodSpec
}

export interface ContainerState {
  waiting?: { reason: string; message?: string }
  running?: { startedAt: string }
  terminated?: {
    exitCode: number
    signal?: number
    reason: string
    message?: string
    startedAt: string
    finishedAt: string
    containerID?: string
  }
}

export interface ContainerStatus {
  name: string
  image: string
  imageID: string
  containerID?: string
  ready: boolean
  started?: boolean
  restartCount: number
  state: ContainerState
  lastState: ContainerState
}

export interface PodCondition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason?: string
  message?: string
  lastTransitionTime?: string
  lastProbeTime?: null
  observedGeneration?: number
}

export interface PodStatus {
  phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'
  reason?: string
  message?: string
  conditions?: PodCondition[]
  hostIP?: string
  hostIPs?: { ip: string }[]
  podIP?: string
  podIPs?: { ip: string }[]
  startTime?: string
  qosClass?: string
  containerStatuses?: ContainerStatus[]
  initContainerStatuses?: ContainerStatus[]
  observedGeneration?: number
}

export interface Pod extends KubeObject {
  spec: PodSpec
  status?: PodStatus
}

/** JSON object: container port (as text) to the loopback port it is really reached on. Gateway, probes and port-forward dial that. */
export const PORTS_ANNOTATION = 'kn-local.dev/ports'

/** Container port to loopback port; empty when the annotation is not there yet, or somebody made it something else. */
export function loopbackPortsOf(pod: Pick<KubeObject, 'metadata'> | undefined): Readonly<Record<number, number>> {
  const text = pod?.metadata.annotations?.[PORTS_ANNOTATION]
  if (!text) return {}
  try {
    const ports: unknown = JSON.parse(text)
    if (typeof ports !== 'object' || ports === null) return {}
    return Object.fromEntries(Object.entries(ports).filter(([, port]) => Number.isInteger(port) && port > 0 && port < 65536))
  } catch {
    return {}
  }
}

/** The sidecar every Revision's Pod lists. It is no process: its status, its log and its behaviour come from the gateway and the probes. */
export const QUEUE_PROXY = 'queue-proxy'
