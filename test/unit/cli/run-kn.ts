import { execFile } from 'node:child_process'
import { join } from 'node:path'

export interface KnResult {
  exitCode: number
  stdout: string
  stderr: string
}

const root = join(import.meta.dirname, '..', '..', '..')

/** Runs the built program as a process of its own, with only this environment. */
export function runKn(argv: readonly string[], env: NodeJS.ProcessEnv, nodeArgs: readonly string[] = []): Promise<KnResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...nodeArgs, join(root, 'bin', 'run.js'), ...argv],
      { env: { PATH: process.env['PATH'], ...env }, cwd: root },
      (error, stdout, stderr) => resolve({ exitCode: typeof error?.code === 'number' ? error.code : error ? 1 : 0, stdout, stderr }),
    )
  })
}
