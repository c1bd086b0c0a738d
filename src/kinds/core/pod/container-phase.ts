import type { RunningContainer } from '../../../runtime/runtime.js'
import type { ContainerState } from './schema.js'

export type Terminated = NonNullable<ContainerState['terminated']>

/** What a container does at the moment. */
export type Phase =
  | { is: 'waiting'; reason: string; message?: string; untilMs: number }
  /** It has ended and will be started again. What it ended with is told before that it waits. */
  | { is: 'restarting'; terminated: Terminated; untilMs: number; isTold: boolean }
  | { is: 'starting'; shown: ContainerState }
  | { is: 'running'; running: RunningContainer; startedAt: string; image: string }
  | { is: 'ended'; terminated: Terminated }

export function stateOf(phase: Phase): ContainerState {
  switch (phase.is) {
    case 'waiting':
      return { waiting: { reason: phase.reason, ...(phase.message && { message: phase.message }) } }
    case 'starting':
      return phase.shown
    case 'restarting':
      return { terminated: phase.terminated }
    case 'running':
      return { running: { startedAt: phase.startedAt } }
    case 'ended':
      return { terminated: phase.terminated }
  }
}
