import type { KubeObject, Unstructured } from '../apimachinery/object.js'
import { refusals, StatusError } from '../apimachinery/status-error.js'
import type { VerbDeps } from './deps.js'
import { NAMESPACES, type Resource } from './resource.js'

const NAMESPACE_RESOURCE = { group: '', plural: NAMESPACES }

/** Namespaces that admission never lets go (apiserver plugin namespace/lifecycle, immortal namespaces). */
const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])

interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] }
  status?: { phase?: string }
}

/**
 * Refuses to create where there is no namespace (404) or one that is going away (403). Where Namespaces are not served at
 * all, any namespace will do.
 */
export function requireNamespace(deps: VerbDeps, resource: Resource, namespace: string, name: string): void {
  if (!deps.serves(NAMESPACES)) return
  const found = deps.newest.get({ resource: NAMESPACES, name: namespace })
  if (!found) throw refusals.notFound(NAMESPACE_RESOURCE, namespace)
  if (!found.metadata.deletionTimestamp) return
  const { status } = refusals.forbidden(
    resource.name,
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  )
  throw new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: status.message!,
    details: {
      ...status.details,
      causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }],
    },
  })
}

/** Refuses to delete the namespaces a cluster cannot be without. */
export function requireMortal(name: string): void {
  if (IMMORTAL.has(name)) throw refusals.forbidden(NAMESPACE_RESOURCE, name, 'this namespace may not be deleted')
}

/** A Namespace whose deletion was asked for: its contents go first, by a controller, which then calls /finalize. */
export function terminatingNamespace(object: KubeObject): KubeObject {
  const namespace = object as Namespace
  return { ...namespace, status: { ...namespace.status, phase: 'Terminating' } } as Namespace
}

/** Its own finalizers change through /finalize only. */
export function keepNamespaceFinalizers(draft: Unstructured, current: KubeObject): void {
  const { finalizers: _, ...spec } = (draft['spec'] ?? {}) as NonNullable<Namespace['spec']>
  const kept = (current as Namespace).spec?.finalizers
  draft['spec'] = { ...spec, ...(kept && { finalizers: kept }) }
}

/** What PUT /finalize stores: the finalizers of the body, everything else as it was. */
export function finalizedNamespace(draft: Unstructured, current: KubeObject): Unstructured {
  const { finalizers } = (draft['spec'] ?? {}) as NonNullable<Namespace['spec']>
  const spec: NonNullable<Namespace['spec']> = { ...(current as Namespace).spec }
  delete spec.finalizers
  return { ...(current as Unstructured), spec: { ...spec, ...(finalizers && finalizers.length > 0 && { finalizers }) } }
}
