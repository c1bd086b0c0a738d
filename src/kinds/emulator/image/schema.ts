import type { KubeObject } from '../../../apimachinery/object.js'

/** An image that runs on this machine, as the emulator lists it. */
export interface EmulatorImage extends KubeObject {
  spec: {
    repository: string
    /** Empty: any tag means the same program. */
    tags: string[]
    digest: string
    /** `built-in`, or `local` for one made from a directory. */
    type: string
    description: string
    environment: { name: string; meaning: string }[]
  }
}
