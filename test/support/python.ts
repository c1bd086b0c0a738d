import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

export interface Python {
  path: string
  env: NodeJS.ProcessEnv
  /** Of its package `kubernetes`. */
  version: string
}

/** Where .ci/run unpacks the package and what it needs. */
const UNPACKED = join(process.cwd(), '.cache/python-kubernetes/usr/lib/python3/dist-packages')

/** A Python that has the official Kubernetes client: of its own, or unpacked below .cache by .ci/run. */
export function findPython(): Python | undefined {
  for (const modules of [undefined, UNPACKED]) {
    for (const path of ['/usr/bin/python3', 'python3']) {
      const env = { PATH: process.env['PATH'], ...(modules !== undefined && { PYTHONPATH: modules }) }
      try {
        const version = execFileSync(path, ['-c', 'import kubernetes; print(kubernetes.__version__)'], {
          env,
          encoding: 'utf8',
          stdio: 'pipe',
        })
        return { path, env, version: version.trim() }
      } catch {
        // Not there, or without the package.
      }
    }
  }
  return undefined
}
