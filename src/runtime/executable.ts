import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { StartError } from './runtime.js'

/**
 * The file a command stands for: looked up on the workload's own PATH, or relative to its working directory when it has a slash.
 * Throws a StartError in the words of a container runtime.
 *
 * @see opencontainers/runc 1.3 libcontainer/standard_init_linux.go; Go os/exec LookPath
 */
export function findExecutable(command: string, options: { path: string; workingDir: string }): string {
  if (command.includes('/')) {
    const file = resolve(options.workingDir, command)
    const problem = whyNotExecutable(file)
    if (problem) throw new StartError('RunContainerError', `exec: ${JSON.stringify(command)}: ${problem.replace('%s', command)}`)
    return file
  }
  for (const directory of options.path.split(':')) {
    // Go refuses programs found through a relative entry of PATH; an empty entry means the current directory.
    if (!isAbsolute(directory)) continue
    const file = join(directory, command)
    if (command !== '' && whyNotExecutable(file) === undefined) return file
  }
  throw new StartError('RunContainerError', `exec: ${JSON.stringify(command)}: executable file not found in $PATH`)
}

function whyNotExecutable(file: string): string | undefined {
  try {
    if (statSync(file).isDirectory()) return 'is a directory'
    accessSync(file, constants.X_OK)
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'stat %s: no such file or directory'
    return 'permission denied'
  }
}
