// Builds dist/: one CommonJS bundle per process that this program consists of. `--watch` is not offered: it takes 100 ms.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const at = (...parts) => join(root, ...parts)
const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'))

const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'cjs',
  logLevel: 'warning',
  legalComments: 'none',
  // Native, so it stays a dependency; node:sqlite is only there on newer Node.
  external: ['@photostructure/sqlite', 'node:sqlite'],
  define: { __VERSION__: JSON.stringify(version), 'import.meta.url': '__importMetaUrl' },
  inject: [at('scripts', 'import-meta-url.mjs')],
}

const programs = {
  emulator: 'src/emulator/daemon.ts',
  'store-worker': 'src/store/sqlite-worker.ts',
  supervisor: 'src/runtime/supervisor.ts',
  'client-node': 'src/client/client-node.ts',
}
const builtIn = existsSync(at('src/images/programs')) ? readdirSync(at('src/images/programs')).filter((file) => file.endsWith('.ts')) : []
for (const file of builtIn) programs[join('images', file.replace(/\.ts$/, ''))] = join('src/images/programs', file)

rmSync(at('dist'), { recursive: true, force: true })
mkdirSync(at('dist'))
// Everything below dist is CommonJS, whatever the package says.
writeFileSync(at('dist', 'package.json'), '{ "type": "commonjs" }\n')
await Promise.all([
  ...Object.entries(programs)
    .filter(([, entry]) => existsSync(at(entry)))
    .map(([name, entry]) => build({ ...shared, entryPoints: [at(entry)], outfile: at('dist', `${name}.cjs`) })),
  existsSync(at('src/cli/main.ts')) &&
    build({
      ...shared,
      entryPoints: [at('src/cli/main.ts')],
      outfile: at('dist', 'cli.cjs'),
      // The commands are ordinary oclif classes; the installed program runs them on a small stand-in (docs/architecture.md, "Start-up").
      alias: { '@oclif/core': at('src/cli/oclif-light.ts') },
      minifyWhitespace: true,
      minifySyntax: true,
    }),
])
