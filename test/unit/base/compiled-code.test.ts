import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type CompiledProgram, loadCompiled } from '../../../src/base/compiled-code.js'

function aProgram(answer: number) {
  const directory = mkdtempSync(join(tmpdir(), 'kn-compiled-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const filename = join(directory, 'program.cjs')
  /** Returns the hash of the new text. */
  const write = (value: number, hasHash = true): string => {
    const text = `exports.answer = () => ${value}; exports.place = __dirname\n`
    const hash = createHash('sha256').update(text).digest('hex')
    writeFileSync(filename, hasHash ? `${text}//${hash}\n` : text)
    return hash
  }
  write(answer)
  const cache = join(directory, 'cache', 'kn-local')
  const env = { XDG_CACHE_HOME: join(directory, 'cache') }
  const load = (): CompiledProgram => loadCompiled({ filename, name: 'test', env, require: createRequire(import.meta.url) })
  return { directory, cache, write, load, kept: () => join(cache, readdirSync(cache)[0]!) }
}

const answerOf = ({ exports }: CompiledProgram): number => (exports as { answer(): number }).answer()

test('a program runs from its text, and from what was kept of it', () => {
  const { load, kept, directory } = aProgram(42)
  const first = load()
  expect([first.isNew, answerOf(first), (first.exports as { place: string }).place]).toEqual([true, 42, directory])
  first.keep()
  expect(statSync(kept()).mode & 0o777).toBe(0o600)
  const second = load()
  expect([second.isNew, answerOf(second)]).toEqual([false, 42])
})

test('what was kept of another text is not used', () => {
  const { load, write, cache } = aProgram(42)
  load().keep()
  write(43)
  const changed = load()
  expect([changed.isNew, answerOf(changed)]).toEqual([true, 43])
  changed.keep()
  expect(readdirSync(cache)).toHaveLength(2)
})

test('damaged code, and a directory that others can write to, are as if nothing had been kept', () => {
  const { load, write, kept, cache } = aProgram(42)
  load().keep()
  const [hash, place] = [/^code-([0-9a-f]{20})/.exec(basename(kept()))![1]!, kept()]
  // Of a text that V8 has not seen yet: it never compiles the same one twice.
  writeFileSync(place.replace(hash, write(45).slice(0, 20)), 'not compiled code')
  const damaged = load()
  expect([damaged.isNew, answerOf(damaged)]).toEqual([true, 45])
  damaged.keep()
  expect(load().isNew).toBe(false)
  chmodSync(cache, 0o777)
  expect(load().isNew).toBe(true)
})

test('a text without a hash runs, and nothing of it is kept', () => {
  const { load, write, directory } = aProgram(42)
  write(44, false)
  const program = load()
  program.keep()
  expect([program.isNew, answerOf(program), readdirSync(directory)]).toEqual([true, 44, ['program.cjs']])
})
