import { defaultPodSpec } from '../pod/defaults.js'
import { CONTROLLER_UID_LABEL, JOB_NAME_LABEL, type Job, type JobSpec, OLD_CONTROLLER_UID_LABEL, OLD_JOB_NAME_LABEL } from './schema.js'

const NO_LIMIT = 2 ** 31 - 1

/** Defaults of a Job's spec, in place. @see kubernetes/kubernetes v1.35 pkg/apis/batch/v1/defaults.go */
export function defaultJobSpec(spec: JobSpec): void {
  // A Job without either is a single Pod; one with parallelism alone is a work queue, which has no completions.
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : NO_LIMIT
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.manualSelector ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed'
  for (const rule of spec.podFailurePolicy?.rules ?? []) for (const condition of rule.onPodConditions ?? []) condition.status ??= 'True'
  if (spec.template?.spec) defaultPodSpec(spec.template.spec)
}

/**
 * Labels by which a new Job finds its Pods, and the selector for them; what the user says of the same labels stands.
 * @see kubernetes/kubernetes v1.35 pkg/registry/batch/job/strategy.go generateSelector
 */
export function generateSelector({ metadata, spec }: Job): void {
  const template = (spec.template.metadata ??= {})
  template.labels = {
    [CONTROLLER_UID_LABEL]: metadata.uid!,
    [JOB_NAME_LABEL]: metadata.name,
    [OLD_CONTROLLER_UID_LABEL]: metadata.uid!,
    [OLD_JOB_NAME_LABEL]: metadata.name,
    ...template.labels,
  }
  spec.selector ??= {}
  spec.selector.matchLabels = { [CONTROLLER_UID_LABEL]: metadata.uid!, ...spec.selector.matchLabels }
}
