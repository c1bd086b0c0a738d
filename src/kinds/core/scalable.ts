import type { Kind } from '../../apimachinery/kind.js'
import type { KubeObject, ObjectRef, OwnerReference } from '../../apimachinery/object.js'
import type { Client } from '../../client/client.js'

/** The subresource `scale` of an object of any kind: autoscaling/v1 Scale. */
export interface ObjectScale {
  wanted: number
  actual: number
}

/** The scalable kind that a reference names; undefined where there is none, or where it has no scale. */
export function scalableKind(
  kinds: readonly Kind[],
  { apiVersion, kind: name }: Pick<OwnerReference, 'apiVersion' | 'kind'>,
): Kind | undefined {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return kinds.find((kind) => kind.kind === name && kind.group === group && kind.scale)
}

/** Reads the scale of an object; throws the server's refusal, 404 included. */
export async function scaleOf(client: Client, kind: Kind, ref: ObjectRef): Promise<ObjectScale> {
  const { object } = await client.transport.call({ ...address(client, kind, ref), verb: 'get', subresource: 'scale' })
  const { spec, status } = object as KubeObject & { spec?: { replicas?: number }; status?: { replicas?: number } }
  return { wanted: spec?.replicas ?? 0, actual: status?.replicas ?? 0 }
}

/** Asks for another number of Pods. */
export async function setScale(client: Client, kind: Kind, ref: ObjectRef, replicas: number): Promise<void> {
  await client.patch(kind, ref, { type: 'application/merge-patch+json', body: { spec: { replicas } }, subresource: 'scale' })
}

function address({ user }: Client, { group, version, plural }: Kind, { namespace, name }: ObjectRef) {
  return { user, group, version, plural, ...(namespace !== undefined && { namespace }), name }
}
