#!/usr/bin/env node
// The installed program's first file. It answers `kn version` by itself and otherwise loads the bundle, with the code that V8
// compiled for the same command last time. Nothing here may fail: without a cache the bundle is just compiled anew.
'use strict'
const { existsSync, writeSync } = require('node:fs')
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
  const { loadCompiled } = require(join(dist, 'compiled-code.cjs'))
  const words = argv.filter((word) => /^[a-z][a-z-]{0,30}$/.test(word)).slice(0, 2)
  const program = loadCompiled({ filename: join(dist, 'cli.cjs'), name: words.join('.') || 'kn', env, require })
  program.exports.main(argv).then((exitCode) => {
    // Made now, so that it holds the functions that this command needed; a mistyped command leaves none.
    if (program.isNew && exitCode === 0) program.keep()
    process.exit(exitCode)
  })
}
