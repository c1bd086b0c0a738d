import { also, type FieldError, findings, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext, ServedKind } from '../../apimachinery/kind.js'
import { autoscalerConfig, defaultsConfig, HPA_CLASS, KPA_CLASS } from '../serving-config.js'
import { SCALE_KEYS, validateScaleAnnotations } from './annotations.js'
import { podAutoscalerKind } from './kind.js'
import { type PodAutoscaler, podAutoscalerSchema } from './schema.js'

export const podAutoscalerServed: ServedKind<PodAutoscaler> = {
  kind: podAutoscalerKind,
  schema: podAutoscalerSchema,
  builtIn: false,
  webhook: {
    validationName: 'validation.webhook.serving.knative.dev',
    defaults: defaultPodAutoscaler,
    validate: validatePodAutoscaler,
  },
}

/** @see knative/serving v1.23 pkg/apis/autoscaling/v1alpha1/pa_defaults.go */
function defaultPodAutoscaler(draft: PodAutoscaler, { configMap }: AdmissionContext<PodAutoscaler>): void {
  const annotations = { ...draft.metadata.annotations }
  const scaler = (annotations[SCALE_KEYS.class[0]] ??= autoscalerConfig(configMap).class)
  if (scaler === KPA_CLASS) annotations[SCALE_KEYS.metric[0]] ??= 'concurrency'
  if (scaler === HPA_CLASS) annotations[SCALE_KEYS.metric[0]] ??= 'cpu'
  draft.metadata.annotations = annotations
}

/** @see knative/serving v1.23 pkg/apis/autoscaling/v1alpha1/pa_validation.go */
function validatePodAutoscaler({ metadata, spec }: PodAutoscaler, { configMap }: AdmissionContext<PodAutoscaler>): FieldError | undefined {
  const { containerConcurrency: concurrency = 0, scaleTargetRef } = spec ?? {}
  const max = defaultsConfig(configMap).containerConcurrencyMaxLimit
  const missing = (['apiVersion', 'kind', 'name'] as const).filter((field) => !scaleTargetRef?.[field])
  return also(
    viaField(
      'spec',
      also(
        missing.length > 0 ? viaField('scaleTargetRef', findings.missingField(...missing)) : undefined,
        concurrency < 0 || concurrency > max ? findings.outOfBounds(concurrency, 0, max, 'containerConcurrency') : undefined,
      ),
    ),
    viaField('metadata.annotations', validateScaleAnnotations(metadata.annotations, autoscalerConfig(configMap))),
  )
}
