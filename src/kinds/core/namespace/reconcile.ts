import type { Kind } from '../../../apimachinery/kind.js'
import { timestamp } from '../../../apimachinery/object.js'
import { isNotFound, StatusError } from '../../../apimachinery/status-error.js'
import type { Controller, Outcome, ReconcilerDeps, StatusOf } from '../../../controller/reconcile.js'
import type { Engines } from '../../engines.js'
import { configMapKind } from '../configmap/kind.js'
import { serviceAccountKind } from '../serviceaccount/kind.js'
import { namespaceKind } from './kind.js'
import type { Namespace } from './schema.js'
import { KUBERNETES_FINALIZER } from './served.js'

const DEFAULT_SERVICE_ACCOUNT = 'default'
const ROOT_CA_CONFIG_MAP = 'kube-root-ca.crt'

/**
 * Gives every namespace its default ServiceAccount and the instance's CA, and empties one that is being deleted: all
 * objects of all kinds first, graces honoured, then the namespace itself.
 * @see kubernetes/kubernetes v1.35 pkg/controller/namespace/deletion/namespaced_resources_deleter.go
 */
export function createNamespaceController(engines: Pick<Engines, 'caCertificate' | 'kinds' | 'onKinds'>): Controller<Namespace> {
  const namespacedKinds = (): Kind[] => engines.kinds().filter(({ namespaced }) => namespaced)
  return {
    kind: namespaceKind,
    actsAs: 'system:serviceaccount:kube-system:namespace-controller',
    reconcilesDeleted: true,
    wokenBy: namespacedKinds().map((kind) => ({
      kind,
      wakes({ metadata }, all) {
        const name = metadata.namespace!
        const isEssential =
          (kind.kind === serviceAccountKind.kind && metadata.name === DEFAULT_SERVICE_ACCOUNT) ||
          (kind.kind === configMapKind.kind && metadata.name === ROOT_CA_CONFIG_MAP)
        return isEssential || all.get({ name })?.metadata.deletionTimestamp ? [{ name }] : []
      },
    })),
    create(deps) {
      const namespaces = deps.informer(namespaceKind)
      // Kinds that users define later wake a namespace that is being emptied as the others do.
      const end = engines.onKinds?.(({ added }) => {
        for (const kind of added) {
          if (!kind.namespaced) continue
          deps.informer(kind).onChange(({ object }) => {
            const name = object.metadata.namespace!
            if (namespaces.get({ name })?.metadata.deletionTimestamp) deps.wake({ name })
          })
        }
      })
      deps.stopped.addEventListener('abort', () => end?.())
      return (namespace) =>
        namespace.metadata.deletionTimestamp ? empty(deps, namespace, namespacedKinds()) : furnish(deps, namespace, engines.caCertificate)
    },
  }
}

async function furnish({ client }: ReconcilerDeps, { metadata }: Namespace, caCertificate: string): Promise<Outcome<Namespace>> {
  const namespace = metadata.name
  if (!(await client.find(serviceAccountKind, { namespace, name: DEFAULT_SERVICE_ACCOUNT })))
    await client.create(serviceAccountKind, { metadata: { namespace, name: DEFAULT_SERVICE_ACCOUNT } }).catch(unlessTerminating)
  const data = { 'ca.crt': caCertificate }
  const present = await client.find(configMapKind, { namespace, name: ROOT_CA_CONFIG_MAP })
  if (!present) {
    const description =
      'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'
    const annotations = { 'kubernetes.io/description': description }
    await client.create(configMapKind, { metadata: { namespace, name: ROOT_CA_CONFIG_MAP, annotations }, data }).catch(unlessTerminating)
  } else if (present.data?.['ca.crt'] !== caCertificate) {
    await client.update(configMapKind, { ...present, data })
  }
  return {}
}

function unlessTerminating(error: unknown): void {
  if (!(error instanceof StatusError) || error.code !== 403) throw error
}

async function empty(deps: ReconcilerDeps, namespace: Namespace, kinds: readonly Kind[]): Promise<Outcome<Namespace>> {
  const { client, clock } = deps
  const failures: string[] = []
  const remaining = new Map<string, number>()
  const finalizers = new Map<string, number>()
  for (const kind of kinds) {
    for (const { metadata } of await client.list(kind, namespace.metadata.name)) {
      if (metadata.deletionTimestamp) continue
      await client.delete(kind, metadata, { propagationPolicy: 'Background' }).catch((error: unknown) => {
        if (!isNotFound(error)) failures.push(error instanceof Error ? error.message : String(error))
      })
    }
    const left = await client.list(kind, namespace.metadata.name)
    if (left.length > 0) remaining.set(kind.group ? `${kind.plural}.${kind.group}` : `${kind.plural}.`, left.length)
    for (const finalizer of left.flatMap(({ metadata }) => metadata.finalizers ?? []))
      finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1)
  }
  if (remaining.size > 0 || failures.length > 0) {
    const conditions = conditionsFor(namespace, { failures, remaining, finalizers }, timestamp(clock.now()))
    if (failures.length > 0) deps.log.warn('namespace cannot be emptied', { namespace: namespace.metadata.name, failures })
    // Whatever goes away wakes us; what could not be deleted has to be tried again.
    return { status: { phase: 'Terminating', conditions }, requeueAfterMs: failures.length > 0 ? 1000 : undefined }
  }
  await finalize(deps, namespace)
  return {}
}

/** PUT namespaces/<name>/finalize without Kubernetes' own finalizer: what is left then is removed. */
async function finalize({ client }: ReconcilerDeps, namespace: Namespace): Promise<void> {
  const finalizers = namespace.spec?.finalizers?.filter((finalizer) => finalizer !== KUBERNETES_FINALIZER) ?? []
  const object = { ...namespace, spec: { ...namespace.spec, finalizers } }
  const { group, version, plural } = namespaceKind
  const call = { user: client.user, verb: 'update' as const, group, version, plural, subresource: 'finalize' }
  await client.transport.call({ ...call, name: namespace.metadata.name, object }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
}

type NamespaceCondition = NonNullable<StatusOf<Namespace>['conditions']>[number]

function conditionsFor(
  { status }: Namespace,
  found: { failures: readonly string[]; remaining: ReadonlyMap<string, number>; finalizers: ReadonlyMap<string, number> },
  now: string,
): NamespaceCondition[] {
  const condition = (type: string, value: boolean, reason: string, message: string): NamespaceCondition => {
    const text = value ? 'True' : 'False'
    const before = status?.conditions?.find((old) => old.type === type)
    const lastTransitionTime = before?.status === text && before.lastTransitionTime ? before.lastTransitionTime : now
    return { type, status: text, lastTransitionTime, reason, message }
  }
  const { failures, remaining, finalizers } = found
  const resources = [...remaining].sort().map(([resource, count]) => `${resource} has ${count} resource instances`)
  const waiting = [...finalizers].sort().map(([finalizer, count]) => `${finalizer} in ${count} resource instances`)
  return [
    condition('NamespaceDeletionDiscoveryFailure', false, 'ResourcesDiscovered', 'All resources successfully discovered'),
    condition('NamespaceDeletionGroupVersionParsingFailure', false, 'ParsedGroupVersions', 'All legacy kube types successfully parsed'),
    failures.length > 0
      ? condition(
          'NamespaceDeletionContentFailure',
          true,
          'ContentDeletionFailed',
          `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
        )
      : condition(
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ),
    resources.length > 0
      ? condition('NamespaceContentRemaining', true, 'SomeResourcesRemain', `Some resources are remaining: ${resources.join(', ')}`)
      : condition('NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed'),
    waiting.length > 0
      ? condition(
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${waiting.join(', ')}`,
        )
      : condition('NamespaceFinalizersRemaining', false, 'ContentHasNoFinalizers', 'All content-preserving finalizers finished'),
  ]
}
