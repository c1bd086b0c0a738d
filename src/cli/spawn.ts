import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { isatty } from 'node:tty'
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

/** How a program ended: by itself, or by a signal. */
export type ProgramEnd = { exitCode: number; signal: undefined } | { exitCode: undefined; signal: NodeJS.Signals }

/**
 * Runs a program on our own streams and resolves to how it ended. Signals that reach us are handed on to it, but for the
 * terminal's own SIGINT, which it gets by itself. Rejects with a UserError, the system's error its cause, when it cannot be started.
 */
export function runAttached(words: readonly string[], env: NodeJS.ProcessEnv): Promise<ProgramEnd> {
  const [command = '', ...args] = words
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: 'inherit' })
    const isOnTerminal = isatty(0)
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    // The terminal sends SIGINT to the whole foreground group: the child has it already, and for some a second one means to stop cleaning up.
    const handOn = (signal: NodeJS.Signals): void => {
      if (signal !== 'SIGINT' || !isOnTerminal) child.kill(signal)
    }
    // Our own handlers would end us before the child has cleaned up.
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
      reject(new UserError({ code: 'cannot-run', what: `cannot run '${command}'`, why: error.message, cause: error }))
    })
    child.once('exit', (code, signal) => {
      restore()
      resolve(signal ? { exitCode: undefined, signal } : { exitCode: code ?? 1, signal: undefined })
    })
  })
}

/** The same, resolving to an exit code: 128 plus the signal's number when a signal ended the program, as shells count. */
export async function runInForeground(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { exitCode, signal } = await runAttached(words, env)
  return signal ? 128 + constants.signals[signal] : exitCode
}
