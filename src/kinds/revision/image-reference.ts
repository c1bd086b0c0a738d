/**
 * Reads an image reference as Knative's webhook does: a name, with or without tag and digest.
 * @see google/go-containerregistry pkg/name
 */

const DEFAULT_REGISTRY = 'index.docker.io'

export interface ImageReference {
  /** `index.docker.io` when the reference names none. */
  registry: string
  /** `sha256:…` when the reference is pinned. */
  digest?: string
}

/** The parts of `image` that decide how it is resolved, or the reason why it cannot be read. */
export function imageReferenceFrom(image: string): ImageReference | { problem: string } {
  const at = image.indexOf('@')
  const digest = at < 0 ? undefined : image.slice(at + 1)
  const tagged = at < 0 ? image : image.slice(0, at)
  const lastSlash = tagged.lastIndexOf('/')
  const colon = tagged.lastIndexOf(':')
  const tag = colon > lastSlash ? tagged.slice(colon + 1) : undefined
  const name = tag === undefined ? tagged : tagged.slice(0, colon)
  const head = name.split('/')[0]!
  const hasRegistry = name.includes('/') && (/[.:]/.test(head) || head === 'localhost')
  const repository = hasRegistry ? name.slice(head.length + 1) : name

  const isReadable =
    /^[a-z0-9_\-./]{2,255}$/.test(repository) &&
    (tag === undefined || /^[\w.-]{1,128}$/.test(tag)) &&
    (digest === undefined || /^sha256:[0-9a-f]{64}$/.test(digest)) &&
    (!hasRegistry || /^[\w.-]+(:\d+)?$/.test(head))
  if (!isReadable) return { problem: `could not parse reference: ${image}` }
  return { registry: hasRegistry ? head : DEFAULT_REGISTRY, ...(digest !== undefined && { digest }) }
}
