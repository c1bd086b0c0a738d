import type { KubeObject, LabelSelector } from '../../../apimachinery/object.js'
import type { PodTemplateSpec } from '../pod/schema.js'

export interface JobCondition {
  type: 'Suspended' | 'Complete' | 'Failed' | 'FailureTarget' | 'SuccessCriteriaMet'
  status: 'True' | 'False' | 'Unknown'
  lastProbeTime?: string
  lastTransitionTime?: string
  reason?: string
  message?: string
}

export interface PodFailurePolicyRule {
  action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count'
  onExitCodes?: { containerName?: string; operator: 'In' | 'NotIn'; values: number[] }
  onPodConditions?: { type: string; status?: string }[]
}

export interface JobSpec {
  parallelism?: number
  completions?: number
  activeDeadlineSeconds?: number
  backoffLimit?: number
  backoffLimitPerIndex?: number
  maxFailedIndexes?: number
  selector?: LabelSelector
  manualSelector?: boolean
  template: PodTemplateSpec
  ttlSecondsAfterFinished?: number
  completionMode?: 'NonIndexed' | 'Indexed'
  suspend?: boolean
  podFailurePolicy?: { rules: PodFailurePolicyRule[] }
  podReplacementPolicy?: 'TerminatingOrFailed' | 'Failed'
  successPolicy?: { rules: { succeededIndexes?: string; succeededCount?: number }[] }
  managedBy?: string
}

export interface Job extends KubeObject {
  spec: JobSpec
  status?: {
    conditions?: JobCondition[]
    startTime?: string
    completionTime?: string
    active?: number
    ready?: number
    terminating?: number
    succeeded?: number
    failed?: number
    completedIndexes?: string
    failedIndexes?: string
    uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] }
  }
}

export const JOB_NAME_LABEL = 'batch.kubernetes.io/job-name'
export const CONTROLLER_UID_LABEL = 'batch.kubernetes.io/controller-uid'
/** The same as they were called before 1.27; both are set. */
export const OLD_JOB_NAME_LABEL = 'job-name'
export const OLD_CONTROLLER_UID_LABEL = 'controller-uid'
/** On Pods of Indexed Jobs, as label and annotation. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'
/** How many Pods of this index failed before this one, with backoffLimitPerIndex. */
export const INDEX_FAILURES = 'batch.kubernetes.io/job-index-failure-count'
/** Holds a Pod until its Job has counted it. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'
/** `managedBy` of Jobs that this controller looks after. */
export const OWN_MANAGER = 'kubernetes.io/job-controller'

/** Reasons that users may have scripted against. */
export const JOB_REASONS = {
  completionsReached: 'CompletionsReached',
  successPolicy: 'SuccessPolicy',
  backoffLimit: 'BackoffLimitExceeded',
  deadline: 'DeadlineExceeded',
  failurePolicy: 'PodFailurePolicy',
  failedIndexes: 'FailedIndexes',
  maxFailedIndexes: 'MaxFailedIndexesExceeded',
} as const

/** Whether a Job has come to its end, and how. */
export function finishOf({ status }: Job): JobCondition | undefined {
  return status?.conditions?.find(({ type, status: value }) => (type === 'Complete' || type === 'Failed') && value === 'True')
}
