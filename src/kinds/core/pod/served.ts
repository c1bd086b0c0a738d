import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { AdmissionContext, Column, ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { anyList, anyObject, conditions, fields, int32, int64, listMergedBy, listOf, objectSchema, text, time } from '../schema-parts.js'
import { defaultPod } from './defaults.js'
import { podKind } from './kind.js'
import { podSpecSchema } from './pod-spec-schema.js'
import { qosClassOf } from './qos.js'
import type { Pod } from './schema.js'
import { readyCell, restartsCell, statusCell } from './status-cell.js'
import { validatePodSpec } from './validate-spec.js'

/** The kubelet's user, who alone may bind a Pod to its Node here (a cluster's scheduler uses pods/binding). */
export const KUBELET_USER = 'system:node:kn-local'

const IMMUTABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

const columns: readonly Column[] = [
  { name: 'Ready', type: 'string', description: 'Ready containers of all.', cell: readyCell },
  { name: 'Status', type: 'string', description: 'What the Pod is doing.', cell: statusCell },
  { name: 'Restarts', type: 'string', description: 'How often its containers were restarted, and when last.', cell: restartsCell },
  { name: 'Age', type: 'string', cell: (pod: Pod, nowMs) => age(pod.metadata.creationTimestamp, nowMs) },
  { name: 'IP', type: 'string', priority: 1, cell: ({ status }: Pod) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? '<none>' },
  { name: 'Node', type: 'string', priority: 1, cell: ({ spec }: Pod) => spec.nodeName || '<none>' },
  { name: 'Nominated Node', type: 'string', priority: 1, cell: () => '<none>' },
  { name: 'Readiness Gates', type: 'string', priority: 1, cell: readinessGatesCell },
]

const terminated = fields(
  { containerID: text, exitCode: int32, finishedAt: time, message: text, reason: text, signal: int32, startedAt: time },
  ['exitCode'],
)
const state = fields({ running: fields({ startedAt: time }), terminated, waiting: fields({ message: text, reason: text }) })
const containerStatuses = listOf(
  fields(
    {
      allocatedResources: anyObject,
      allocatedResourcesStatus: anyList,
      containerID: text,
      image: text,
      imageID: text,
      lastState: state,
      name: text,
      ready: { type: 'boolean' },
      resources: anyObject,
      restartCount: int32,
      started: { type: 'boolean' },
      state,
      stopSignal: text,
      user: anyObject,
      volumeMounts: anyList,
    },
    ['name', 'ready', 'restartCount', 'image', 'imageID'],
  ),
)

export const podServed: ServedKind<Pod> = {
  kind: { ...podKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  deleteReturnsObject: true,
  schema: objectSchema(
    'Pod is a collection of containers that run together.',
    {
      spec: podSpecSchema,
      status: fields({
        conditions: {
          ...conditions,
          items: {
            ...conditions.items!,
            properties: { ...conditions.items!.properties, lastProbeTime: time },
          },
        },
        containerStatuses,
        ephemeralContainerStatuses: containerStatuses,
        hostIP: text,
        hostIPs: listMergedBy(fields({ ip: text }, ['ip']), 'ip'),
        initContainerStatuses: containerStatuses,
        message: text,
        nominatedNodeName: text,
        observedGeneration: int64,
        phase: text,
        podIP: text,
        podIPs: listMergedBy(fields({ ip: text }, ['ip']), 'ip'),
        qosClass: text,
        reason: text,
        resize: text,
        startTime: time,
      }),
    },
    ['spec'],
  ),
  defaults: defaultPod,
  validate(pod, context) {
    return context.old
      ? [...updateCauses(pod, context.old, context), ...validatePodSpec(pod.spec, 'spec')]
      : validatePodSpec(pod.spec, 'spec')
  },
  prepare(pod, { operation }) {
    if (operation === 'CREATE') pod.status = { phase: 'Pending', qosClass: qosClassOf(pod.spec) }
  },
  gracePeriodSeconds({ spec, status }) {
    // Nothing runs yet, or nothing runs any more: there is nobody to be patient with.
    if (!spec.nodeName || status?.phase === 'Succeeded' || status?.phase === 'Failed') return undefined
    return spec.terminationGracePeriodSeconds ?? 30
  },
  fieldSelectors: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec['hostNetwork'] ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIP ?? '',
    'status.podIPs': ({ status }) => status?.podIP ?? '',
    'status.nominatedNodeName': () => '',
  },
}

function readinessGatesCell({ spec, status }: Pod): string {
  const gates = (spec['readinessGates'] ?? []) as { conditionType: string }[]
  if (gates.length === 0) return '<none>'
  const isTrue = (type: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false
  return `${gates.filter(({ conditionType }) => isTrue(conditionType)).length}/${gates.length}`
}

function updateCauses(pod: Pod, old: Pod, { user }: AdmissionContext<Pod>): Cause[] {
  const mayBind = user.name === KUBELET_USER && !old.spec.nodeName
  return isSameJson(fixed(pod, old, mayBind), fixed(old, old, mayBind)) ? [] : [causes.forbidden('spec', IMMUTABLE)]
}

/** What an update may not change: everything but these, told by putting the old ones in their place. */
function fixed({ spec }: Pod, old: Pod, mayBind: boolean): object {
  const withImages = (
    containers: Pod['spec']['containers'] | undefined,
    oldOnes: Pod['spec']['containers'] | undefined,
  ): object[] | undefined => containers?.map((container, index) => ({ ...container, image: oldOnes?.[index]?.image ?? container.image }))
  return {
    ...spec,
    containers: withImages(spec.containers, old.spec.containers),
    initContainers: withImages(spec.initContainers, old.spec.initContainers),
    activeDeadlineSeconds: old.spec['activeDeadlineSeconds'],
    tolerations: old.spec['tolerations'],
    ...(mayBind && { nodeName: '' }),
  }
}
