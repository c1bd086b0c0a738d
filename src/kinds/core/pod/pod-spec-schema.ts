import { objectMetaSchema } from '../../../apimachinery/object-meta-schema.js'
import type { Schema } from '../../../apimachinery/schema.js'
import {
  anyList,
  anyObject,
  described,
  fields,
  flag,
  int32,
  int64,
  intOrText,
  listByKey,
  listMergedBy,
  listOf,
  localReference,
  quantities,
  quantity,
  text,
  textMap,
  texts,
} from '../schema-parts.js'

/**
 * The schema of PodSpec, shared by Pods and by every template. Parts that nothing here acts on are kept as they come.
 * @see kubernetes/kubernetes v1.35 staging/src/k8s.io/api/core/v1/types.go
 */

const name: Schema = { type: 'string', default: '' }
const fieldRef: Schema = { ...fields({ apiVersion: text, fieldPath: text }, ['fieldPath']), 'x-kubernetes-map-type': 'atomic' }
const resourceFieldRef: Schema = {
  ...fields({ containerName: text, divisor: quantity, resource: text }, ['resource']),
  'x-kubernetes-map-type': 'atomic',
}
const keyReference: Schema = { ...fields({ key: text, name, optional: flag }, ['key']), 'x-kubernetes-map-type': 'atomic' }
const sourceReference: Schema = fields({ name, optional: flag })

const httpGet = fields(
  {
    host: text,
    httpHeaders: listOf(fields({ name: text, value: text }, ['name', 'value'])),
    path: text,
    port: intOrText,
    scheme: text,
  },
  ['port'],
)
const execAction = fields({ command: texts })
const tcpSocket = fields({ host: text, port: intOrText }, ['port'])

const probe: Schema = fields({
  exec: execAction,
  failureThreshold: int32,
  grpc: fields({ port: int32, service: { type: 'string', default: '' } }, ['port']),
  httpGet,
  initialDelaySeconds: int32,
  periodSeconds: int32,
  successThreshold: int32,
  tcpSocket,
  terminationGracePeriodSeconds: int64,
  timeoutSeconds: int32,
})

const handler = fields({ exec: execAction, httpGet, sleep: fields({ seconds: int64 }, ['seconds']), tcpSocket })

const env = listMergedBy(
  fields(
    {
      name: text,
      value: text,
      valueFrom: fields({ configMapKeyRef: keyReference, fieldRef, fileKeyRef: anyObject, resourceFieldRef, secretKeyRef: keyReference }),
    },
    ['name'],
  ),
  'name',
)

const securityContext: Schema = fields({
  allowPrivilegeEscalation: flag,
  appArmorProfile: anyObject,
  capabilities: fields({ add: texts, drop: texts }),
  privileged: flag,
  procMount: text,
  readOnlyRootFilesystem: flag,
  runAsGroup: int64,
  runAsNonRoot: flag,
  runAsUser: int64,
  seLinuxOptions: anyObject,
  seccompProfile: anyObject,
  windowsOptions: anyObject,
})

const container: Schema = fields(
  {
    args: described("Arguments to the entrypoint; the image's own are used if this is not given.", texts),
    command: described("Replaces the image's entrypoint. Not run in a shell.", texts),
    env: described('Environment variables to set in the container.', env),
    envFrom: described(
      'ConfigMaps and Secrets whose keys become environment variables.',
      listOf(fields({ configMapRef: sourceReference, prefix: text, secretRef: sourceReference })),
    ),
    image: described('Name of the image.', text),
    imagePullPolicy: described('Always, IfNotPresent or Never.', text),
    lifecycle: fields({ postStart: handler, preStop: handler, stopSignal: text }),
    livenessProbe: described('The container is restarted when this fails.', probe),
    name: described('Name of the container, unique within the Pod.', text),
    ports: {
      ...listMergedBy(
        fields({ containerPort: int32, hostIP: text, hostPort: int32, name: text, protocol: { type: 'string', default: 'TCP' } }, [
          'containerPort',
        ]),
        'containerPort',
        ['containerPort', 'protocol'],
      ),
      description: 'Ports to expose.',
    },
    readinessProbe: described('The Pod gets traffic only while this succeeds.', probe),
    resizePolicy: anyList,
    resources: described('Compute resources the container needs.', fields({ claims: anyList, limits: quantities, requests: quantities })),
    restartPolicy: text,
    restartPolicyRules: anyList,
    securityContext,
    startupProbe: described('The other probes wait until this has succeeded once.', probe),
    stdin: flag,
    stdinOnce: flag,
    terminationMessagePath: text,
    terminationMessagePolicy: text,
    tty: flag,
    volumeDevices: listByKey(fields({ devicePath: text, name: text }, ['name', 'devicePath']), ['devicePath']),
    volumeMounts: listByKey(
      fields(
        { mountPath: text, mountPropagation: text, name: text, readOnly: flag, recursiveReadOnly: text, subPath: text, subPathExpr: text },
        ['name', 'mountPath'],
      ),
      ['mountPath'],
    ),
    workingDir: text,
  },
  ['name'],
)

const items = listOf(fields({ key: text, mode: int32, path: text }, ['key', 'path']))
const downwardItems = listOf(fields({ fieldRef, mode: int32, path: text, resourceFieldRef }, ['path']))

const volume: Schema = {
  ...fields(
    {
      configMap: fields({ defaultMode: int32, items, name, optional: flag }),
      downwardAPI: fields({ defaultMode: int32, items: downwardItems }),
      emptyDir: fields({ medium: text, sizeLimit: quantity }),
      hostPath: fields({ path: text, type: text }, ['path']),
      name: text,
      projected: fields({
        defaultMode: int32,
        sources: listOf(
          fields({
            clusterTrustBundle: anyObject,
            configMap: fields({ items, name, optional: flag }),
            downwardAPI: fields({ items: downwardItems }),
            podCertificate: anyObject,
            secret: fields({ items, name, optional: flag }),
            serviceAccountToken: fields({ audience: text, expirationSeconds: int64, path: text }, ['path']),
          }),
        ),
      }),
      secret: fields({ defaultMode: int32, items, optional: flag, secretName: text }),
    },
    ['name'],
  ),
  // The many other sources.
  'x-kubernetes-preserve-unknown-fields': true,
}

const toleration = fields({ effect: text, key: text, operator: text, tolerationSeconds: int64, value: text })

export const podSpecSchema: Schema = fields(
  {
    activeDeadlineSeconds: int64,
    affinity: anyObject,
    automountServiceAccountToken: flag,
    containers: described('The containers of the Pod; at least one.', listMergedBy(container, 'name')),
    dnsConfig: anyObject,
    dnsPolicy: text,
    enableServiceLinks: flag,
    ephemeralContainers: listMergedBy(anyObject, 'name'),
    hostAliases: listByKey(fields({ hostnames: texts, ip: text }, ['ip']), ['ip']),
    hostIPC: flag,
    hostNetwork: flag,
    hostPID: flag,
    hostUsers: flag,
    hostname: text,
    hostnameOverride: text,
    imagePullSecrets: listMergedBy(localReference, 'name'),
    initContainers: described('Run one after the other before the containers start.', listMergedBy(container, 'name')),
    nodeName: text,
    nodeSelector: { ...textMap, 'x-kubernetes-map-type': 'atomic' },
    os: anyObject,
    overhead: quantities,
    preemptionPolicy: text,
    priority: int32,
    priorityClassName: text,
    readinessGates: listOf(fields({ conditionType: text }, ['conditionType'])),
    resourceClaims: anyList,
    resources: anyObject,
    restartPolicy: described('Always, OnFailure or Never.', text),
    runtimeClassName: text,
    schedulerName: text,
    schedulingGates: listByKey(fields({ name: text }, ['name']), ['name']),
    securityContext: anyObject,
    serviceAccount: text,
    serviceAccountName: text,
    setHostnameAsFQDN: flag,
    shareProcessNamespace: flag,
    subdomain: text,
    terminationGracePeriodSeconds: int64,
    tolerations: listOf(toleration),
    topologySpreadConstraints: listMergedBy(anyObject, 'topologyKey', ['topologyKey', 'whenUnsatisfiable']),
    volumes: listMergedBy(volume, 'name'),
  },
  ['containers'],
  'What a Pod runs.',
)

/** `template` of Deployments and ReplicaSets. */
export const podTemplateSchema: Schema = fields(
  // Never missing, as in Go: without it, the containers are what is told to be missing.
  { metadata: objectMetaSchema, spec: { ...podSpecSchema, default: {} } },
  [],
  'Describes the Pods that will be created.',
)
