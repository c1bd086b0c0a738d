import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { UserError } from '../base/user-error.js'
import type { ProgramResult, ProgramRun } from '../client/exec-credential.js'

/** Runs a program and takes what it writes on standard output; its standard error, and on request our terminal, are its own too. */
export function runProgramForOutput({ command, args, env, interactive }: ProgramRun): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'inherit'] })
    let stdout = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.once('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? resolve({ notFound: true }) : reject(error)))
    child.once('close', (code) => resolve({ exitCode: code ?? 1, stdout }))
  })
}

/**
 * Runs a program on our own streams and resolves to its exit code; 128 plus the signal's number when a signal ended it, as shells
 * count. Signals that reach us are handed on to it. Rejects with a UserError when it cannot be started.
 */
export function runInForeground(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [command = '', ...args] = words
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'inherit' })
    const handOn = (signal: NodeJS.Signals): void => void child.kill(signal)
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    // The terminal sends SIGINT to the whole foreground group; our own handler would end us before the child has cleaned up.
    const displaced = signals.map((signal) => [signal, process.listeners(signal)] as const)
    for (const signal of signals) process.removeAllListeners(signal).on(signal, handOn)
    const restore = (): void => {
      for (const [signal, listeners] of displaced) {
        process.removeAllListeners(signal)
        for (const listener of listeners) process.on(signal, listener as NodeJS.SignalsListener)
      }
    }
    child.once('error', (error) => {
      restore()
      reject(new UserError({ code: 'cannot-run', what: `cannot run '${command}'`, why: error.message }))
    })
    child.once('exit', (code, signal) => {
      restore()
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0))
    })
  })
}
