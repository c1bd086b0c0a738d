import { also, type FieldError, fieldError, fieldErrorText, findings, viaField } from '../../apimachinery/field-error.js'
import type { AdmissionContext } from '../../apimachinery/kind.js'
import { subdomain } from '../../apimachinery/names.js'
import type { ObjectMeta } from '../../apimachinery/object.js'
import { parseQuantity } from '../../apimachinery/quantity.js'
import type { RevisionTemplate } from '../configuration/schema.js'
import type { PodSpec } from '../core/pod/schema.js'
import { validateScaleAnnotations } from '../podautoscaler/annotations.js'
import { semanticEqual } from '../semantic-equal.js'
import { autoscalerConfig, defaultsConfig, securePodDefaults } from '../serving-config.js'
import {
  annotationOf,
  CONFIGURATION_LABEL,
  PROGRESS_DEADLINE_KEYS,
  QUEUE_SIDECAR_PERCENTAGE_KEYS,
  QUEUE_SIDECAR_PREFIX,
} from '../serving-labels.js'
import { notDns1035, validateName, validateOwnerLabel, validateSeconds } from '../serving-metadata.js'
import { shortDiff } from '../short-diff.js'
import type { Revision, RevisionSpec } from './schema.js'
import { validateContainers } from './validate-containers.js'
import { onlyFields, podSpecFlag, validatePodFields } from './validate-fields.js'
import { validateVolumes } from './validate-volumes.js'

/**
 * Revisions and the templates they are made from, as Serving's webhook judges them.
 * @see knative/serving v1.23 pkg/apis/serving/v1/revision_validation.go
 */

type Context = Pick<AdmissionContext, 'configMap' | 'warn'>

export function validateRevision(revision: Revision, context: AdmissionContext<Revision>): FieldError | undefined {
  if (context.operation === 'UPDATE' && context.old) {
    if (!semanticEqual(context.old.spec, revision.spec)) {
      return fieldError('Immutable fields changed (-old +new)', 'spec', shortDiff('v1.RevisionSpec', context.old.spec, revision.spec))
    }
  }
  return also(
    viaField(
      'metadata',
      also(
        validateName(revision.metadata),
        viaField('annotations', validateScaleAnnotations(revision.metadata.annotations, autoscalerConfig(context.configMap))),
        viaField('labels', validateOwnerLabel(revision, CONFIGURATION_LABEL, 'Configuration')),
      ),
    ),
    context.operation === 'CREATE' ? viaField('spec', validateRevisionSpec(revision.spec, context)) : undefined,
  )
}

/** A template inside `parent`; paths are relative to the template. Warnings say where it stands: `spec.template`. */
export function validateTemplate(template: RevisionTemplate, parent: Partial<ObjectMeta>, context: Context): FieldError | undefined {
  const { annotations } = template.metadata ?? {}
  warnOfInsecureDefaults(template.spec, 'spec.template.spec', context)
  return also(
    viaField('spec', validateRevisionSpec(template.spec, context)),
    viaField(
      'metadata',
      also(
        validateTemplateName(template.metadata?.name, parent),
        viaField(
          'annotations',
          also(
            validateScaleAnnotations(annotations, autoscalerConfig(context.configMap)),
            validateQueueSidecar(annotations, context),
            validateNetworking(annotations),
            validateSeconds(annotations, PROGRESS_DEADLINE_KEYS, 'progress-deadline'),
          ),
        ),
      ),
    ),
  )
}

/** A name of the user's own must change with every change of the template. Paths are relative to the template. */
export function validateNameChange(template: RevisionTemplate, old: RevisionTemplate): FieldError | undefined {
  const name = template.metadata?.name
  if (!name || name !== old.metadata?.name || semanticEqual(template, old)) return undefined
  return fieldError(
    'Saw the following changes without a name change (-old +new)',
    'metadata.name',
    shortDiff('v1.RevisionTemplateSpec', old, template),
  )
}

/** Paths are relative to the spec. */
export function validateRevisionSpec(spec: RevisionSpec, context: Context): FieldError | undefined {
  const config = defaultsConfig(context.configMap)
  const { timeoutSeconds, containerConcurrency } = spec
  const leastConcurrency = config.allowContainerConcurrencyZero ? 0 : 1
  const isTimeoutOut = timeoutSeconds !== undefined && (timeoutSeconds < 0 || timeoutSeconds > config.maxRevisionTimeoutSeconds)
  const isConcurrencyOut =
    containerConcurrency !== undefined &&
    (containerConcurrency < leastConcurrency || containerConcurrency > config.containerConcurrencyMaxLimit)
  return also(
    validatePodSpec(spec, context),
    isTimeoutOut ? findings.outOfBounds(timeoutSeconds, 0, config.maxRevisionTimeoutSeconds, 'timeoutSeconds') : undefined,
    isConcurrencyOut
      ? findings.outOfBounds(containerConcurrency, leastConcurrency, config.containerConcurrencyMaxLimit, 'containerConcurrency')
      : undefined,
  )
}

function validatePodSpec(spec: PodSpec, context: Context): FieldError | undefined {
  const mounted = new Set(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap(({ volumeMounts }) => volumeMounts?.map(({ name }) => name) ?? []),
  )
  return also(
    validatePodFields(spec, context),
    viaField('securityContext', validatePodSecurity(spec.securityContext, context)),
    viaField('volumes', validateVolumes(spec.volumes ?? [], mounted, context.configMap)),
    validateContainers(spec, context.configMap),
    ...(spec.serviceAccountName ? subdomain(spec.serviceAccountName) : []).map((problem) =>
      findings.invalidValue(spec.serviceAccountName, 'serviceAccountName', problem),
    ),
  )
}

const MAX_INT32 = 2_147_483_647

function validatePodSecurity(security: Record<string, unknown> | undefined, { configMap }: Context): FieldError | undefined {
  if (!security) return undefined
  const all = ['runAsUser', 'runAsGroup', 'runAsNonRoot', 'fsGroup', 'supplementalGroups', 'seccompProfile']
  const isFree = podSpecFlag(configMap, 'securitycontext') !== 'Disabled'
  const allowed = isFree ? all : securePodDefaults(configMap) !== 'Disabled' ? ['seccompProfile'] : []
  const isOut = (id: unknown): boolean => typeof id === 'number' && (id < 0 || id > MAX_INT32)
  return also(
    onlyFields(security, allowed),
    ...['runAsUser', 'runAsGroup', 'fsGroup']
      .filter((field) => isOut(security[field]))
      .map((field) => findings.outOfBounds(security[field], 0, MAX_INT32, field)),
    ...((security['supplementalGroups'] as number[] | undefined) ?? []).map((group, index) =>
      isOut(group) ? findings.outOfBounds(group, 0, MAX_INT32, `supplementalGroups[${index}]`) : undefined,
    ),
  )
}

function validateTemplateName(name: string | undefined, parent: Partial<ObjectMeta>): FieldError | undefined {
  if (!name) return undefined
  const problem = notDns1035(name)
  if (problem) return findings.invalidValue(problem, 'name')
  if (!parent.name && parent.generateName) return findings.disallowedFields('name')
  const prefix = `${parent.name ?? ''}-`
  return name.startsWith(prefix) ? undefined : findings.invalidValue(`"${name}" must have prefix "${prefix}"`, 'name')
}

const NETWORKING_ANNOTATIONS: ReadonlySet<string> = new Set(
  [
    'ingress.class',
    'ingress-class',
    'certificate.class',
    'certificate-class',
    'disableAutoTLS',
    'disable-auto-tls',
    'disable-external-domain-tls',
    'httpOption',
    'http-protocol',
  ].map((name) => `networking.knative.dev/${name}`),
)

function validateNetworking(annotations: ObjectMeta['annotations']): FieldError | undefined {
  return also(
    ...Object.keys(annotations ?? {})
      .filter((key) => key.startsWith('networking.knative.dev/') && !NETWORKING_ANNOTATIONS.has(key))
      .map((key) => findings.invalidKeyName(key, '')),
  )
}

const QUEUE_SIDECAR_QUANTITIES = ['cpu', 'memory', 'ephemeral-storage'].flatMap((resource) => [
  `${QUEUE_SIDECAR_PREFIX}${resource}-resource-request`,
  `${QUEUE_SIDECAR_PREFIX}${resource}-resource-limit`,
])

function validateQueueSidecar(annotations: ObjectMeta['annotations'], context: Context): FieldError | undefined {
  const quantities = QUEUE_SIDECAR_QUANTITIES.filter(
    (key) => annotations?.[key] !== undefined && parseQuantity(annotations[key]) === undefined,
  ).map((key) => findings.invalidValue(annotations![key], key))
  const percentage = annotationOf(annotations, QUEUE_SIDECAR_PERCENTAGE_KEYS)
  if (!percentage) return also(...quantities)
  context.warn(
    'Queue proxy resource percentage annotation is deprecated. Please use the available annotations to explicitly set resource values ' +
      `per service: spec.template.metadata.annotations.${QUEUE_SIDECAR_PERCENTAGE_KEYS[0]}`,
  )
  const percent = Number(percentage.value)
  const error =
    percentage.value.trim() === '' || Number.isNaN(percent)
      ? findings.invalidValue(percentage.value, `[${percentage.key}]`)
      : percent < 0.1 || percent > 100
        ? findings.outOfBounds(percent, 0.1, 100, `[${percentage.key}]`)
        : undefined
  return also(...quantities, error)
}

const INSECURE = 'Kubernetes default value is insecure, Knative may default this to secure in a future release'

/**
 * Warns of security settings that are left to Kubernetes' defaults. Never of insecure choices: those are the user's.
 * `path` is where the spec stands in the object.
 */
export function warnOfInsecureDefaults(spec: PodSpec, path: string, context: Pick<AdmissionContext, 'warn'>): void {
  const podSecurity = spec.securityContext ?? {}
  const typeOf = (profile: unknown): unknown => (profile as { type?: unknown } | undefined)?.type
  const findingsOf = (security: Record<string, unknown>): FieldError | undefined => {
    const insecure = (field: string): FieldError => fieldError(INSECURE, field)
    const capabilities = security['capabilities'] as { drop?: string[] } | undefined
    const profiles = [podSecurity['seccompProfile'], security['seccompProfile']]
    return also(
      podSecurity['runAsNonRoot'] === undefined && security['runAsNonRoot'] === undefined ? insecure('runAsNonRoot') : undefined,
      security['allowPrivilegeEscalation'] === undefined ? insecure('allowPrivilegeEscalation') : undefined,
      profiles.every((profile) => !profile)
        ? insecure('seccompProfile')
        : profiles.every((profile) => !typeOf(profile))
          ? insecure('seccompProfile.type')
          : undefined,
      !capabilities ? insecure('capabilities') : !capabilities.drop ? insecure('capabilities.drop') : undefined,
      capabilities?.drop?.[0] === 'all' ? findings.invalidValue('all', 'capabilities.drop', "Must be spelled as 'ALL'") : undefined,
    )
  }
  const all = also(
    ...(['containers', 'initContainers'] as const).flatMap((field) =>
      (spec[field] ?? []).map((container, index) =>
        viaField(`${path}.${field}[${index}].securityContext`, findingsOf(container.securityContext ?? {})),
      ),
    ),
  )
  if (all) for (const line of fieldErrorText(all).split('\n')) context.warn(line)
}
