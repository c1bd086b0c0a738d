import type { Kind } from '../apimachinery/kind.js'
import { controllerReference, type Draft, type KubeObject } from '../apimachinery/object.js'
import { isAlreadyExists, StatusError } from '../apimachinery/status-error.js'
import type { ReconcilerDeps } from '../controller/reconcile.js'
import type { Channelable } from './messaging-schema.js'

/** A channel to be made: its kind as a template names it. */
export interface ChannelName {
  apiVersion: string
  kind: string
  name: string
}

export type EnsuredChannel = { channel: Channelable; kind: Kind<Channelable>; problem?: undefined } | { problem: string }

/** What is said of a kind that nobody serves. */
export const NO_SUCH_KIND = 'the server could not find the requested resource'

/**
 * The channel of this name beside `owner`, made with `spec` when there is none. One that is there is taken as it is, whoever
 * made it: channels never change with the template they were made from. `owner` is reconciled again when the channel changes.
 * Throws what another try may cure; what the API refuses is a problem.
 * @see knative/eventing v1.22 pkg/duck/channel.go, NewPhysicalChannel
 */
export async function ensureChannel(
  { apiVersion, kind: kindName, name }: ChannelName,
  spec: Record<string, unknown> | undefined,
  owner: KubeObject,
  { client, track }: Pick<ReconcilerDeps, 'client' | 'track'>,
): Promise<EnsuredChannel> {
  const { namespace } = owner.metadata
  const tracked = await track({ apiVersion, kind: kindName, namespace, name }, owner.metadata)
  if (!tracked.kind) return { problem: NO_SUCH_KIND }
  const kind = tracked.kind as Kind<Channelable>
  if (tracked.object) return { channel: tracked.object as Channelable, kind }
  const draft: Draft<Channelable> = {
    metadata: { name, ...(namespace && { namespace }), ownerReferences: [controllerReference(owner)] },
    spec: spec ?? {},
  }
  try {
    return { channel: await client.create(kind, draft), kind }
  } catch (error) {
    // Made since the cache was filled.
    if (isAlreadyExists(error)) return { channel: await client.get(kind, { namespace, name }), kind }
    if (error instanceof StatusError && error.code < 500) return { problem: error.message }
    throw error
  }
}
