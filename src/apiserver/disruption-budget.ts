import { type KubeObject, type LabelSelector, timestamp, type Unstructured } from '../apimachinery/object.js'
import { labelSelectorMatches } from '../apimachinery/selectors.js'
import { isConflict, refusals, StatusError } from '../apimachinery/status-error.js'
import type { VerbDeps } from './deps.js'
import { update } from './update.js'

/** How often a budget that others change at the same time is asked again (pod/storage/eviction.go EvictionsRetry). */
const ATTEMPTS = 20
/** How many evictions may be on their way that no Pod shows yet (MaxDisruptedPodSize). */
const MOST_DISRUPTED = 2000
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."

interface Budget extends KubeObject {
  spec?: { selector?: LabelSelector; unhealthyPodEvictionPolicy?: string }
  status?: {
    observedGeneration?: number
    disruptionsAllowed?: number
    currentHealthy?: number
    desiredHealthy?: number
    disruptedPods?: Record<string, string>
  }
}

interface Pod extends KubeObject {
  status?: { phase?: string; conditions?: readonly { type: string; status: string }[] }
}

/**
 * Asks the PodDisruptionBudget of a Pod whether it may be evicted, and takes one from what the budget allows. Throws 429 where
 * it may not, and 500 where several budgets want to be asked. `dryRun` takes nothing.
 * @see kubernetes/kubernetes v1.35 pkg/registry/core/pod/storage/eviction.go
 */
export async function spendDisruption(deps: VerbDeps, object: KubeObject, dryRun: boolean): Promise<void> {
  const pod = object as Pod
  const { namespace, name, labels, deletionTimestamp } = pod.metadata
  // Nobody counts on a Pod that does not run (yet), or that goes anyway.
  if (deletionTimestamp || pod.status?.phase !== 'Running') return
  const resource = deps.resourceFor('policy', 'v1', 'poddisruptionbudgets')
  if (!resource) return
  for (let attempt = 0; ; attempt++) {
    const found = (deps.newest.list(resource.stored, namespace) as readonly Budget[]).filter(
      ({ spec }) => spec?.selector && labelSelectorMatches(spec.selector, labels),
    )
    if (found.length > 1)
      throw refusals.internal('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.')
    const [budget] = found
    if (!budget || mayGoUnhealthy(pod, budget)) return
    const { status = {}, metadata } = budget
    if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0))
      throw tooMany(`The disruption budget ${metadata.name} is still being processed by the server.`, 10)
    const allowed = status.disruptionsAllowed ?? 0
    if (Object.keys(status.disruptedPods ?? {}).length > MOST_DISRUPTED)
      throw refusals.forbidden(
        resource.name,
        metadata.name,
        'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
      )
    if (allowed <= 0)
      throw tooMany(
        `The disruption budget ${metadata.name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`,
      )
    if (dryRun) return
    const disruptedPods = { ...status.disruptedPods, [name]: timestamp(deps.clock.now()) }
    const next = { ...budget, status: { ...status, disruptionsAllowed: allowed - 1, disruptedPods } }
    try {
      await update(deps, resource, {
        user: { name: 'system:apiserver', groups: ['system:masters'] },
        verb: 'update',
        group: 'policy',
        version: 'v1',
        plural: 'poddisruptionbudgets',
        subresource: 'status',
        namespace: namespace!,
        name: metadata.name,
        object: next as unknown as Unstructured,
        options: { fieldManager: 'kube-apiserver' },
      })
      return
    } catch (error) {
      if (!isConflict(error) || attempt >= ATTEMPTS) throw error
    }
  }
}

/** A Pod that is not ready serves nobody: it may go while the others suffice, or always, as the budget says. */
function mayGoUnhealthy({ status }: Pod, { spec, status: counts = {} }: Budget): boolean {
  if (status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')) return false
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const desired = counts.desiredHealthy ?? 0
  return desired > 0 && (counts.currentHealthy ?? 0) >= desired
}

function tooMany(why: string, retryAfterSeconds?: number): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: REFUSED,
    details: { causes: [{ reason: 'DisruptionBudget', message: why, field: '' }], ...(retryAfterSeconds && { retryAfterSeconds }) },
  })
}
