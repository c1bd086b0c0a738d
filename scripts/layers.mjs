// The rules of who imports whom (docs/architecture.md, "Layers"), and of where time and child processes may come from.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const ENGINES = ['store', 'client', 'delivery', 'runtime', 'autoscaler', 'journal']
const WORDS = ['base', 'apimachinery', 'cloudevents']

/** Room to the rooms it may import; `types:` allows type imports only, `names:` only what things are called and made of (kind.ts, schema.ts, serving-names.ts). */
const MAY_IMPORT = {
  base: [],
  apimachinery: ['base'],
  cloudevents: ['base'],
  ...Object.fromEntries(ENGINES.map((room) => [room, WORDS])),
  apiserver: [...WORDS, 'store'],
  controller: [...WORDS, 'client'],
  kinds: [...WORDS, 'controller', 'client', 'types:delivery', 'types:runtime', 'types:autoscaler'],
  ...Object.fromEntries(['gateway', 'eventing', 'images', 'addons'].map((room) => [room, [...WORDS, ...ENGINES, 'names:kinds']])),
  emulator: [...WORDS, ...ENGINES, 'apiserver', 'controller', 'kinds', 'gateway', 'eventing', 'images', 'addons'],
  cli: [...WORDS, 'client', 'kinds', 'emulator', 'commands', 'plugins'],
  plugins: [...WORDS, 'client', 'names:kinds', 'cli'],
  commands: [...WORDS, 'client', 'kinds', 'cli', 'emulator'],
}

const MAY_SPAWN = /^src\/(runtime\/|emulator\/|images\/programs\/|cli\/spawn\.ts$)/
const MAY_USE_OCLIF = /^(src\/cli\/|src\/plugins\/|commands\/)/
// The sample programs are workloads: they are not part of the system whose time is its own.
const MAY_USE_TIME = /^src\/(base\/clock\.ts$|images\/program(s\/|\.ts$))/
const TIME = /(?<![.\w])(setTimeout|setInterval|setImmediate)\s*\(|\bDate\.now\s*\(|\bnew Date\s*\(\s*\)|\bperformance\.now\s*\(/
const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm

/** What breaks a rule in one source file, as sentences. `path` is relative to the repository, with forward slashes. */
export function violationsIn(path, text) {
  const found = []
  const room = roomOf(path)
  for (const match of text.matchAll(IMPORT)) {
    const [, typeOnly, staticTarget, dynamicTarget] = match
    const target = staticTarget ?? dynamicTarget
    const line = text.slice(0, match.index + match[0].indexOf(target)).split('\n').length
    const problem = importProblem({ path, room, target, typeOnly: Boolean(typeOnly) })
    if (problem) found.push(`${path}:${line}: ${problem}`)
  }
  if (!MAY_USE_TIME.test(path)) {
    text.split('\n').forEach((line, index) => {
      if (TIME.test(line) && !/^\s*(\*|\/\/)/.test(line)) found.push(`${path}:${index + 1}: time comes only from src/base/clock.ts`)
    })
  }
  return found
}

function importProblem({ path, room, target, typeOnly }) {
  if (/^(node:)?child_process$/.test(target) && !MAY_SPAWN.test(path))
    return 'child processes are started only by the runtime, the emulator and src/cli/spawn.ts'
  if (target.startsWith('@oclif/') && !MAY_USE_OCLIF.test(path)) return 'oclif lives only in the command line'
  if (!target.startsWith('.')) return room === 'base' && !target.startsWith('node:') ? 'src/base imports nothing but Node' : undefined
  const other = roomOf(
    normalize(join(dirname(path), target))
      .split(sep)
      .join('/'),
  )
  if (!other || other === room || room === undefined) return undefined
  const allowed = MAY_IMPORT[room]
  if (!allowed) return `room '${room}' is not in scripts/layers.mjs`
  if (allowed.includes(other)) {
    return room === 'cli' || room === 'commands' || room === 'plugins' ? reconcilerProblem(other, target) : undefined
  }
  if (allowed.includes(`types:${other}`)) return typeOnly ? undefined : `${room} may import only types from ${other}`
  if (allowed.includes(`names:${other}`))
    return /\/(kind|schema|serving-names)\.js$/.test(target) ? undefined : `${room} may import only names and schemas from ${other}`
  return `${room} may not import ${other}`
}

function reconcilerProblem(other, target) {
  return other === 'kinds' && /(reconcile|served|index)\.js$/.test(target) ? 'the command line loads no reconcilers' : undefined
}

function roomOf(path) {
  if (path.startsWith('commands/')) return 'commands'
  return /^src\/([^/]+)\//.exec(path)?.[1]
}

function* sources(directory) {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith('.ts')) yield join(entry.parentPath, entry.name)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..')
  const all = ['src', 'commands'].flatMap((directory) =>
    [...sources(join(root, directory))].flatMap((file) =>
      violationsIn(relative(root, file).split(sep).join('/'), readFileSync(file, 'utf8')),
    ),
  )
  for (const violation of all) console.error(violation)
  process.exitCode = all.length > 0 ? 1 : 0
}
