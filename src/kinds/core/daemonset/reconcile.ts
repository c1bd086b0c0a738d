import { isNotFound } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps, StatusOf } from '../../../controller/reconcile.js'
import { claim } from '../claim.js'
import { forgetOldRevisions, presentRevision, revisionsOf } from '../controllerrevision/history.js'
import { controllerRevisionKind } from '../controllerrevision/kind.js'
import { nodeKind } from '../node/kind.js'
import type { Node } from '../node/schema.js'
import { isPodReady, podReadySinceMs } from '../pod/conditions.js'
import { podFromTemplate } from '../pod/from-template.js'
import { podKind } from '../pod/kind.js'
import type { Pod } from '../pod/schema.js'
import { daemonSetKind } from './kind.js'
import { type DaemonSet, HASH_LABEL, POD_GENERATION_LABEL, TEMPLATE_GENERATION } from './schema.js'

/** What every daemon tolerates (pkg/controller/daemon/util AddOrUpdateDaemonPodTolerations). */
const TOLERATIONS = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
]

/**
 * Keeps one Pod on each Node that its selector matches.
 * @see kubernetes/kubernetes v1.35 pkg/controller/daemon/daemon_controller.go, update.go
 */
export function createDaemonSetController(): Controller<DaemonSet> {
  return {
    kind: daemonSetKind,
    actsAs: 'system:serviceaccount:kube-system:daemon-set-controller',
    owns: [podKind, controllerRevisionKind],
    wokenBy: [{ kind: nodeKind, wakes: (_, all) => all.list().map(({ metadata }) => metadata) }],
    create: (deps) => (set) => reconcile(deps, set),
  }
}

async function reconcile(deps: ReconcilerDeps, set: DaemonSet): Promise<Outcome<DaemonSet>> {
  const { client, clock } = deps
  const nodes = deps.informer(nodeKind).list()
  const pods = await claim(client, podKind, set, await client.list(podKind, set.metadata.namespace))
  const known = await revisionsOf(client, set)
  const { revision, collisions } = await presentRevision(client, set, known, {
    hashLabel: HASH_LABEL,
    collisions: set.status?.collisionCount ?? 0,
    ...(set.metadata.annotations && { annotations: set.metadata.annotations }),
  })
  const hash = revision.metadata.labels![HASH_LABEL]!
  const isNew = (pod: Pod): boolean => pod.metadata.labels?.[HASH_LABEL] === hash
  const isAvailable = (pod: Pod): boolean => isPodReady(pod) && readyForMs(pod, clock.now()) >= minReadyMs(set)

  const present = pods.filter(({ metadata }) => !metadata.deletionTimestamp)
  const result: Pod[] = []
  for (const node of nodes) {
    const own = present.filter((pod) => nodeOf(pod) === node.metadata.name)
    if (shouldRun(set, node)) {
      // One that is on its way out has to be gone before there is room for the next.
      const isLeaving = pods.some((pod) => pod.metadata.deletionTimestamp && nodeOf(pod) === node.metadata.name)
      result.push(...(await manage(deps, set, { node, own, isLeaving, hash, isNew, isAvailable })))
    } else for (const pod of own) await removePod(deps, set, pod)
  }
  // Of Nodes that are no more.
  const names = new Set(nodes.map(({ metadata }) => metadata.name))
  for (const pod of present) if (!names.has(nodeOf(pod) ?? '')) await removePod(deps, set, pod)

  const wanted = nodes.filter((node) => shouldRun(set, node))
  const live = new Set([hash, ...pods.map(({ metadata }) => metadata.labels?.[HASH_LABEL])])
  await forgetOldRevisions(client, set, known, ({ metadata }) => live.has(metadata.labels?.[HASH_LABEL]))
  const on = (test: (pod: Pod) => boolean): number =>
    wanted.filter(({ metadata }) => result.some((pod) => nodeOf(pod) === metadata.name && test(pod))).length
  const numberAvailable = on(isAvailable)
  const zeroless = { updatedNumberScheduled: on(isNew), numberAvailable, numberUnavailable: wanted.length - numberAvailable }
  const status: StatusOf<DaemonSet> = {
    currentNumberScheduled: on(() => true),
    numberMisscheduled: 0,
    desiredNumberScheduled: wanted.length,
    numberReady: on(isPodReady),
    ...Object.fromEntries(Object.entries(zeroless).filter(([, count]) => count !== 0)),
    ...(collisions > 0 && { collisionCount: collisions }),
  }
  const waits = result.filter(isPodReady).map((pod) => minReadyMs(set) - readyForMs(pod, clock.now()))
  const ahead = waits.filter((ms) => ms > 0)
  return { status, requeueAfterMs: ahead.length > 0 ? Math.min(...ahead) : undefined }
}

/** Brings one Node to what it should run; returns the Pods that are there afterwards. */
async function manage(
  deps: ReconcilerDeps,
  set: DaemonSet,
  at: {
    node: Node
    own: readonly Pod[]
    isLeaving: boolean
    hash: string
    isNew: (pod: Pod) => boolean
    isAvailable: (pod: Pod) => boolean
  },
): Promise<Pod[]> {
  const { node, own, isLeaving, hash, isNew, isAvailable } = at
  const { event } = deps
  const living: Pod[] = []
  for (const pod of own) {
    if (pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded') {
      living.push(pod)
      continue
    }
    const isFailed = pod.status.phase === 'Failed'
    const what = `Found ${isFailed ? 'failed' : 'succeeded'} daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${node.metadata.name}`
    if (isFailed) event(set, 'Warning', 'FailedDaemonPod', `${what}, will try to kill it`)
    else event(set, 'Normal', 'SucceededDaemonPod', `${what}, will try to delete it`)
    await removePod(deps, set, pod)
  }
  if (own.length === 0) return isLeaving ? [] : [await createPod(deps, set, node, hash)]

  const news = living.filter(isNew)
  const olds = living.filter((pod) => !isNew(pod))
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {}
  const surges = type === 'RollingUpdate' && rollingUpdate?.maxSurge !== 0 && rollingUpdate?.maxSurge !== '0%'
  if (type !== 'RollingUpdate' || olds.length === 0) {
    // Never more than one, and the oldest of them.
    const [kept, ...rest] = [...living].sort(byAge)
    for (const pod of rest) await removePod(deps, set, pod)
    return kept ? [kept] : []
  }
  if (surges && news.length === 0) return [...olds, await createPod(deps, set, node, hash)]
  if (surges && !news.some(isAvailable) && olds.some(isAvailable)) return living
  for (const pod of olds) await removePod(deps, set, pod)
  return news
}

async function createPod({ client, event }: ReconcilerDeps, set: DaemonSet, node: Node, hash: string): Promise<Pod> {
  const { template } = set.spec
  const labels = { [HASH_LABEL]: hash, [POD_GENERATION_LABEL]: set.metadata.annotations?.[TEMPLATE_GENERATION] ?? '1' }
  const present = (template.spec['tolerations'] ?? []) as object[]
  const hostNetwork = { key: 'node.kubernetes.io/network-unavailable', operator: 'Exists', effect: 'NoSchedule' }
  const tolerations = [...present, ...TOLERATIONS, ...(template.spec['hostNetwork'] ? [hostNetwork] : [])]
  const draft = podFromTemplate(set, template, { labels, spec: { tolerations, affinity: affinityTo(node, template.spec['affinity']) } })
  try {
    const pod = await client.create(podKind, draft)
    event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    return pod
  } catch (error) {
    event(set, 'Warning', 'FailedCreate', `Error creating: ${error instanceof Error ? error.message : String(error)}`)
    throw error
  }
}

async function removePod({ client, event }: ReconcilerDeps, set: DaemonSet, { metadata }: Pod): Promise<void> {
  try {
    await client.delete(podKind, metadata, { preconditions: { uid: metadata.uid! } })
    event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** The affinity that ties a daemon to its Node, in place of what the template says of required Nodes. */
function affinityTo({ metadata }: Node, affinity: unknown): object {
  const { nodeAffinity, ...others } = (affinity ?? {}) as { nodeAffinity?: object }
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [metadata.name] }] }
  const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } }
  return { ...others, nodeAffinity: { ...nodeAffinity, ...required } }
}

/** The Node a Pod runs on, or will run on. */
function nodeOf({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName
  const affinity = spec['affinity'] as
    | {
        nodeAffinity?: {
          requiredDuringSchedulingIgnoredDuringExecution?: {
            nodeSelectorTerms?: { matchFields?: { key: string; values?: string[] }[] }[]
          }
        }
      }
    | undefined
  const [term] = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  return term?.matchFields?.find(({ key }) => key === 'metadata.name')?.values?.[0]
}

function shouldRun({ spec }: DaemonSet, { metadata }: Node): boolean {
  const selector = Object.entries((spec.template.spec['nodeSelector'] ?? {}) as Record<string, string>)
  return selector.every(([key, value]) => metadata.labels?.[key] === value)
}

const minReadyMs = ({ spec }: DaemonSet): number => (spec.minReadySeconds ?? 0) * 1000
const readyForMs = (pod: Pod, nowMs: number): number => nowMs - (podReadySinceMs(pod) ?? nowMs)
const byAge = (a: Pod, b: Pod): number => ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1)
