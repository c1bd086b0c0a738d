import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

export interface Kubectl {
  path: string
  /** `v1.32.4` */
  version: string
}

/**
 * Every kubectl on this machine: on the PATH, beside those (some installations keep several releases as kubectl.1.27 …),
 * and Debian's, unpacked below .cache by .ci/run. One per version.
 */
export function findKubectls(): Kubectl[] {
  found ??= find()
  return [...found]
}

/** Asking seven of them takes a second. */
let found: Kubectl[] | undefined

function find(): Kubectl[] {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, 'kubectl'))
  const files = [...onPath, join(process.cwd(), '.cache/kubectl-debian/usr/bin/kubectl')]
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path))
  const siblings = files.flatMap((path) =>
    readdirSync(dirname(path))
      .filter((name) => /^kubectl\.\d+\.\d+$/.test(name))
      .map((name) => join(dirname(path), name)),
  )
  const byVersion = new Map<string, Kubectl>()
  for (const path of [...siblings, ...files]) {
    const text = execFileSync(path, ['version', '--client', '-o', 'json'], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
    })
    const version = (JSON.parse(text) as { clientVersion: { gitVersion: string } }).clientVersion.gitVersion
    if (!byVersion.has(version)) byVersion.set(version, { path, version })
  }
  return [...byVersion.values()].sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }))
}

/** The 20 of `v1.20.2`: what a kubectl can do depends on it. */
export function minorOf(version: string): number {
  return Number(version.split('.')[1])
}

/** The first and the last of {@link findKubectls}, for what test/emulator/kubectl.test.ts does not ask of each. */
export function findOldestAndNewest(): Kubectl[] {
  const all = findKubectls()
  return all.length > 1 ? [all[0]!, all.at(-1)!] : all
}
