import type { ObjectRef } from '../../apimachinery/object.js'
import type { Clock } from '../../base/clock.js'
import type { Client } from '../../client/client.js'
import { waitForReady } from '../../client/wait.js'
import { revisionKind } from '../../kinds/revision/kind.js'
import { serviceKind } from '../../kinds/service/kind.js'
import type { Service } from '../../kinds/service/schema.js'
import { sentences } from '../print/sentences.js'
import { withProgress } from '../progress.js'
import type { World } from '../world.js'
import { type ServiceDraft, USER_IMAGE_ANNOTATION } from './service.js'
import { updateObject } from './update.js'

export interface WaitFlags {
  wait: boolean
  'wait-timeout': number
  'wait-window': number
}

/** Waits for a service while showing how far it is; resolves to it once it is ready. */
export function waitWithProgress(client: Client, ref: ObjectRef, flags: WaitFlags, title: string, world: World): Promise<Service> {
  return withProgress(world, { title, done: sentences.readyToServe }, (onProgress) =>
    waitForReady({
      client,
      kind: serviceKind,
      ref,
      clock: world.clock,
      timeoutSeconds: flags['wait-timeout'],
      windowSeconds: flags['wait-window'],
      onProgress,
    }),
  )
}

/** Changes a service as `updateObject` does. */
export function updateService(
  client: Client,
  ref: ObjectRef,
  change: (service: Service) => Promise<Service> | Service,
  deps: { clock: Clock; random: () => number },
): Promise<{ before: Service; after: Service }> {
  return updateObject(client, serviceKind, ref, change, deps)
}

const CREATOR_ANNOTATIONS = ['serving.knative.dev/creator', 'serving.knative.dev/lastModifier']

/** The object that replaces a whole service: only what says who made it is kept. */
export function replacementOf(existing: Service, draft: ServiceDraft): Service {
  const kept = Object.entries(existing.metadata.annotations ?? {}).filter(([key]) => CREATOR_ANNOTATIONS.includes(key))
  return {
    apiVersion: existing.apiVersion,
    kind: existing.kind,
    metadata: {
      ...draft.metadata,
      name: existing.metadata.name,
      annotations: { ...draft.metadata.annotations, ...Object.fromEntries(kept) },
      ...(existing.metadata.resourceVersion && { resourceVersion: existing.metadata.resourceVersion }),
    },
    spec: draft.spec,
  }
}

/**
 * A service whose image is replaced by the very build that its latest revision runs, as --lock-to-digest promises for updates
 * that name no image. Unchanged where there is no such revision or it runs something else. `isAsked`: the flag was given.
 */
export async function lockedToDigest(client: Client, service: Service, { isAsked }: { isAsked: boolean }): Promise<Service> {
  const { template } = service.spec
  if (!isAsked && template.metadata?.annotations?.[USER_IMAGE_ANNOTATION] === undefined) return service
  const base = template.metadata?.name ?? service.status?.latestCreatedRevisionName
  if (!base) return service
  const revision = await client.find(revisionKind, { namespace: service.metadata.namespace, name: base })
  const [container, ...others] = template.spec.containers
  const digest = revision?.status?.containerStatuses?.[0]?.imageDigest
  if (!container || !digest || revision.spec.containers[0]?.image !== container.image) return service
  const containers = [{ ...container, image: digest }, ...others]
  return { ...service, spec: { ...service.spec, template: { ...template, spec: { ...template.spec, containers } } } }
}
