/** An image reference, taken apart and filled in. */
export interface ImageReference {
  /** Fully qualified: `docker.io/library/busybox`. Docker Hub is `docker.io` under whichever of its names it was written. */
  repository: string
  registry: string
  /** `latest` when neither tag nor digest was given; absent when there is a digest, which then alone counts. */
  tag?: string
  /** `sha256:<64 hex>`. */
  digest?: string
}

const DEFAULT_REGISTRY = 'docker.io'
/** Names Docker Hub goes by. */
const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])
const DEFAULT_TAG = 'latest'

const REPOSITORY = /^[a-z0-9_\-./]{2,255}$/
const TAG = /^[A-Za-z0-9_\-.]{1,127}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/
const REGISTRY = /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(?::\d+)?$/

/**
 * Takes an image reference apart as Knative does: the first part is a registry if it has a dot or a colon, else Docker Hub is meant;
 * a reference with a tag and a digest is one by digest. `problem` is the text Knative shows for what is no reference.
 *
 * @see google/go-containerregistry pkg/name, as knative/serving v1.23 pkg/apis/serving/k8s_validation.go uses it (WeakValidation)
 */
export function parseImageReference(text: string): { reference: ImageReference } | { problem: string } {
  const problem = { problem: `could not parse reference: ${text}` }
  if (/^https?:\/\//.test(text)) return problem
  const [name, digest, ...more] = text.split('@')
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return problem

  const colon = name!.lastIndexOf(':')
  const hasTag = colon >= 0 && !name!.includes('/', colon)
  const base = hasTag ? name!.slice(0, colon) : name!
  const tag = hasTag ? name!.slice(colon + 1) : ''
  if (tag !== '' && !TAG.test(tag)) return problem

  const slash = base.indexOf('/')
  const first = base.slice(0, Math.max(slash, 0))
  const hasRegistry = /[.:]/.test(first)
  const path = hasRegistry ? base.slice(slash + 1) : base
  if (!REPOSITORY.test(path) || (hasRegistry && !REGISTRY.test(first))) return problem

  const registry = !hasRegistry || HUB_NAMES.has(first) ? DEFAULT_REGISTRY : first
  const repository = `${registry}/${registry === DEFAULT_REGISTRY && !path.includes('/') ? `library/${path}` : path}`
  return { reference: { repository, registry, ...(digest === undefined ? { tag: tag || DEFAULT_TAG } : { digest }) } }
}
