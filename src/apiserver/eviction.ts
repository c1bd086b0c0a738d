import type { ApiCall } from '../apimachinery/call.js'
import { isJsonObject } from '../apimachinery/json.js'
import { type KubeObject, timestamp } from '../apimachinery/object.js'
import { refusals } from '../apimachinery/status-error.js'
import { remove } from './delete.js'
import { type AnswerVerb, keyOf, nameOf, type VerbDeps } from './deps.js'
import { spendDisruption } from './disruption-budget.js'
import { patch } from './patch.js'
import type { Resource } from './resource.js'

/** What may be sent: the group's first version is read as well. */
const VERSIONS: ReadonlySet<unknown> = new Set(['policy/v1', 'policy/v1beta1'])

/**
 * POST pods/<name>/eviction: the Pod is deleted, with the DeleteOptions of the body (the call's options), if the
 * PodDisruptionBudget that selects it allows that. Why it goes is in its conditions.
 * @see kubernetes/kubernetes v1.35 pkg/registry/core/pod/storage/eviction.go
 */
export const evict: AnswerVerb = async (deps, resource, call) => {
  const name = nameOf(call)
  const body = call.object
  if (!isJsonObject(body)) throw refusals.badRequest('the object provided is unrecognized (must be of type Eviction)')
  const { apiVersion, kind, metadata } = body
  if (kind !== 'Eviction' || !VERSIONS.has(apiVersion))
    throw refusals.badRequest(`no kind ${JSON.stringify(kind ?? '')} is registered for version ${JSON.stringify(apiVersion ?? '')}`)
  const sent = isJsonObject(metadata) ? metadata : {}
  if (sent['name'] && sent['name'] !== name) throw refusals.badRequest('name in URL does not match name in Eviction object')
  if (sent['namespace'] && sent['namespace'] !== call.namespace)
    throw refusals.badRequest('the namespace of the provided object does not match the namespace sent on the request')

  const pod = deps.newest.get(keyOf(resource, call.namespace, name))
  if (pod) {
    await spendDisruption(deps, pod, call.options?.dryRun === true)
    if (!call.options?.dryRun) await noteReason(deps, resource, call, pod)
  }
  const { subresource: _, object: _eviction, ...rest } = call
  const { warnings } = await remove(deps, resource, { ...rest, verb: 'delete' })
  return { code: 201, object: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }, warnings }
}

/** The condition by which a Job's failure policy, say, knows that it was not the program's fault. */
async function noteReason(deps: VerbDeps, resource: Resource, call: ApiCall, { metadata }: KubeObject): Promise<void> {
  if (metadata.deletionTimestamp) return
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: timestamp(deps.clock.now()),
  }
  const { object: _, ...rest } = call
  await patch(deps, resource, {
    ...rest,
    verb: 'patch',
    subresource: 'status',
    patch: { type: 'application/strategic-merge-patch+json', body: { status: { conditions: [condition] } } },
    options: { fieldManager: 'kube-apiserver' },
  })
}
