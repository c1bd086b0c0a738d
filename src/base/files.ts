import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Replaces a file whole or not at all: written beside it, synced, renamed over it. Mode applies to the new file (default 0600).
 * Throws the system's error (ENOSPC, EACCES …) with the old file untouched.
 */
export function writeFileAtomically(path: string, content: string | Uint8Array, { mode = 0o600 }: { mode?: number } = {}): void {
  const beside = join(dirname(path), `.${process.pid}.${randomBytes(4).toString('hex')}.tmp`)
  const file = openSync(beside, 'wx', mode)
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset)
    fsyncSync(file)
    closeSync(file)
    renameSync(beside, path)
  } catch (error) {
    try {
      closeSync(file)
    } catch {
      // Closed already; what failed was the rename.
    }
    unlinkSync(beside)
    throw error
  }
}

/** Makes a directory that only its owner may enter (0700), with its parents. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/** The text of a file, or undefined when there is none; any other failure throws. */
export function readFileIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
