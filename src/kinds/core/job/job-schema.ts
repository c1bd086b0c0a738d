import type { Schema } from '../../../apimachinery/schema.js'
import { podTemplateSchema } from '../pod/pod-spec-schema.js'
import { fields, flag, int32, int64, labelSelector, listByKey, listOf, text, texts, time } from '../schema-parts.js'

const onExitCodes = fields(
  { containerName: text, operator: text, values: { type: 'array', items: int32, 'x-kubernetes-list-type': 'set' } },
  ['operator', 'values'],
)

/** JobSpec, for Jobs and for the template of a CronJob. */
export const jobSpecSchema: Schema = fields(
  {
    activeDeadlineSeconds: int64,
    backoffLimit: int32,
    backoffLimitPerIndex: int32,
    completionMode: text,
    completions: int32,
    managedBy: text,
    manualSelector: flag,
    maxFailedIndexes: int32,
    parallelism: int32,
    podFailurePolicy: fields(
      {
        rules: listOf(
          fields({ action: text, onExitCodes, onPodConditions: listOf(fields({ status: text, type: text }, ['type'])) }, ['action']),
        ),
      },
      ['rules'],
    ),
    podReplacementPolicy: text,
    selector: labelSelector,
    successPolicy: fields({ rules: listOf(fields({ succeededCount: int32, succeededIndexes: text })) }, ['rules']),
    suspend: flag,
    template: podTemplateSchema,
    ttlSecondsAfterFinished: int32,
  },
  ['template'],
)

export const jobStatusSchema: Schema = fields({
  active: int32,
  completedIndexes: text,
  completionTime: time,
  conditions: listByKey(
    fields({ lastProbeTime: time, lastTransitionTime: time, message: text, reason: text, status: text, type: text }, ['type', 'status']),
    ['type'],
  ),
  failed: int32,
  failedIndexes: text,
  ready: int32,
  startTime: time,
  succeeded: int32,
  terminating: int32,
  uncountedTerminatedPods: fields({ failed: texts, succeeded: texts }),
})
