import type { Clock } from '../../base/clock.js'
import type { ImageResolver } from '../../runtime/runtime.js'
import { deploymentConfig, type ReadConfigMap } from '../serving-config.js'
import { imageReferenceFrom } from './image-reference.js'
import type { Revision } from './schema.js'

type ContainerStatuses = NonNullable<NonNullable<Revision['status']>['containerStatuses']>

export type Digests =
  | { containerStatuses: ContainerStatuses; initContainerStatuses?: ContainerStatuses }
  /** What the first image that cannot be fetched is called and why; to be tried again after `retryAfterMs`. */
  | { problem: string; retryAfterMs: number }

export interface DigestResolver {
  /** The digests of all images of a Revision. Between two tries it answers at once what the last one found. */
  resolve(revision: Revision): Promise<Digests>
}

/** The wait after a failure doubles from the first to the last (background.go, newBackgroundResolver). */
const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 1_000_000

/**
 * Finds the digests of images once per Revision: a tag that moves later changes nothing for it. Remembers only failures,
 * until the Revision is gone or found everything.
 *
 * @see knative/serving v1.23 pkg/reconciler/revision/{background,resolve}.go
 */
export function createDigestResolver(options: {
  images: ImageResolver
  clock: Pick<Clock, 'now'>
  configMap: ReadConfigMap
  /** Whether a Revision with this uid still exists. */
  exists(uid: string): boolean
}): DigestResolver {
  const { images, clock, configMap, exists } = options
  const failures = new Map<string, { problem: string; waitMs: number; retryAtMs: number }>()

  const remember = (uid: string, problem: string): Digests => {
    for (const known of failures.keys()) if (!exists(known)) failures.delete(known)
    const waitMs = Math.min((failures.get(uid)?.waitMs ?? FIRST_RETRY_MS / 2) * 2, LAST_RETRY_MS)
    failures.set(uid, { problem, waitMs, retryAtMs: clock.now() + waitMs })
    return { problem, retryAfterMs: waitMs }
  }

  const digestOf = async (image: string): Promise<{ digest: string } | { problem: string }> => {
    const reference = imageReferenceFrom(image)
    if ('problem' in reference) return reference
    if (reference.digest) return { digest: image }
    const resolved = await images.resolve(image)
    if ('image' in resolved) return { digest: `${resolved.image.repository}@${resolved.image.digest}` }
    // Such registries are taken on trust: the Pod will tell whether the image is there.
    if (deploymentConfig(configMap).registriesSkippingTagResolving.has(reference.registry)) return { digest: '' }
    return resolved
  }

  return {
    async resolve({ metadata, spec }) {
      const uid = metadata.uid!
      const failure = failures.get(uid)
      if (failure && clock.now() < failure.retryAtMs) return { problem: failure.problem, retryAfterMs: failure.retryAtMs - clock.now() }

      const known = new Map<string, string>()
      for (const { image } of [...(spec.initContainers ?? []), ...spec.containers]) {
        if (known.has(image)) continue
        const found = await digestOf(image)
        if ('problem' in found) {
          return remember(uid, `Unable to fetch image "${image}": failed to resolve image to digest: ${found.problem}`)
        }
        known.set(image, found.digest)
      }
      failures.delete(uid)
      const statuses = (containers: readonly { name: string; image: string }[]): ContainerStatuses =>
        containers.map(({ name, image }) => ({ name, imageDigest: known.get(image)! }))
      return {
        containerStatuses: statuses(spec.containers),
        ...(spec.initContainers?.length && { initContainerStatuses: statuses(spec.initContainers) }),
      }
    },
  }
}

/** Whether a Revision's status already holds a digest for every container. */
export function hasDigests({ spec, status }: Revision): boolean {
  const found = (status?.containerStatuses?.length ?? 0) + (status?.initContainerStatuses?.length ?? 0)
  return found === spec.containers.length + (spec.initContainers?.length ?? 0)
}
