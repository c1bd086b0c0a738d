import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ImageResolver, RunnableImage } from '../runtime/runtime.js'
import { BUILT_INS, type BuiltIn } from './built-in.js'
import { type ImageReference, parseImageReference } from './reference.js'

/** One name of an image that runs here. */
export interface ListedImage {
  repository: string
  /** 'any': every tag means the same program. */
  tags: readonly string[] | 'any'
  digest: string
  kind: 'built-in' | 'local'
  description: string
  environment: readonly { name: string; meaning: string }[]
}

/** Images that the user made here; looked up first, under whatever name they carry. */
export interface LocalImages {
  find(reference: ImageReference): Promise<RunnableImage | undefined>
  list(): readonly ListedImage[]
}

export interface Images extends ImageResolver {
  list(): readonly ListedImage[]
}

/**
 * Finds what an image reference means on this machine. A built-in answers to any tag and to its own digest, which is made of the
 * program's bytes and its command line (not of where they lie), so it is the same on every machine with this version.
 * `programsDirectory` holds the built programs; `nodePath` is the Node that runs them.
 */
export function createImages(options: { programsDirectory: string; nodePath: string; local?: LocalImages }): Images {
  const { programsDirectory, nodePath, local } = options
  const loaded = new Map<BuiltIn, Omit<RunnableImage, 'repository'>>()

  const load = (builtIn: BuiltIn): Omit<RunnableImage, 'repository'> => {
    const known = loaded.get(builtIn)
    if (known) return known
    const { program } = builtIn
    let image: Omit<RunnableImage, 'repository'>
    if (typeof program === 'string') {
      const file = join(programsDirectory, `${program}.cjs`)
      const digest = digestOf(readFileSync(file), [program])
      // No V8 flag, not even a memory limit: with any of them Node 20 takes a third longer to start, as it cannot use its own code cache.
      image = { digest, entrypoint: [nodePath, file], args: [], env: {}, isOwnProgram: true }
    } else {
      image = { digest: digestOf('', [...program.entrypoint, ...program.args]), ...program, env: {} }
    }
    loaded.set(builtIn, image)
    return image
  }

  return {
    async resolve(text) {
      const parsed = parseImageReference(text)
      if ('problem' in parsed) return parsed
      const { reference } = parsed
      const found = await local?.find(reference)
      if (found) return { image: found }

      const { repository, digest } = reference
      const builtIn = BUILT_INS.find(({ repositories }) => repositories.includes(repository))
      if (!builtIn) {
        return {
          problem: `"${text}" is not built in, not a local image, and no container engine is used by this version; 'kn image list' shows what runs here`,
        }
      }
      let image: Omit<RunnableImage, 'repository'>
      try {
        image = load(builtIn)
      } catch (error) {
        return { problem: `"${text}" is built in, but its program cannot be read: ${(error as Error).message}` }
      }
      if (digest !== undefined && digest !== image.digest) {
        return { problem: `"${text}" is not here: the built-in ${repository} of this version has the digest ${image.digest}` }
      }
      return { image: { repository, ...image } }
    },
    list() {
      const builtIns = BUILT_INS.flatMap((builtIn) =>
        builtIn.repositories.map((repository): ListedImage => {
          const { description, environment } = builtIn
          return { repository, tags: 'any', digest: load(builtIn).digest, kind: 'built-in', description, environment }
        }),
      )
      return [...(local?.list() ?? []), ...builtIns]
    },
  }
}

function digestOf(program: string | Buffer, command: readonly string[]): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(command)).update('\0').update(program).digest('hex')}`
}
