import type { ContainerStatus, Pod } from '../pod/schema.js'
import { indexesFrom } from './indexes.js'
import type { Job, PodFailurePolicyRule } from './schema.js'

/** What the failure policy of a Job says of a failed Pod; absent where no rule matches. */
export interface FailureVerdict {
  action: PodFailurePolicyRule['action']
  message: string
}

/** @see kubernetes/kubernetes v1.35 pkg/controller/job/pod_failure_policy.go */
export function failureVerdict({ spec }: Job, pod: Pod): FailureVerdict | undefined {
  if (pod.status?.phase !== 'Failed') return undefined
  const { namespace, name } = pod.metadata
  for (const [index, { action, onExitCodes, onPodConditions }] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const tail = `matching ${action} rule at index ${index}`
    const container = onExitCodes && exitedWith(pod, onExitCodes)
    if (container) {
      const message = `Container ${container.name} for pod ${namespace}/${name} failed with exit code ${container.state.terminated!.exitCode} ${tail}`
      return { action, message }
    }
    const matching = onPodConditions?.find(({ type, status = 'True' }) =>
      pod.status?.conditions?.some((condition) => condition.type === type && condition.status === status),
    )
    if (matching) return { action, message: `Pod ${namespace}/${name} has condition ${matching.type} ${tail}` }
  }
  return undefined
}

function exitedWith(
  { status }: Pod,
  { containerName, operator, values }: NonNullable<PodFailurePolicyRule['onExitCodes']>,
): ContainerStatus | undefined {
  return [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find(({ name, state }) => {
    const exitCode = state.terminated?.exitCode ?? 0
    return exitCode !== 0 && (!containerName || containerName === name) && values.includes(exitCode) === (operator === 'In')
  })
}

/** Why a Job whose indexes have succeeded so far counts as successful, by its success policy; undefined while it does not. */
export function successVerdict({ spec }: Job, succeeded: ReadonlySet<number>): string | undefined {
  for (const [index, { succeededIndexes, succeededCount }] of (spec.successPolicy?.rules ?? []).entries()) {
    const asked = succeededIndexes === undefined ? undefined : indexesFrom(succeededIndexes, spec.completions)
    const matched = asked ? [...asked].filter((each) => succeeded.has(each)).length : succeeded.size
    if (matched > 0 && matched >= (succeededCount ?? asked?.size ?? 0)) return `Matched rules at index ${index}`
  }
  return undefined
}
