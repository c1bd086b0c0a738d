import { causes } from '../../apimachinery/causes.js'
import { checkAnnotations, checkLabels } from '../../apimachinery/names.js'
import type { LabelSelector } from '../../apimachinery/object.js'
import { labelSelectorMatches } from '../../apimachinery/selectors.js'
import type { Cause } from '../../apimachinery/status-error.js'
import { isSameJson } from '../../controller/same-json.js'
import type { PodTemplateSpec } from './pod/schema.js'
import { validatePodSpec } from './pod/validate-spec.js'

const OPERATORS = ['DoesNotExist', 'Exists', 'In', 'NotIn']

interface WorkloadSpec {
  replicas?: number
  minReadySeconds?: number
  selector: LabelSelector
  template?: PodTemplateSpec
}

/** What Deployments and ReplicaSets have in common (pkg/apis/apps/validation/validation.go). */
export function validateWorkload(spec: WorkloadSpec, old: WorkloadSpec | undefined): Cause[] {
  const found: Cause[] = []
  for (const field of ['replicas', 'minReadySeconds'] as const) {
    const value = spec[field]
    if (value !== undefined && value < 0) found.push(causes.invalid(`spec.${field}`, value, 'must be greater than or equal to 0'))
  }
  found.push(...selectorCauses(spec.selector))
  const { template } = spec
  if (!template) return [...found, causes.required('spec.template')]
  found.push(...checkLabels(template.metadata?.labels ?? {}, 'spec.template.metadata.labels'))
  found.push(...checkAnnotations(template.metadata?.annotations ?? {}, 'spec.template.metadata.annotations'))
  const labels = template.metadata?.labels
  if (!labelSelectorMatches(spec.selector, labels))
    found.push(causes.invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'))
  if (template.spec.restartPolicy !== 'Always')
    found.push(causes.notSupported('spec.template.spec.restartPolicy', template.spec.restartPolicy, ['Always']))
  found.push(...validatePodSpec(template.spec, 'spec.template.spec'))
  if (old && !isSameJson(old.selector, spec.selector)) found.push(causes.invalid('spec.selector', spec.selector, 'field is immutable'))
  return found
}

function selectorCauses({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Cause[] {
  const found = checkLabels(matchLabels, 'spec.selector.matchLabels')
  if (Object.keys(matchLabels).length + matchExpressions.length === 0)
    found.push(causes.invalid('spec.selector', {}, 'empty selector is invalid for deployment'))
  for (const [index, { operator, values = [] }] of matchExpressions.entries()) {
    const path = `spec.selector.matchExpressions[${index}]`
    if (!OPERATORS.includes(operator)) found.push(causes.invalid(`${path}.operator`, operator, 'not a valid selector operator'))
    else if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
      found.push(causes.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    else if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
      found.push(causes.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  }
  return found
}
