import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { described, flag, int32, objectSchema, text } from '../schema-parts.js'
import { type PriorityClass, priorityClassKind } from './kind.js'

/** Higher ones are the system's (pkg/apis/scheduling/types.go, HighestUserDefinablePriority). */
const HIGHEST_OF_USERS = 1_000_000_000
const SYSTEM_PREFIX = 'system-'

/** The two that a cluster has from the start, with their values. */
export const SYSTEM_PRIORITY_CLASSES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

/** How important Pods are. Nothing here runs short in a way that Pods would have to give way for: the value is only shown. */
export const priorityClassServed: ServedKind<PriorityClass> = {
  kind: {
    ...priorityClassKind,
    columns: [
      { name: 'Value', type: 'integer', description: 'The priority of its Pods.', cell: ({ value }: PriorityClass) => value },
      { name: 'Global-Default', type: 'boolean', cell: ({ globalDefault }: PriorityClass) => globalDefault === true },
      { name: 'Age', type: 'string', cell: ({ metadata }: PriorityClass, nowMs) => age(metadata.creationTimestamp, nowMs) },
      { name: 'PreemptionPolicy', type: 'string', cell: ({ preemptionPolicy }: PriorityClass) => preemptionPolicy ?? '' },
    ],
  },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema(
    'PriorityClass gives a name to a priority of Pods.',
    {
      description: described('What it is meant for.', text),
      globalDefault: described('Whether it holds for Pods that name none.', flag),
      preemptionPolicy: described('PreemptLowerPriority or Never.', text),
      value: described('The priority itself, higher is more important.', int32),
    },
    ['value'],
  ),
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate: (priorityClass, { old }) => (old ? updateCauses(priorityClass, old) : createCauses(priorityClass)),
}

/** @see kubernetes/kubernetes v1.35 pkg/apis/scheduling/validation/validation.go */
function createCauses({ metadata: { name }, value, preemptionPolicy }: PriorityClass): Cause[] {
  const found: Cause[] = []
  if (name.startsWith(SYSTEM_PREFIX)) {
    if (SYSTEM_PRIORITY_CLASSES[name] !== value || !Object.hasOwn(SYSTEM_PRIORITY_CLASSES, name))
      found.push(
        causes.forbidden(
          'metadata.name',
          `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${name} is not a known system priority class`,
        ),
      )
  } else if (value > HIGHEST_OF_USERS) {
    found.push(causes.forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_OF_USERS}`))
  }
  if (preemptionPolicy !== 'PreemptLowerPriority' && preemptionPolicy !== 'Never')
    found.push(causes.notSupported('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']))
  return found
}

function updateCauses(next: PriorityClass, old: PriorityClass): Cause[] {
  const found: Cause[] = []
  if (next.value !== old.value) found.push(causes.forbidden('value', 'may not be changed in an update.'))
  if (next.preemptionPolicy !== old.preemptionPolicy)
    found.push(causes.invalid('preemptionPolicy', next.preemptionPolicy, 'field is immutable'))
  return found
}
