import { isConflict, isNotFound, StatusError } from '../../../apimachinery/status-error.js'
import type { ReconcilerDeps } from '../../../controller/reconcile.js'
import { podFromTemplate } from '../pod/from-template.js'
import { podKind } from '../pod/kind.js'
import type { Container, Pod } from '../pod/schema.js'
import { COMPLETION_INDEX, INDEX_FAILURES, type Job, TRACKING_FINALIZER } from './schema.js'

/** How much of a Job's name the names of its Pods keep, so that their suffixes stay (apiserver pkg/storage/names). */
const LONGEST_PREFIX = 58
const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'

export const isTracked = ({ metadata }: Pod): boolean => metadata.finalizers?.includes(TRACKING_FINALIZER) ?? false

/** The completion index of a Pod of an Indexed Job. */
export function indexOf({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[COMPLETION_INDEX]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

export function indexFailuresOf({ metadata }: Pod): number {
  return Number(metadata.annotations?.[INDEX_FAILURES] ?? 0) || 0
}

/** Creates one Pod, for an index where the Job has them; undefined when it was refused, which is told. */
export async function createPod(
  { client, event }: ReconcilerDeps,
  job: Job,
  index: number | undefined,
  indexFailures: number,
): Promise<Pod | undefined> {
  const finalizers = [TRACKING_FINALIZER]
  const suffix = `-${index}-`
  const draft =
    index === undefined
      ? podFromTemplate(job, job.spec.template, { finalizers })
      : podFromTemplate(job, job.spec.template, {
          generateName: job.metadata.name.slice(0, LONGEST_PREFIX - suffix.length) + suffix,
          labels: { [COMPLETION_INDEX]: String(index) },
          annotations: {
            [COMPLETION_INDEX]: String(index),
            ...(job.spec.backoffLimitPerIndex !== undefined && { [INDEX_FAILURES]: String(indexFailures) }),
          },
          finalizers,
          spec: {
            hostname: `${job.metadata.name}-${index}`,
            containers: job.spec.template.spec.containers.map(withIndex),
            ...(job.spec.template.spec.initContainers && { initContainers: job.spec.template.spec.initContainers.map(withIndex) }),
          },
        })
  try {
    const pod = await client.create(podKind, draft)
    event(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    return pod
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    // A namespace that is going away wants no more Pods: nothing to report, nothing to retry.
    if (!error.status.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating'))
      event(job, 'Warning', 'FailedCreate', `Error creating: ${error.message}`)
    return undefined
  }
}

export async function deletePod({ client, event }: ReconcilerDeps, job: Job, { metadata }: Pod): Promise<void> {
  try {
    await client.delete(podKind, metadata, { preconditions: { uid: metadata.uid! } })
    event(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${metadata.name}`)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Lets go of a Pod that has been counted, or whose Job is no more. */
export async function release({ client }: Pick<ReconcilerDeps, 'client'>, { metadata }: Pod): Promise<void> {
  const body = { metadata: { uid: metadata.uid, '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } }
  await client.patch(podKind, metadata, { type: 'application/strategic-merge-patch+json', body }).catch((error: unknown) => {
    // Gone, or another one of the same name.
    if (!isNotFound(error) && !isConflict(error)) throw error
  })
}

function withIndex(container: Container): Container {
  if (container.env?.some(({ name }) => name === INDEX_VARIABLE)) return container
  const fieldRef = { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` }
  return { ...container, env: [...(container.env ?? []), { name: INDEX_VARIABLE, valueFrom: { fieldRef } }] }
}
