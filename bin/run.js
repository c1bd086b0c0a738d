#!/usr/bin/env node
// The installed program's first file. It answers `kn version` by itself and otherwise loads the bundle, with the code that V8
// compiled for the same command last time. Nothing here may fail: without a cache the bundle is just compiled anew.
'use strict'
const { existsSync, readFileSync, statSync, writeSync } = require('node:fs')
const { join } = require('node:path')

const argv = process.argv.slice(2)
const { env } = process
const dist = join(__dirname, '..', 'dist')
const home = env.HOME

if (!(argv.length === 1 && argv[0] === 'version' && isConfigured() && printVersion())) runBundle()

/** The first run ever has a configuration file to make, and a deprecated one is warned about: the bundle does both. */
function isConfigured() {
  return home && !existsSync(join(home, '.kn')) && existsSync(join(env.XDG_CONFIG_HOME || join(home, '.config'), 'kn', 'config.yaml'))
}

function printVersion() {
  try {
    const text = require(join(dist, 'version.cjs')).versionText()
    return writeSync(1, text) === text.length
  } catch (error) {
    return error.code === 'EPIPE'
  }
}

function runBundle() {
  const { Script } = require('node:vm')
  const filename = join(dist, 'cli.cjs')
  // esbuild writes ASCII, and text that is known to be Latin-1 is read and compiled without decoding.
  const source = readFileSync(filename, 'latin1')
  const cache = cacheFile(source)
  const cachedData = readCache(cache)
  const wrapped = `(function (exports, require, module, __filename, __dirname) {${source}\n})`
  const script = new Script(wrapped, { filename, ...(cachedData && { cachedData }) })
  const bundle = { exports: {} }
  script.runInThisContext()(bundle.exports, require, bundle, filename, dist)
  const isStale = cache && (!cachedData || script.cachedDataRejected)
  bundle.exports.main(argv).then((exitCode) => {
    // Made now, so that it holds the functions that this command needed; a mistyped command leaves none.
    if (isStale && exitCode === 0) writeCache(cache, script)
    process.exit(exitCode)
  })
}

/** One file per bundle, runtime and command. The bundle ends in a comment with its own hash; without one nothing is cached. */
function cacheFile(source) {
  const bundleHash = /\/\/([0-9a-f]{64})\s*$/.exec(source.slice(-80))?.[1]
  const base = env.XDG_CACHE_HOME || (home && (process.platform === 'darwin' ? join(home, 'Library', 'Caches') : join(home, '.cache')))
  if (!bundleHash || !base) return undefined
  const words = argv.filter((word) => /^[a-z][a-z-]{0,30}$/.test(word)).slice(0, 2)
  const directory = join(base, 'kn-local')
  return {
    directory,
    path: join(directory, `code-${bundleHash.slice(0, 20)}-${process.version}-${process.arch}-${words.join('.') || 'kn'}`),
  }
}

/** What others could have written is not run: the directory must be ours alone. */
function isPrivate(directory) {
  const { uid, mode } = statSync(directory)
  return uid === process.getuid() && (mode & 0o022) === 0
}

function readCache(cache) {
  try {
    return cache && isPrivate(cache.directory) ? readFileSync(cache.path) : undefined
  } catch {
    return undefined
  }
}

const MOST_FILES = 32

function writeCache({ directory, path }, script) {
  try {
    const fs = require('node:fs')
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (!isPrivate(directory)) return
    const beside = `${path}.${process.pid}.tmp`
    const file = fs.openSync(beside, 'wx', 0o600)
    fs.writeSync(file, script.createCachedData())
    // V8 trusts these bytes: after a crash there must not be half of them.
    fs.fsyncSync(file)
    fs.closeSync(file)
    fs.renameSync(beside, path)
    const files = fs.readdirSync(directory).filter((name) => name.startsWith('code-'))
    if (files.length <= MOST_FILES) return
    const byAge = files.map((name) => ({ name, time: statSync(join(directory, name)).mtimeMs })).sort((a, b) => a.time - b.time)
    for (const { name } of byAge.slice(0, files.length - MOST_FILES)) fs.unlinkSync(join(directory, name))
  } catch {
    // A full or read-only disk costs speed only.
  }
}
