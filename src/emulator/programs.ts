import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The directory of the built programs (the emulator, its store's worker, its supervisor, the built-in images), bundled or from the sources. */
export function programsDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  return here.endsWith(`${sep}dist`) ? here : join(here, '..', '..', 'dist')
}

export function programFile(name: string): string {
  return join(programsDirectory(), name)
}
