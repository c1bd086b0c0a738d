import { createVirtualClock } from '../../../src/base/clock.js'
import type { Sink, World } from '../../../src/cli/world.js'

export interface TestSink extends Sink {
  text: string
}

export function aSink({ isTerminal = false, columns }: { isTerminal?: boolean; columns?: number } = {}): TestSink {
  return {
    text: '',
    isTerminal,
    columns,
    write(text) {
      this.text += text
    },
  }
}

export type TestWorld = World & { stdout: TestSink; stderr: TestSink }

/** Surroundings for a program that is run inside a test: nothing of the real ones, except the home directory given. */
export function aWorld({
  env = {},
  home = '/nonexistent',
  isTerminal = false,
}: {
  env?: NodeJS.ProcessEnv
  home?: string
  isTerminal?: boolean
} = {}): TestWorld {
  return {
    bin: 'kn',
    env,
    home,
    stdout: aSink({ isTerminal }),
    stderr: aSink({ isTerminal }),
    clock: createVirtualClock(),
    readStdin: async () => '',
  }
}
