import type { Schema } from '../../apimachinery/schema.js'
import {
  anyListSchema,
  anyObjectSchema,
  booleanSchema,
  integerSchema,
  longSchema,
  stringMapSchema,
  stringSchema,
} from '../serving-schema.js'

/**
 * The structural schema of a Revision's spec. What is missing here (lifecycle, stdin, hostPort, restartPolicy …) is pruned
 * before the webhooks see it; what a feature flag allows is kept as it comes and judged by the webhook.
 * @see knative/serving v1.23 config/core/300-resources/revision.yaml
 */

const quantities: Schema = {
  type: 'object',
  additionalProperties: {
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
    pattern: '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$',
  },
}
const quantity: Schema = { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }
const port: Schema = { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }
const name: Schema = { type: 'string', default: '' }
const strings: Schema = { type: 'array', items: stringSchema, 'x-kubernetes-list-type': 'atomic' }
const keySelector: Schema = {
  type: 'object',
  required: ['key'],
  properties: { key: stringSchema, name, optional: booleanSchema },
  'x-kubernetes-map-type': 'atomic',
}
const gated: Schema = { type: 'object', 'x-kubernetes-map-type': 'atomic', 'x-kubernetes-preserve-unknown-fields': true }
const source: Schema = { type: 'object', properties: { name, optional: booleanSchema }, 'x-kubernetes-map-type': 'atomic' }

const probe: Schema = {
  type: 'object',
  properties: {
    exec: { type: 'object', properties: { command: strings } },
    failureThreshold: integerSchema,
    grpc: { type: 'object', properties: { port: integerSchema, service: { type: 'string', default: '' } } },
    httpGet: {
      type: 'object',
      properties: {
        host: stringSchema,
        httpHeaders: {
          type: 'array',
          items: { type: 'object', required: ['name', 'value'], properties: { name: stringSchema, value: stringSchema } },
          'x-kubernetes-list-type': 'atomic',
        },
        path: stringSchema,
        port,
        scheme: stringSchema,
      },
    },
    initialDelaySeconds: integerSchema,
    periodSeconds: integerSchema,
    successThreshold: integerSchema,
    tcpSocket: { type: 'object', properties: { host: stringSchema, port } },
    timeoutSeconds: integerSchema,
  },
}

const container: Schema = {
  description: 'A single application container.',
  type: 'object',
  properties: {
    args: strings,
    command: strings,
    env: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name'],
        properties: {
          name: stringSchema,
          value: stringSchema,
          valueFrom: {
            type: 'object',
            properties: { configMapKeyRef: keySelector, fieldRef: gated, resourceFieldRef: gated, secretKeyRef: keySelector },
          },
        },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
    envFrom: {
      type: 'array',
      items: { type: 'object', properties: { configMapRef: source, prefix: stringSchema, secretRef: source } },
      'x-kubernetes-list-type': 'atomic',
    },
    image: stringSchema,
    imagePullPolicy: stringSchema,
    livenessProbe: probe,
    name: stringSchema,
    ports: {
      type: 'array',
      items: {
        type: 'object',
        properties: { containerPort: integerSchema, name: stringSchema, protocol: { type: 'string', default: 'TCP' } },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
    },
    readinessProbe: probe,
    resources: {
      type: 'object',
      properties: {
        claims: {
          type: 'array',
          items: { type: 'object', required: ['name'], properties: { name: stringSchema, request: stringSchema } },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
        },
        limits: quantities,
        requests: quantities,
      },
    },
    securityContext: {
      type: 'object',
      properties: {
        allowPrivilegeEscalation: booleanSchema,
        capabilities: { type: 'object', properties: { add: strings, drop: strings } },
        privileged: booleanSchema,
        readOnlyRootFilesystem: booleanSchema,
        runAsGroup: longSchema,
        runAsNonRoot: booleanSchema,
        runAsUser: longSchema,
        seccompProfile: {
          type: 'object',
          required: ['type'],
          properties: { localhostProfile: stringSchema, type: stringSchema },
        },
      },
    },
    startupProbe: probe,
    terminationMessagePath: stringSchema,
    terminationMessagePolicy: stringSchema,
    volumeMounts: {
      type: 'array',
      items: {
        type: 'object',
        required: ['mountPath', 'name'],
        properties: {
          mountPath: stringSchema,
          mountPropagation: stringSchema,
          name: stringSchema,
          readOnly: booleanSchema,
          subPath: stringSchema,
        },
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['mountPath'],
    },
    workingDir: stringSchema,
  },
}

const items: Schema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['key', 'path'],
    properties: { key: stringSchema, mode: integerSchema, path: stringSchema },
  },
  'x-kubernetes-list-type': 'atomic',
}
const downwardItems: Schema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['path'],
    properties: {
      fieldRef: {
        type: 'object',
        required: ['fieldPath'],
        properties: { apiVersion: stringSchema, fieldPath: stringSchema },
        'x-kubernetes-map-type': 'atomic',
      },
      mode: integerSchema,
      path: stringSchema,
      resourceFieldRef: {
        type: 'object',
        required: ['resource'],
        properties: { containerName: stringSchema, divisor: quantity, resource: stringSchema },
        'x-kubernetes-map-type': 'atomic',
      },
    },
  },
  'x-kubernetes-list-type': 'atomic',
}

const volume: Schema = {
  type: 'object',
  required: ['name'],
  properties: {
    configMap: {
      type: 'object',
      properties: { defaultMode: integerSchema, items, name, optional: booleanSchema },
      'x-kubernetes-map-type': 'atomic',
    },
    csi: anyObjectSchema,
    emptyDir: anyObjectSchema,
    ephemeral: anyObjectSchema,
    hostPath: anyObjectSchema,
    image: anyObjectSchema,
    name: stringSchema,
    persistentVolumeClaim: anyObjectSchema,
    projected: {
      type: 'object',
      properties: {
        defaultMode: integerSchema,
        sources: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              configMap: { type: 'object', properties: { items, name, optional: booleanSchema }, 'x-kubernetes-map-type': 'atomic' },
              downwardAPI: { type: 'object', properties: { items: downwardItems } },
              secret: { type: 'object', properties: { items, name, optional: booleanSchema }, 'x-kubernetes-map-type': 'atomic' },
              serviceAccountToken: {
                type: 'object',
                required: ['path'],
                properties: { audience: stringSchema, expirationSeconds: longSchema, path: stringSchema },
              },
            },
          },
          'x-kubernetes-list-type': 'atomic',
        },
      },
    },
    secret: {
      type: 'object',
      properties: { defaultMode: integerSchema, items, optional: booleanSchema, secretName: stringSchema },
    },
  },
}

export const revisionSpecSchema: Schema = {
  description: 'What the Revision runs.',
  type: 'object',
  required: ['containers'],
  properties: {
    affinity: anyObjectSchema,
    automountServiceAccountToken: booleanSchema,
    containerConcurrency: {
      type: 'integer',
      format: 'int64',
      description: 'How many requests one instance handles at the same time; 0 for no limit.',
    },
    containers: { type: 'array', description: 'The containers; exactly one of them serves requests.', items: container },
    dnsConfig: anyObjectSchema,
    dnsPolicy: stringSchema,
    enableServiceLinks: booleanSchema,
    hostAliases: anyListSchema,
    hostIPC: booleanSchema,
    hostNetwork: booleanSchema,
    hostPID: booleanSchema,
    idleTimeoutSeconds: { type: 'integer', format: 'int64', description: 'How long a response may pause.' },
    imagePullSecrets: {
      type: 'array',
      items: { type: 'object', properties: { name }, 'x-kubernetes-map-type': 'atomic' },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
    initContainers: anyListSchema,
    nodeSelector: { type: 'object', additionalProperties: { type: 'string' }, 'x-kubernetes-map-type': 'atomic' },
    priorityClassName: stringSchema,
    responseStartTimeoutSeconds: { type: 'integer', format: 'int64', description: 'How long the first byte of a response may take.' },
    runtimeClassName: stringSchema,
    schedulerName: stringSchema,
    securityContext: anyObjectSchema,
    serviceAccountName: stringSchema,
    shareProcessNamespace: booleanSchema,
    timeoutSeconds: { type: 'integer', format: 'int64', description: 'How long a request may take in all.' },
    tolerations: anyListSchema,
    topologySpreadConstraints: anyListSchema,
    volumes: {
      type: 'array',
      items: volume,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    },
  },
}

/** `spec.template` of Services and Configurations: metadata keeps only these five fields. */
export const revisionTemplateSchema: Schema = {
  description: 'The Revision to make from this object.',
  type: 'object',
  properties: {
    metadata: {
      type: 'object',
      properties: {
        annotations: stringMapSchema,
        finalizers: { type: 'array', items: stringSchema },
        labels: stringMapSchema,
        name: stringSchema,
        namespace: stringSchema,
      },
    },
    spec: revisionSpecSchema,
  },
}
