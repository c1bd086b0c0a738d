import type { Readable, Writable } from 'node:stream'

/** How one container of a Pod runs: as a child process (process.ts) or, where an engine is present, in a container. */

/** What an image is on this machine. */
export interface RunnableImage {
  /** Fully qualified, without tag: `ghcr.io/knative/helloworld-go`, `docker.io/library/busybox`. */
  repository: string
  /** `sha256:<64 hex>`; the same program always has the same digest. */
  digest: string
  /** The image's own entrypoint and arguments: a container's command replaces the first, its args the second. */
  entrypoint: readonly string[]
  args: readonly string[]
  env: Readonly<Record<string, string>>
  workingDir?: string
  /** Its entrypoint is a program of this package. */
  isOwnProgram?: boolean
}

/** Finds what an image reference (name, name:tag, name@digest) means here. */
export interface ImageResolver {
  /** The image, or the sentence that says why there is none and what would help. Never throws for an unknown image. */
  resolve(reference: string): Promise<{ image: RunnableImage } | { problem: string }>
}

export interface ContainerRequest {
  pod: { namespace: string; name: string; uid: string }
  container: string
  /** 0 for the first start, then one more per restart; each has a log of its own. */
  attempt: number
  image: RunnableImage
  /** Replaces the image's entrypoint when present. */
  command?: readonly string[]
  /** Replaces the image's arguments; absent with a command present: none. */
  args?: readonly string[]
  /** The container's whole environment but for what the runtime adds (PATH, HOME, TMPDIR and the instance's marker). */
  env: Readonly<Record<string, string>>
  workingDir?: string
  /** Whether it can be written to by whoever attaches; otherwise its input is at its end. `once`: until the first of them has nothing more. */
  stdin?: 'once' | 'always'
  /** A terminal for it, which has one output. */
  tty?: boolean
}

export interface ContainerExit {
  /** 128 + signal number when a signal ended it, as a kubelet reports it. */
  exitCode: number
  signal?: string
  finishedAtMs: number
}

export interface RunningContainer {
  /** `process://<pid>-<start>`; shown as containerID. */
  id: string
  pid: number
  startedAtMs: number
  /** Resolves when the process has ended, however it ended; never rejects. */
  exited: Promise<ContainerExit>
  /** SIGTERM to its process group, SIGKILL after `graceMs` of real time; resolves when it has ended. */
  stop(graceMs: number): Promise<void>
  /** Runs a command beside it, with its environment and working directory, for exec probes. Never rejects. */
  exec?(command: readonly string[], timeoutMs: number): Promise<ExecResult>
  /** The same for someone who talks to it (`kubectl exec`). Rejects with a StartError where it cannot be started. */
  open?(command: readonly string[], how: { tty: boolean; stdin: boolean }): Promise<InteractiveProcess>
  /** Its own streams (`kubectl attach`). */
  attach?(): Attachment
}

/** The streams of a container, for someone who attaches. */
export interface Attachment {
  /** Undefined where it was started without. */
  stdin: Writable | undefined
  /** Whether it ends when the one who is attached says nothing more. */
  stdinOnce: boolean
  /** Everything that it writes from now on; whoever cannot take it must drop it. Returns what ends this. */
  onOutput(listener: (stream: 'stdout' | 'stderr', bytes: Buffer) => void): () => void
  /** The size of its terminal, in characters; nothing happens without one. */
  resize(columns: number, rows: number): void
  exited: Promise<ContainerExit>
}

/** A command beside a container, with its streams. Whoever opened it ends it, by `kill` if need be. */
export interface InteractiveProcess {
  /** Undefined where it was started without. */
  stdin: Writable | undefined
  stdout: Readable
  /** Says nothing with a terminal, which has one output only. */
  stderr: Readable
  /** Resolves when the process has ended, however it ended; its output may go on a little. Never rejects. */
  exited: Promise<ContainerExit>
  /** The size of its terminal, in characters; nothing happens without one. */
  resize(columns: number, rows: number): void
  /** SIGKILL to its process group. */
  kill(): void
}

export interface ExecResult {
  /** 126 when the command cannot be started; 137 when it was killed because it took too long. */
  exitCode: number
  /** stdout and stderr together, at most 10 KiB; why, when the command did not start or took too long. */
  output: string
}

export interface LogOptions {
  follow?: boolean
  tailLines?: number
  sinceMs?: number
  limitBytes?: number
  timestamps?: boolean
  signal?: AbortSignal
}

export interface Runtime {
  /** Throws a StartError when the program cannot be started at all (missing executable, no permission). */
  start(request: ContainerRequest): Promise<RunningContainer>
  /** The container of a Pod that runs now; undefined when none does. */
  running(podUid: string, container: string): RunningContainer | undefined
  /** A loopback port that is free now. */
  freePort(): Promise<number>
  /** Lines of one attempt's log (stdout and stderr together, in order), oldest first; undefined when there is none. */
  logs(which: { podUid: string; container: string; attempt: number }, options: LogOptions): AsyncIterable<string> | undefined
  /** The end of an attempt's log, for a termination message: at most `bytes` and 80 lines. */
  logTail(which: { podUid: string; container: string; attempt: number }, bytes: number): string
  /**
   * Begins the log of a container that is no process; it is bounded as any other. Returns what ends it, for those who follow it
   * too. Never throws: a log that cannot be kept is empty.
   */
  openLog(which: { podUid: string; container: string; attempt: number }): () => void
  /** Adds whole lines, each with its line end, to the log that `openLog` began for this container; dropped when there is none. */
  appendLog(podUid: string, container: string, lines: string): void
  /** Forgets a Pod: its logs and temporary directory. Call once its containers have ended. */
  forget(podUid: string): void
  /** Ends everything at once and waits for it. */
  stop(graceMs: number): Promise<void>
}

/** The container could not be started: `reason` is what a kubelet puts in state.waiting.reason. */
export class StartError extends Error {
  readonly reason: 'CreateContainerError' | 'RunContainerError' | 'CreateContainerConfigError'
  constructor(reason: StartError['reason'], message: string) {
    super(message)
    this.name = 'StartError'
    this.reason = reason
  }
}
