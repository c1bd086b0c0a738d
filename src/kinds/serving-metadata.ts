import { also, type FieldError, fieldError, findings, viaField } from '../apimachinery/field-error.js'
import type { AdmissionContext } from '../apimachinery/kind.js'
import { dns1035Label } from '../apimachinery/names.js'
import type { KubeObject, ObjectMeta } from '../apimachinery/object.js'
import { goDurationMs } from '../base/duration.js'
import { semanticEqual } from './semantic-equal.js'
import {
  annotationOf,
  CLUSTER_LOCAL_VISIBILITY,
  CREATOR_ANNOTATION,
  LAST_MODIFIER_ANNOTATION,
  ROLLOUT_DURATION_KEYS,
  VISIBILITY_LABEL,
} from './serving-labels.js'

/**
 * What Serving's webhooks demand of metadata, message for message.
 *
 * @see knative.dev/pkg apis/metadata_validation.go
 * @see knative/serving v1.23 pkg/apis/serving/metadata_validation.go
 */

/** Why `name` is no DNS-1035 label, in Kubernetes' words; a prefix (generateName) may end in a dash. */
function dns1035Problems(name: string, isPrefix: boolean): readonly string[] {
  // More characters follow a prefix, so Kubernetes judges it with another ending.
  return dns1035Label(isPrefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name)
}

const goList = (problems: readonly string[]): string => `[${problems.join(' ')}]`

/** `not a DNS 1035 label: [...]`, or undefined. The message goes without its path: the same text stands in several places. */
export function notDns1035(name: string, isPrefix = false): string | undefined {
  const problems = dns1035Problems(name, isPrefix)
  return problems.length > 0 ? `not a DNS 1035 label${isPrefix ? ' prefix' : ''}: ${goList(problems)}` : undefined
}

/** Name or generateName, relative to `metadata`. */
export function validateName({ name, generateName }: Partial<ObjectMeta>): FieldError | undefined {
  const problem = (text: string | undefined, path: string): FieldError | undefined => (text ? fieldError(text, path) : undefined)
  if (!name && !generateName) return fieldError('name or generateName is required', 'name')
  return also(
    generateName ? problem(notDns1035(generateName, true), 'generateName') : undefined,
    name ? problem(notDns1035(name), 'name') : undefined,
  )
}

/** autoscaling.knative.dev/* belongs on the template; on the object itself it is refused. Relative to `annotations`. */
export function validateNoAutoscalingAnnotations(annotations: ObjectMeta['annotations']): FieldError | undefined {
  return also(
    ...Object.keys(annotations ?? {})
      .filter((key) => key.startsWith('autoscaling.knative.dev'))
      .map((key) =>
        findings.invalidKeyName(key, '', 'autoscaling annotations must be put under "spec.template.metadata.annotations" to work'),
      ),
  )
}

/** A whole, positive number of seconds, as rollout-duration and progress-deadline are given. Relative to `annotations`. */
export function validateSeconds(annotations: ObjectMeta['annotations'], keys: readonly string[], name: string): FieldError | undefined {
  const given = annotationOf(annotations, keys)
  if (!given?.value) return undefined
  const ms = goDurationMs(given.value)
  if (ms === undefined) return findings.invalidValue(given.value, given.key)
  if (ms % 1000 !== 0) return fieldError(`${name}=${given.value} is not at second precision`, given.key)
  if (ms < 0) return fieldError(`${name}=${given.value} must be positive`, given.key)
  return undefined
}

export function validateRolloutDuration(annotations: ObjectMeta['annotations']): FieldError | undefined {
  return validateSeconds(annotations, ROLLOUT_DURATION_KEYS, 'rollout-duration')
}

/** The visibility label knows one value. Relative to `labels`. */
export function validateVisibility(labels: ObjectMeta['labels']): FieldError | undefined {
  const value = labels?.[VISIBILITY_LABEL]
  return value === undefined || value === CLUSTER_LOCAL_VISIBILITY ? undefined : findings.invalidValue(value, VISIBILITY_LABEL)
}

/** A label that names an owner needs that owner among the ownerReferences. Relative to `labels`. */
export function validateOwnerLabel({ metadata }: KubeObject, label: string, ownerKind: string): FieldError | undefined {
  const name = metadata.labels?.[label]
  if (name === undefined) return undefined
  const isOwned = metadata.ownerReferences?.some((owner) => owner.kind === ownerKind && owner.name === name)
  return isOwned ? undefined : findings.missingField(label)
}

/** All that Services, Configurations and Routes share, with paths from `metadata` on. */
export function validateMetadata({ metadata }: KubeObject): FieldError | undefined {
  return viaField(
    'metadata',
    also(
      validateName(metadata),
      viaField('annotations', also(validateNoAutoscalingAnnotations(metadata.annotations), validateRolloutDuration(metadata.annotations))),
      viaField('labels', validateVisibility(metadata.labels)),
    ),
  )
}

/** creator never changes; lastModifier only together with the spec. Paths from `metadata` on. */
export function validateCreatorAndModifier(
  object: KubeObject & { spec: unknown },
  old: KubeObject & { spec: unknown },
): FieldError | undefined {
  const before = old.metadata.annotations ?? {}
  const after = object.metadata.annotations ?? {}
  const isSameSpec = semanticEqual(old.spec, object.spec)
  return viaField(
    'metadata.annotations',
    also(
      before[CREATOR_ANNOTATION] === after[CREATOR_ANNOTATION]
        ? undefined
        : fieldError('annotation value is immutable', CREATOR_ANNOTATION),
      before[LAST_MODIFIER_ANNOTATION] !== after[LAST_MODIFIER_ANNOTATION] && isSameSpec
        ? findings.invalidValue(after[LAST_MODIFIER_ANNOTATION] ?? '', LAST_MODIFIER_ANNOTATION)
        : undefined,
    ),
  )
}

/** Writes down who made the object, and who changed its spec last. */
export function setUserInfo(draft: KubeObject & { spec: unknown }, context: AdmissionContext<KubeObject & { spec: unknown }>): void {
  if (context.operation === 'UPDATE' && context.old && semanticEqual(context.old.spec, draft.spec)) return
  draft.metadata.annotations = {
    ...draft.metadata.annotations,
    ...(context.operation === 'CREATE' && { [CREATOR_ANNOTATION]: context.user.name }),
    [LAST_MODIFIER_ANNOTATION]: context.user.name,
  }
}
