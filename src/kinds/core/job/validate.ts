import { causes } from '../../../apimachinery/causes.js'
import { dns1123Label } from '../../../apimachinery/names.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { asJson, isSameJson } from '../../../controller/same-json.js'
import type { PodTemplateSpec } from '../pod/schema.js'
import { selectorCauses, validateTemplate } from '../validate-workload.js'
import { CONTROLLER_UID_LABEL, type Job, type JobSpec } from './schema.js'

const NOT_NEGATIVE = 'must be greater than or equal to 0'
const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const
const MODES = ['Indexed', 'NonIndexed']
const RESTARTS = ['OnFailure', 'Never']
const REPLACEMENTS = ['Failed', 'TerminatingOrFailed']
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const OPERATORS = ['In', 'NotIn']
const MOST_PARALLEL_INDEXED = 100_000
const IMMUTABLE = 'field is immutable'
const FIXED = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const
/** What of a template may change while its Job is suspended and never ran (JobMutableNodeSchedulingDirectives). */
const SCHEDULING = ['affinity', 'nodeSelector', 'tolerations', 'schedulingGates'] as const

/** @see kubernetes/kubernetes v1.35 pkg/apis/batch/validation/validation.go ValidateJob, ValidateJobUpdate */
export function validateJob(job: Job, old: Job | undefined): Cause[] {
  const { spec, metadata } = job
  const found = validateJobSpec(spec, 'spec')
  if (spec.selector) found.push(...selectorCauses(spec.selector, 'spec.selector'))
  else found.push(causes.required('spec.selector'))
  if (!old && !spec.manualSelector && !isSameJson(spec.selector, { matchLabels: { [CONTROLLER_UID_LABEL]: metadata.uid } }))
    found.push(causes.invalid('spec.selector', spec.selector, '`selector` not auto-generated'))
  found.push(...validateTemplate(spec.selector, spec.template, ['Always', ...RESTARTS]))
  if (!old && spec.completionMode === 'Indexed' && spec.completions !== undefined) {
    const longest = `${metadata.name}-${Math.max(0, spec.completions - 1)}`
    for (const problem of dns1123Label(longest))
      found.push(
        causes.invalid('metadata.name', metadata.name, `will not able to create pod with invalid DNS label: ${longest}: ${problem}`),
      )
  }
  if (old) found.push(...updateCauses(job, old))
  return found
}

/** Findings about a JobSpec at `path`, but for its selector and what its template has in common with others. */
export function validateJobSpec(spec: JobSpec, path: string): Cause[] {
  const found: Cause[] = []
  for (const field of COUNTS) if ((spec[field] ?? 0) < 0) found.push(causes.invalid(`${path}.${field}`, spec[field], NOT_NEGATIVE))
  const isIndexed = spec.completionMode === 'Indexed'
  if (spec.backoffLimitPerIndex !== undefined && !isIndexed)
    found.push(causes.invalid(`${path}.backoffLimitPerIndex`, spec.backoffLimitPerIndex, 'requires indexed completion mode'))
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    found.push(causes.required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  if (!MODES.includes(spec.completionMode ?? '')) found.push(causes.notSupported(`${path}.completionMode`, spec.completionMode, MODES))
  if (isIndexed && spec.completions === undefined) found.push(causes.required(`${path}.completions`, 'when completion mode is Indexed'))
  if (isIndexed && (spec.parallelism ?? 0) > MOST_PARALLEL_INDEXED)
    found.push(
      causes.invalid(
        `${path}.parallelism`,
        spec.parallelism,
        `must be less than or equal to ${MOST_PARALLEL_INDEXED} when completion mode is Indexed`,
      ),
    )
  if (!REPLACEMENTS.includes(spec.podReplacementPolicy ?? ''))
    found.push(causes.notSupported(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, REPLACEMENTS))
  if (spec.podFailurePolicy && spec.podReplacementPolicy === 'TerminatingOrFailed')
    found.push(causes.notSupported(`${path}.podReplacementPolicy`, spec.podReplacementPolicy, ['Failed']))
  const { restartPolicy } = spec.template.spec
  const at = `${path}.template.spec.restartPolicy`
  if (!restartPolicy || restartPolicy === 'Always') found.push(causes.required(at, 'valid values: "OnFailure", "Never"'))
  else if (!RESTARTS.includes(restartPolicy)) found.push(causes.notSupported(at, restartPolicy, RESTARTS))
  else if (spec.podFailurePolicy && restartPolicy !== 'Never')
    found.push(causes.invalid(at, restartPolicy, 'only "Never" is supported when podFailurePolicy is specified'))
  found.push(...policyCauses(spec, path))
  return found
}

function policyCauses({ podFailurePolicy, successPolicy, completionMode, backoffLimitPerIndex, template }: JobSpec, path: string): Cause[] {
  const found: Cause[] = []
  const names = [...template.spec.containers, ...(template.spec.initContainers ?? [])].map(({ name }) => name)
  for (const [index, { action, onExitCodes, onPodConditions = [] }] of (podFailurePolicy?.rules ?? []).entries()) {
    const rule = `${path}.podFailurePolicy.rules[${index}]`
    if (!ACTIONS.includes(action)) found.push(causes.notSupported(`${rule}.action`, action, ACTIONS))
    if (action === 'FailIndex' && backoffLimitPerIndex === undefined)
      found.push(causes.invalid(`${rule}.action`, action, 'requires the backoffLimitPerIndex to be set'))
    if (onExitCodes && onPodConditions.length > 0)
      found.push(causes.invalid(rule, null, 'specifying both OnExitCodes and OnPodConditions is not supported'))
    if (!onExitCodes && onPodConditions.length === 0)
      found.push(causes.invalid(rule, null, 'specifying one of OnExitCodes and OnPodConditions is required'))
    if (!onExitCodes) continue
    const { operator, values, containerName } = onExitCodes
    if (!OPERATORS.includes(operator)) found.push(causes.notSupported(`${rule}.onExitCodes.operator`, operator, OPERATORS))
    if (containerName !== undefined && !names.includes(containerName))
      found.push(
        causes.invalid(
          `${rule}.onExitCodes.containerName`,
          containerName,
          'must be one of the container or initContainer names in the pod template',
        ),
      )
    if (values.length === 0) found.push(causes.invalid(`${rule}.onExitCodes.values`, values, 'at least one value is required'))
    for (const [place, value] of values.entries()) {
      if (value === 0 && operator === 'In')
        found.push(causes.invalid(`${rule}.onExitCodes.values[${place}]`, value, 'must not be 0 for the In operator'))
      if (values.indexOf(value) < place) found.push(causes.duplicate(`${rule}.onExitCodes.values[${place}]`, value))
    }
  }
  if (!successPolicy) return found
  if (completionMode !== 'Indexed') found.push(causes.invalid(`${path}.successPolicy`, successPolicy, 'requires indexed completion mode'))
  if (successPolicy.rules.length === 0)
    found.push(causes.required(`${path}.successPolicy.rules`, 'at least one rules must be specified when the successPolicy is specified'))
  for (const [index, { succeededCount, succeededIndexes }] of successPolicy.rules.entries()) {
    const rule = `${path}.successPolicy.rules[${index}]`
    if (succeededCount === undefined && succeededIndexes === undefined)
      found.push(causes.required(rule, 'at least one of succeededCount or succeededIndexes must be specified'))
    if (succeededCount !== undefined && succeededCount < 1)
      found.push(causes.invalid(`${rule}.succeededCount`, succeededCount, 'must be greater than 0'))
    if (succeededIndexes !== undefined && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(succeededIndexes))
      found.push(causes.invalid(`${rule}.succeededIndexes`, succeededIndexes, 'error parsing succeededIndexes'))
  }
  return found
}

function updateCauses({ spec }: Job, { spec: old, status }: Job): Cause[] {
  const found: Cause[] = []
  if (!isSameJson(spec.selector, old.selector)) found.push(causes.invalid('spec.selector', spec.selector, IMMUTABLE))
  if (spec.completions !== old.completions) {
    const isElastic = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism && spec.completions !== undefined
    if (!isElastic)
      found.push(
        causes.invalid(
          'spec.completions',
          spec.completions ?? null,
          spec.completionMode === 'Indexed' ? 'can only be modified in tandem with spec.parallelism' : IMMUTABLE,
        ),
      )
  }
  const isUnstarted = old.suspend === true && status?.startTime === undefined
  if (!isSameJson(isUnstarted ? beforeStart(spec.template, old.template) : spec.template, old.template))
    found.push(causes.invalid('spec.template', spec.template, IMMUTABLE))
  for (const field of FIXED)
    if (!isSameJson(spec[field], old[field])) found.push(causes.invalid(`spec.${field}`, spec[field] ?? null, IMMUTABLE))
  return found
}

/** The template with what may change before the first start put back. */
function beforeStart(next: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  const kept = Object.fromEntries(SCHEDULING.map((field) => [field, old.spec[field]]))
  const { labels, annotations } = old.metadata ?? {}
  return asJson({ ...next, metadata: { ...next.metadata, labels, annotations }, spec: { ...next.spec, ...kept } }) as PodTemplateSpec
}
