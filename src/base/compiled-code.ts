import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'

/** A program of ours that was loaded and has run. */
export interface CompiledProgram {
  exports: unknown
  /** Whether it had to be compiled: there was no code of it, or none that this V8 takes. */
  readonly isNew: boolean
  /** Keeps the code of all functions that have run so far for the next process. Failing costs speed only. */
  keep(): void
}

interface Cache {
  directory: string
  path: string
}

/** Of all programs and versions together; the oldest go. */
const MOST_FILES = 32

/**
 * Loads a bundle (CommonJS, in ASCII, ending in a comment with its own hash) with the code that V8 compiled for it last time, one file
 * per bundle, runtime and `name`, in the user's cache directory.
 */
export function loadCompiled(options: {
  filename: string
  /** What the process is for: code is kept of what that needs. */
  name: string
  env: NodeJS.ProcessEnv
  require: NodeJS.Require
}): CompiledProgram {
  const { filename, name, env } = options
  // Text that is known to be Latin-1 is read and compiled without decoding, and takes half of the memory.
  const source = readFileSync(filename, 'latin1')
  const cache = cacheFile(source, name, env)
  const cachedData = cache && readCache(cache)
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${source}\n})`
  const script = new Script(wrapped, { filename, ...(cachedData && { cachedData }) })
  const bundle: { exports: unknown } = { exports: {} }
  script.runInThisContext()(bundle.exports, options.require, bundle, filename, dirname(filename))
  return {
    exports: bundle.exports,
    isNew: !cachedData || script.cachedDataRejected === true,
    keep() {
      if (cache) writeCache(cache, script)
    },
  }
}

/** Without a hash at its end, or a place for caches, nothing of a bundle is kept. */
function cacheFile(source: string, name: string, { HOME: home, XDG_CACHE_HOME: caches }: NodeJS.ProcessEnv): Cache | undefined {
  const bundleHash = /\/\/([0-9a-f]{64})\s*$/.exec(source.slice(-80))?.[1]
  const base = caches || (home && (process.platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache')))
  if (!bundleHash || !base) return undefined
  const directory = join(base, 'kn-local')
  return { directory, path: join(directory, `code-${bundleHash.slice(0, 20)}-${process.version}-${process.arch}-${name}`) }
}

/** What others could have written is not run: the directory must be ours alone. */
function isPrivate(directory: string): boolean {
  const { uid, mode } = statSync(directory)
  return uid === process.getuid!() && (mode & 0o022) === 0
}

function readCache({ directory, path }: Cache): Buffer | undefined {
  try {
    return isPrivate(directory) ? readFileSync(path) : undefined
  } catch {
    return undefined
  }
}

function writeCache({ directory, path }: Cache, script: Script): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (!isPrivate(directory)) return
    const beside = `${path}.${process.pid}.tmp`
    const file = openSync(beside, 'wx', 0o600)
    writeFileSync(file, script.createCachedData())
    // V8 trusts these bytes: after a crash there must not be half of them.
    fsyncSync(file)
    closeSync(file)
    renameSync(beside, path)
    const files = readdirSync(directory).filter((name) => name.startsWith('code-'))
    if (files.length <= MOST_FILES) return
    const byAge = files.map((name) => ({ name, time: statSync(join(directory, name)).mtimeMs })).sort((a, b) => a.time - b.time)
    for (const { name } of byAge.slice(0, files.length - MOST_FILES)) unlinkSync(join(directory, name))
  } catch {
    // A full or read-only disk costs speed only.
  }
}
