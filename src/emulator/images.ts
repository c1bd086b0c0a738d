import type { Draft } from '../apimachinery/object.js'
import type { Client } from '../client/client.js'
import type { ListedImage } from '../images/images.js'
import { emulatorImageKind } from '../kinds/emulator/image/kind.js'
import type { EmulatorImage } from '../kinds/emulator/image/schema.js'

/** Brings the Image objects, which `kn image list` reads, in line with the images that run here. */
export async function publishImages(client: Client, listed: readonly ListedImage[]): Promise<void> {
  const wanted = new Map(listed.map((image) => [objectName(image), image]))
  const present = new Map((await client.list(emulatorImageKind)).map((object) => [object.metadata.name, object]))
  for (const name of present.keys()) if (!wanted.has(name)) await client.delete(emulatorImageKind, { name })
  for (const [name, image] of wanted) {
    const draft: Draft<EmulatorImage> = { metadata: { name }, spec: specOf(image) }
    const old = present.get(name)
    if (!old) await client.create(emulatorImageKind, draft)
    else if (old.spec.digest !== image.digest) await client.update(emulatorImageKind, { ...old, spec: draft.spec })
  }
}

function specOf({ repository, tags, digest, kind, description, environment }: ListedImage): EmulatorImage['spec'] {
  return { repository, tags: tags === 'any' ? [] : [...tags], digest, type: kind, description, environment: [...environment] }
}

/** Object names take no slashes: `ghcr.io/knative/helloworld-go` becomes `ghcr.io.knative.helloworld-go`. */
function objectName({ repository }: ListedImage): string {
  return repository.toLowerCase().replaceAll(/[^a-z0-9.-]+/g, '.')
}
