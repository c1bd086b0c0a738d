// Builds dist/ (all CommonJS): one bundle per process that this program consists of. It takes about 100 ms, so there is no watch mode.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const at = (...parts) => join(root, ...parts)
const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'))

/** What git says of this checkout; `unknown` where there is no git or no checkout. */
function git(...args) {
  try {
    return execFileSync('git', args, {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  logLevel: 'warning',
  legalComments: 'none',
  // What stays outside is required too: code that V8 has cached cannot import.
  supported: { 'dynamic-import': false },
  // Native, so it stays a dependency; node:sqlite is only there on newer Node.
  external: ['@photostructure/sqlite', 'node:sqlite'],
  define: {
    __VERSION__: JSON.stringify(version),
    __BUILD_DATE__: JSON.stringify(git('log', '-1', '--date=format-local:%Y-%m-%d %H:%M:%S', '--format=%cd')),
    __REVISION__: JSON.stringify(git('log', '-1', '--format=%h')),
    'import.meta.url': '__importMetaUrl',
  },
  metafile: true,
  inject: [at('scripts', 'import-meta-url.mjs')],
}

const programs = {
  emulator: 'src/emulator/daemon.ts',
  'emulator-process': 'src/emulator/process.ts',
  'compiled-code': 'src/base/compiled-code.ts',
  'store-worker': 'src/store/sqlite-worker.ts',
  'append-log-worker': 'src/store/append-log-worker.ts',
  'journal-worker': 'src/emulator/journal-worker.ts',
  supervisor: 'src/runtime/supervisor.ts',
  'workload-preload': 'src/runtime/workload-preload.ts',
  'client-node': 'src/client/client-node.ts',
  certificates: 'src/emulator/certificates.ts',
  version: 'src/cli/version.ts',
}
for (const file of readdirSync(at('src/images/programs')))
  programs[join('images', file.replace(/\.ts$/, ''))] = join('src/images/programs', file)

mkdirSync(at('dist'), { recursive: true })
const built = new Map([['package.json', Buffer.from('{ "type": "commonjs" }\n')]])
/** Libraries that went into a bundle: name to folder. */
const libraries = new Map()
const collect = async (name, options) => {
  const { outputFiles, metafile } = await build({ ...shared, ...options, write: false, outfile: at('dist', `${name}.cjs`) })
  built.set(`${name}.cjs`, outputFiles[0].contents)
  for (const input of Object.keys(metafile.inputs)) {
    const bundled = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)
    if (bundled) libraries.set(bundled[1], at(bundled[0]))
  }
}
await Promise.all([
  ...Object.entries(programs).map(([name, entry]) => collect(name, { entryPoints: [at(entry)] })),
  collect('cli', {
    entryPoints: [at('src/cli/main.ts')],
    // The commands are ordinary oclif classes; the installed program runs them on a small stand-in (docs/architecture.md, "Start-up").
    alias: { '@oclif/core': at('src/cli/oclif-light.ts') },
    minifyWhitespace: true,
    minifySyntax: true,
  }),
])
built.set('THIRD-PARTY-LICENSES.txt', Buffer.from(licenses()))

/** The licences of everything that is inside the bundles, one after the other. */
function licenses() {
  return [...libraries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, folder]) => {
      const { version: ofLibrary, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
      return `${name} ${ofLibrary} (${license})\n\n${file ? readFileSync(join(folder, file), 'utf8').trim() : 'No licence text is in the package.'}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

// Compiled code is kept by this hash (src/base/compiled-code.ts).
for (const name of ['cli.cjs', 'emulator.cjs']) {
  const bytes = built.get(name)
  // They are read as Latin-1. esbuild escapes what is not ASCII, but not in regular expressions.
  if (bytes.some((byte) => byte > 127)) throw new Error(`${name} is not ASCII: write \\u escapes in regular expressions`)
  built.set(name, Buffer.concat([bytes, Buffer.from(`//${createHash('sha256').update(bytes).digest('hex')}\n`)]))
}

// Each file is replaced whole, and only when it differs: a build never pulls the rug from under a running program or a second build.
for (const [name, bytes] of built) {
  const path = at('dist', name)
  if (existsSync(path) && Buffer.compare(readFileSync(path), bytes) === 0) continue
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, bytes)
  renameSync(`${path}.${process.pid}`, path)
}
for (const entry of readdirSync(at('dist'), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name)
  if (entry.isFile() && entry.name.endsWith('.cjs') && !built.has(relative(at('dist'), path))) rmSync(path)
}
