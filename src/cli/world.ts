import { type Clock, createSystemClock } from '../base/clock.js'

/** Somewhere text goes at once, in order. */
export interface Sink {
  write(text: string): void
  readonly isTerminal: boolean
  /** Width of the terminal in characters; undefined when there is none. */
  readonly columns: number | undefined
}

/** What a command line program has around it, as plain values, so that a test can run a whole command in its own process. */
export interface World {
  /** The name this program was called by; used in usage lines and hints, as kn does. */
  readonly bin: string
  readonly env: NodeJS.ProcessEnv
  /** The user's home directory. */
  readonly home: string
  readonly stdout: Sink
  readonly stderr: Sink
  /** Real time. */
  readonly clock: Clock
  /** All of standard input, as text. Read only where a flag asked for it. */
  readStdin(): Promise<string>
}

/** The reader of our output has gone (`kn service list | head -1`): no error, there is just nobody left to tell. */
export class OutputClosed extends Error {}

/** The process's own surroundings. */
export function processWorld(): World {
  const { argv, env } = process
  return {
    bin: binName(argv[1]),
    env,
    get home() {
      return env['HOME'] || homeFromSystem()
    },
    stdout: descriptorSink(1, () => process.stdout),
    stderr: descriptorSink(2, () => process.stderr),
    clock: createSystemClock(),
    readStdin: async () => {
      let text = ''
      process.stdin.setEncoding('utf8')
      for await (const chunk of process.stdin) text += chunk
      return text
    },
  }
}

/** kn calls itself by the basename of what was run; run from a script file (`node bin/run.js`), it is `kn`. */
function binName(path: string | undefined): string {
  const base = (path ?? '').split('/').pop() ?? ''
  return base === '' || /\.[cm]?[jt]s$/.test(base) ? 'kn' : base
}

function homeFromSystem(): string {
  return (process.getBuiltinModule('node:os') as typeof import('node:os')).homedir()
}

/**
 * Writes to the descriptor itself: `process.stdout` alone costs a tenth of what a whole `kn version` may take, and nothing is
 * lost when the process exits while a pipe is full.
 */
function descriptorSink(descriptor: 1 | 2, stream: () => NodeJS.WriteStream): Sink {
  const fs = process.getBuiltinModule('node:fs') as typeof import('node:fs')
  let terminal: boolean | undefined
  const isTerminal = (): boolean => {
    terminal ??= isCharacterDevice(fs, descriptor) && (process.getBuiltinModule('node:tty') as typeof import('node:tty')).isatty(descriptor)
    return terminal
  }
  return {
    get isTerminal() {
      return isTerminal()
    },
    get columns() {
      return isTerminal() ? stream().columns : undefined
    },
    write(text) {
      const bytes = Buffer.from(text)
      for (let offset = 0; offset < bytes.length; ) {
        try {
          offset += fs.writeSync(descriptor, bytes, offset)
        } catch (error) {
          const { code } = error as NodeJS.ErrnoException
          if (code === 'EPIPE') throw new OutputClosed('nobody reads this output any more')
          // A pipe that someone else made non-blocking is full: wait a moment for its reader.
          if (code !== 'EAGAIN') throw error
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2)
        }
      }
    },
  }
}

function isCharacterDevice(fs: typeof import('node:fs'), descriptor: number): boolean {
  try {
    return fs.fstatSync(descriptor).isCharacterDevice()
  } catch {
    return false
  }
}
