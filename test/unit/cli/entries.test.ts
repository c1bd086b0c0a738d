import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandTable } from '../../../src/cli/command-table.js'

const root = join(import.meta.dirname, '..', '..', '..')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
const lines = [
  ...Object.keys(commandTable).map((path) => [...path.split(' '), '--help']),
  ...[
    '',
    '--help',
    'service',
    'service --help',
    'help service create',
    'help nonsense',
    'options',
    'rev',
    'service foo',
    'service --nope',
    'service create',
    'service create x',
    'service create x --image',
    'service create x --image a --image b',
    'service create x --image a --port',
    'service create x -q',
    'service create x --image a --scale-min many',
    'service create x --image a --wait --no-wait',
    'service create x --image a --wait=false',
    'service create x --image a --bogus --help',
    'service create x --image a --arg --help',
    'service update',
    'service update x',
    'service list a b',
    'service ls',
    'service delete',
    'service delete a --all',
    'revision list a b c',
    'route list a b',
    'broker',
    'brokers create',
    'broker create x --retry many',
    'broker update x',
    'trigger create x',
    'trigger create x --filter a=1 --sink',
    'trigger create --sink a',
    'trigger update x --broker b',
    'eventtype create x',
    'eventtype create x -t a -b b -r c',
    'image',
    'traffic foo',
    'traffic show',
    'traffic set x a=1',
    'traffic set x @latest=50 --nope',
    'help traffic',
    'plugin',
    'plugin list --verbose',
    'version -o xml',
    'version -o json extra words',
    '--kubeconfig /nonexistent/config service list',
    '--context nowhere service list',
  ].map((line) => line.split(' ').filter(Boolean)),
]

interface Result {
  exitCode: number
  stdout: string
  stderr: string
}

let home: string
let stock: Result[]

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'kn-entries-'))
  const driver = join(import.meta.dirname, 'stock-driver.ts')
  const { stdout } = await run(['--import', 'tsx', driver, JSON.stringify({ root, home, lines })])
  stock = JSON.parse(stdout) as Result[]
}, 60_000)

afterAll(() => rmSync(home, { recursive: true, force: true }))

test.each(lines.map((argv, index) => [`kn ${argv.join(' ')}`, argv, index] as const))(
  'the installed program and stock oclif say the same: %s',
  async (_, argv, index) => {
    const bundled = await run([join(root, 'bin', 'run.js'), ...argv])
    const { exitCode, stdout, stderr } = stock[index]!
    // The sources do not know which version they are, nor from which commit.
    const { stdout: built } = bundled
    const unbuilt = built
      .replaceAll(`v${version}`, 'v0.0.0-dev')
      .replace(/(Build ?Date.*?)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, '$1unknown')
      .replace(/(Git ?Revision.*?)[0-9a-f]{7,40}/, '$1unknown')
    expect({ ...bundled, stdout: unbuilt }).toEqual({ exitCode, stdout, stderr })
  },
)

test('the development entry runs the program from its sources', async () => {
  const { exitCode, stdout } = await run([join(root, 'bin', 'dev.js'), 'version'])
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Supported APIs:') })
})

function run(args: string[]): Promise<Result> {
  // Without a PATH: the plugins of this machine are none of this test's business.
  const env = { HOME: home, CI: '1' }
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, cwd: root }, (error, stdout, stderr) =>
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr }),
    )
  })
}
