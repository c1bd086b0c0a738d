/** The Kubernetes object model. Objects in memory are immutable and shared by reference: change a copy, never the object. */

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ObjectMeta {
  name: string
  generateName?: string
  /** Absent for cluster-scoped objects. */
  namespace?: string
  uid?: string
  /** A decimal integer as text; the store's version at this object's last write. */
  resourceVersion?: string
  generation?: number
  /** RFC 3339, whole seconds, UTC. */
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: OwnerReference[]
  finalizers?: string[]
  /** In the process, sets of fields are JSON text in `fieldsV1`: see managed-fields/entries.ts. Clients get maps. */
  managedFields?: unknown[]
}

export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** An object whose type is only known at run time. */
export type Unstructured = KubeObject & Record<string, unknown>

/** What a client sends to create: the server fills in apiVersion, kind and the rest of metadata. */
export type Draft<T extends KubeObject> = Omit<T, 'apiVersion' | 'kind' | 'metadata' | 'status'> & {
  apiVersion?: string
  kind?: string
  metadata: Partial<ObjectMeta>
  status?: T extends { status?: infer S } ? S : never
}

/** Which object of a kind: namespace is absent for cluster-scoped kinds. */
export interface ObjectRef {
  namespace?: string | undefined
  name: string
}

export interface LabelSelector {
  matchLabels?: Record<string, string>
  matchExpressions?: { key: string; operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'; values?: string[] }[]
}

/** "namespace/name", or just the name of a cluster-scoped object. */
export function refText({ namespace, name }: ObjectRef): string {
  return namespace ? `${namespace}/${name}` : name
}

/** RFC 3339 with whole seconds, as metav1.Time is written. */
export function timestamp(epochMs: number): string {
  const second = Math.floor(epochMs / 1000)
  // Several are written for most changes, nearly always of the same second.
  if (second !== last.second) last = { second, text: `${new Date(second * 1000).toISOString().slice(0, 19)}Z` }
  return last.text
}

let last = { second: Number.NaN, text: '' }

/** The one owner reference a controller sets on a child it manages (knative.dev/pkg kmeta.NewControllerRef). */
export function controllerReference(owner: KubeObject): OwnerReference {
  const { name, uid } = owner.metadata
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid: uid!, controller: true, blockOwnerDeletion: true }
}

/** Whether `owner` is the controller of `child`, by uid. */
export function isControlledBy(child: KubeObject, owner: KubeObject): boolean {
  return child.metadata.ownerReferences?.some((reference) => reference.controller === true && reference.uid === owner.metadata.uid) ?? false
}
