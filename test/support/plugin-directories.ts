import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Directories in which a test puts plugins: a home, the plugin folder of its configuration, and two on the PATH. */
export interface PluginDirectories {
  home: string
  folder: string
  first: string
  second: string
  /** Writes an executable shell script and returns its path. */
  script(directory: string, name: string, options?: { body?: string; mode?: number }): string
  remove(): void
}

export function makePluginDirectories(): PluginDirectories {
  const root = mkdtempSync(join(tmpdir(), 'kn-plugins-'))
  const home = join(root, 'home')
  const folder = join(home, '.config', 'kn', 'plugins')
  const [first, second] = [join(root, 'first'), join(root, 'second')]
  for (const directory of [folder, first, second]) mkdirSync(directory, { recursive: true })
  return {
    home,
    folder,
    first,
    second,
    script(directory, name, { body = 'true', mode = 0o755 } = {}) {
      const path = join(directory, name)
      writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode })
      return path
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
}
