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

/** What Deployments, ReplicaSets and DaemonSets have in common (pkg/apis/apps/validation/validation.go). */
export function validateWorkload(spec: WorkloadSpec, old: WorkloadSpec | undefined, called = 'deployment'): Cause[] {
  const found: Cause[] = []
  for (const field of ['replicas', 'minReadySeconds'] as const) {
    const value = spec[field]
    if (value !== undefined && value < 0) found.push(causes.invalid(`spec.${field}`, value, 'must be greater than or equal to 0'))
  }
  found.push(...selectorCauses(spec.selector, 'spec.selector', `empty selector is invalid for ${called}`))
  const { template } = spec
  if (!template) return [...found, causes.required('spec.template')]
  found.push(...validateTemplate(spec.selector, template, ['Always']))
  if (old && !isSameJson(old.selector, spec.selector)) found.push(causes.invalid('spec.selector', spec.selector, 'field is immutable'))
  return found
}

/** The template of whatever makes Pods: its metadata, that the selector finds what is made of it, and its Pods' spec. */
export function validateTemplate(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
  restartPolicies: readonly string[],
  path = 'spec.template',
): Cause[] {
  const labels = template.metadata?.labels
  const found = [
    ...checkLabels(labels ?? {}, `${path}.metadata.labels`),
    ...checkAnnotations(template.metadata?.annotations ?? {}, `${path}.metadata.annotations`),
  ]
  if (selector && !labelSelectorMatches(selector, labels))
    found.push(causes.invalid(`${path}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`'))
  const { restartPolicy } = template.spec
  if (!restartPolicies.includes(restartPolicy ?? ''))
    found.push(causes.notSupported(`${path}.spec.restartPolicy`, restartPolicy, restartPolicies))
  found.push(...validatePodSpec(template.spec, `${path}.spec`))
  return found
}

/** Findings about a label selector at `path`; `empty` says what is wrong with one that selects everything, if that is wrong. */
export function selectorCauses({ matchLabels = {}, matchExpressions = [] }: LabelSelector, selector: string, empty?: string): Cause[] {
  const found = checkLabels(matchLabels, `${selector}.matchLabels`)
  if (empty && Object.keys(matchLabels).length + matchExpressions.length === 0) found.push(causes.invalid(selector, {}, empty))
  for (const [index, { operator, values = [] }] of matchExpressions.entries()) {
    const path = `${selector}.matchExpressions[${index}]`
    if (!OPERATORS.includes(operator)) found.push(causes.invalid(`${path}.operator`, operator, 'not a valid selector operator'))
    else if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
      found.push(causes.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    else if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
      found.push(causes.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  }
  return found
}
