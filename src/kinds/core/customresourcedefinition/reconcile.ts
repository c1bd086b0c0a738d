import { type CustomResourceDefinition, isDefinition } from '../../../apimachinery/custom-resource.js'
import { groupResource, type Kind } from '../../../apimachinery/kind.js'
import type { KubeObject } from '../../../apimachinery/object.js'
import { isNotFound, StatusError } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps } from '../../../controller/reconcile.js'
import type { Engines } from '../../engines.js'
import { customResourceDefinitionKind } from './kind.js'
import { isSameStatus, statusAmong, withCondition } from './names.js'
import { CLEANUP_FINALIZER } from './schema.js'

/** How long until instances that could not be deleted are tried again, in milliseconds. */
const RETRY_MS = 1000

/**
 * What a definition waits for others for: names that another one has to give up first, and, once it is being deleted, the
 * end of its instances, finalizers honoured.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/controller/status, pkg/controller/finalizer
 */
export function createCustomResourceDefinitionController(
  engines: Pick<Engines, 'kinds' | 'onKinds'>,
): Controller<CustomResourceDefinition> {
  return {
    kind: customResourceDefinitionKind,
    actsAs: 'system:apiserver',
    reconcilesDeleted: true,
    wokenBy: [
      {
        kind: customResourceDefinitionKind,
        wakes: (changed, all) =>
          (all.list() as readonly CustomResourceDefinition[])
            .filter(
              (other) => other.spec.group === (changed as CustomResourceDefinition).spec.group && !isDefinition(other, 'NamesAccepted'),
            )
            .map(({ metadata }) => ({ name: metadata.name })),
      },
    ],
    create(deps) {
      const definitions = deps.informer(customResourceDefinitionKind)
      const followInstances = (kind: Kind): void => {
        const name = groupResource(kind)
        deps.informer(kind).onChange(() => {
          if (definitions.get({ name })?.metadata.deletionTimestamp) deps.wake({ name })
        })
      }
      for (const kind of engines.kinds()) if (definitions.get({ name: groupResource(kind) })) followInstances(kind)
      const end = engines.onKinds?.(({ added }) => added.forEach(followInstances))
      deps.stopped.addEventListener('abort', () => end?.())

      return async (definition) => {
        if (definition.metadata.deletionTimestamp) {
          const kind = engines.kinds().find((each) => groupResource(each) === definition.metadata.name)
          return clean(deps, definition, kind)
        }
        const status = statusAmong(definition, definitions.list(), deps.clock.now())
        if (!isSameStatus(status, definition.status))
          await deps.client.updateStatus(customResourceDefinitionKind, { ...definition, status })
        return {}
      }
    },
  }
}

async function clean(
  deps: ReconcilerDeps,
  definition: CustomResourceDefinition,
  kind: Kind | undefined,
): Promise<Outcome<CustomResourceDefinition>> {
  if (!definition.metadata.finalizers?.includes(CLEANUP_FINALIZER)) return {}
  const failures: string[] = []
  let remaining = 0
  if (kind && isDefinition(definition, 'Established')) {
    for (const instance of await deps.client.list(kind))
      if (!instance.metadata.deletionTimestamp) await remove(deps, kind, instance, failures)
    remaining = (await deps.client.list(kind)).length
  }
  const terminating =
    failures.length > 0
      ? { status: 'True' as const, reason: 'InstanceDeletionFailed', message: `could not issue all deletes: ${failures.join(', ')}` }
      : remaining > 0
        ? { status: 'True' as const, reason: 'InstanceDeletionInProgress', message: 'CustomResource deletion is in progress' }
        : kind
          ? { status: 'False' as const, reason: 'InstanceDeletionCompleted', message: 'removed all instances' }
          : { status: 'False' as const, reason: 'NeverEstablished', message: 'resource was never established' }
  const { client, clock } = deps
  const conditions = withCondition(definition.status?.conditions, { type: 'Terminating', ...terminating }, clock.now())
  const next = { ...definition, status: { ...definition.status, conditions } }
  const current = isSameStatus(next.status, definition.status) ? definition : await client.updateStatus(customResourceDefinitionKind, next)
  // The end of each instance wakes us; one that could not be deleted has to be tried again.
  if (terminating.status === 'True') return { requeueAfterMs: failures.length > 0 ? RETRY_MS : undefined }

  const finalizers = current.metadata.finalizers?.filter((finalizer) => finalizer !== CLEANUP_FINALIZER) ?? []
  await client.update(customResourceDefinitionKind, { ...current, metadata: { ...current.metadata, finalizers } })
  return {}
}

async function remove({ client }: ReconcilerDeps, kind: Kind, { metadata }: KubeObject, failures: string[]): Promise<void> {
  try {
    await client.delete(kind, metadata, { propagationPolicy: 'Background' })
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    if (!isNotFound(error)) failures.push(error.message)
  }
}
