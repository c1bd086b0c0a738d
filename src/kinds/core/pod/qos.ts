import type { Container, PodSpec } from './schema.js'

/**
 * Guaranteed when every container limits cpu and memory and requests as much, BestEffort when none says anything about
 * them, else Burstable.
 * @see kubernetes/kubernetes v1.35 pkg/apis/core/v1/helper/qos/qos.go
 */
export function qosClassOf({ containers, initContainers = [] }: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const all = [...containers, ...initContainers]
  const isSilent = ({ resources }: Container): boolean =>
    ['cpu', 'memory'].every((name) => isNothing(resources?.limits?.[name]) && isNothing(resources?.requests?.[name]))
  if (all.every(isSilent)) return 'BestEffort'
  const isGuaranteed = ({ resources }: Container): boolean =>
    ['cpu', 'memory'].every((name) => {
      const limit = resources?.limits?.[name]
      const request = resources?.requests?.[name] ?? limit
      return !isNothing(limit) && String(request) === String(limit)
    })
  return all.every(isGuaranteed) ? 'Guaranteed' : 'Burstable'
}

function isNothing(quantity: string | number | undefined): boolean {
  return quantity === undefined || Number.parseFloat(String(quantity)) === 0
}
