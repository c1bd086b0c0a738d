import type { KubeObject, ObjectMeta } from '../../../apimachinery/object.js'
import type { JobSpec } from '../job/schema.js'

export interface CronJob extends KubeObject {
  spec: {
    schedule: string
    timeZone?: string
    startingDeadlineSeconds?: number
    concurrencyPolicy?: 'Allow' | 'Forbid' | 'Replace'
    suspend?: boolean
    jobTemplate: { metadata?: Partial<ObjectMeta>; spec: JobSpec }
    successfulJobsHistoryLimit?: number
    failedJobsHistoryLimit?: number
  }
  status?: {
    active?: { apiVersion?: string; kind?: string; name?: string; namespace?: string; uid?: string; resourceVersion?: string }[]
    lastScheduleTime?: string
    lastSuccessfulTime?: string
  }
}

/** On each Job: for which time it was made, in the CronJob's time zone. */
export const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
