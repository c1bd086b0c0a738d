import type { Condition } from '../apimachinery/conditions.js'
import { readyCondition } from '../apimachinery/conditions.js'
import type { Kind } from '../apimachinery/kind.js'
import type { KubeObject, ObjectRef } from '../apimachinery/object.js'
import { StatusError } from '../apimachinery/status-error.js'
import type { Clock } from '../base/clock.js'
import { UserError } from '../base/user-error.js'
import type { Client } from './client.js'

export interface WaitOptions<T extends KubeObject> {
  client: Client
  kind: Kind<T>
  ref: ObjectRef
  /** Real time. */
  clock: Clock
  /** Gives up after this many seconds. */
  timeoutSeconds: number
  /** How many seconds the object may be not ready before that counts as a failure. */
  windowSeconds: number
  /** Called with each message of a Ready condition that is not True, and the milliseconds since the wait began. */
  onProgress?: (elapsedMs: number, message: string) => void
  /** Whether the object is in the state that is waited for to become ready; in any other it is passed over. All are unless given. */
  isCurrent?: (object: T) => boolean
}

/** Waits between two watches of which the first ended at once. */
const REWATCH_MS = 500

type WithConditions = KubeObject & { status?: { observedGeneration?: number; conditions?: readonly Condition[] } }

/**
 * Waits until an object is Ready at its present generation and resolves to it as it is then. The first look and the watch are one: the watch
 * begins at the version that was looked at, so that no change in between is missed. Throws a UserError `Reason: Message`
 * when the object stays not ready for the whole window, `timeout: …` when time is up, and the server's refusals.
 *
 * @see knative/client pkg/wait/wait_for_ready.go
 */
export async function waitForReady<T extends KubeObject>(options: WaitOptions<T>): Promise<T> {
  const { clock, kind, ref, timeoutSeconds } = options
  const startedMs = clock.now()
  const noun = kind.kind.toLowerCase()
  const judge = createJudge(options, startedMs)
  return within(
    options,
    () => new UserError({ code: 'wait-timeout', what: `timeout: ${noun} '${ref.name}' not ready after ${timeoutSeconds} seconds` }),
    judge.failed,
    async (signal) => {
      for (;;) {
        const roundMs = clock.now()
        const found = await options.client.get(kind, ref)
        if (judge.isReady(found)) return found
        try {
          for await (const object of changesOf(options, found.metadata.resourceVersion, signal)) {
            if (object === 'deleted') break
            if (judge.isReady(object)) return object
          }
        } catch (error) {
          // A watch may be refused for its age or cut off by a proxy; a forbidden one will not get better, so look again in a moment.
          if (signal.aborted || !(error instanceof StatusError || isCutOff(error))) throw error
        }
        signal.throwIfAborted()
        if (clock.now() - roundMs < REWATCH_MS) await clock.sleep(REWATCH_MS, signal)
      }
    },
  ).finally(judge.stop)
}

/**
 * Waits until an object is gone. `resourceVersion` is the object's before its deletion was asked for.
 * Throws a UserError `timeout: …` when time is up.
 */
export async function waitForDeletion<T extends KubeObject>(
  options: Omit<WaitOptions<T>, 'windowSeconds' | 'onProgress'> & { uid?: string | undefined },
): Promise<void> {
  const { client, clock, kind, ref, timeoutSeconds, uid } = options
  const noun = kind.kind.toLowerCase()
  await within(
    options,
    () => new UserError({ code: 'wait-timeout', what: `timeout: ${noun} '${ref.name}' not ready after ${timeoutSeconds} seconds` }),
    undefined,
    async (signal) => {
      for (;;) {
        const found = await client.find(kind, ref)
        if (!found || (uid !== undefined && found.metadata.uid !== uid)) return
        try {
          for await (const object of changesOf(options, found.metadata.resourceVersion, signal)) if (object === 'deleted') return
        } catch (error) {
          if (signal.aborted || !(error instanceof StatusError || isCutOff(error))) throw error
        }
        signal.throwIfAborted()
        await clock.sleep(REWATCH_MS, signal)
      }
    },
  )
}

/** Judges one state of the object after another, as kn does; `failed` rejects once Ready was False for the whole window. */
function createJudge<T extends KubeObject>(options: WaitOptions<T>, startedMs: number) {
  const { clock, kind, ref, windowSeconds, onProgress } = options
  let cancel: (() => void) | undefined
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  // Looked at by `within` alone; until then a rejection is not "unhandled".
  failed.catch(() => {})
  const stop = (): void => {
    cancel?.()
    cancel = undefined
  }
  const isReady = (object: T): boolean => {
    const { metadata, status } = object as WithConditions
    const ready = readyCondition(object as WithConditions)
    if (options.isCurrent && !options.isCurrent(object)) return false
    if (status?.observedGeneration === undefined || status.observedGeneration !== metadata.generation || !ready) return false
    if (ready.status === 'True') return true
    if (ready.status === 'False') {
      const { reason = '', message = '' } = causeOf(object as WithConditions, ready)
      cancel ??= clock.after(windowSeconds * 1000, () =>
        fail(
          new UserError({
            code: 'not-ready',
            what: `${reason}: ${message}`,
            remedies: [`kn ${kind.singular} describe ${ref.name}`, `kubectl describe ${kind.plural}.${kind.group} ${ref.name}`],
          }),
        ),
      )
    } else {
      stop()
    }
    if (ready.message) onProgress?.(clock.now() - startedMs, ready.message)
    return false
  }
  return { isReady, failed, stop }
}

/**
 * Of a Service whose Configuration failed, that is the cause, and the Route's complaint about the missing Revision its consequence.
 * On a cluster kn sees the cause by itself, since it is the first to show; here both come with one change.
 */
function causeOf({ status }: WithConditions, ready: Condition): Condition {
  return status?.conditions?.find((condition) => condition.type === 'ConfigurationsReady' && condition.status === 'False') ?? ready
}

async function* changesOf<T extends KubeObject>(
  { client, kind, ref }: Pick<WaitOptions<T>, 'client' | 'kind' | 'ref'>,
  resourceVersion: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<T | 'deleted'> {
  const watch = client.watch(kind, {
    namespace: ref.namespace,
    fieldSelector: `metadata.name=${ref.name}`,
    signal,
    ...(resourceVersion && { resourceVersion }),
  })
  for await (const event of watch) {
    if (event.type === 'ERROR')
      throw new StatusError({ code: event.object.code ?? 500, reason: event.object.reason ?? '', message: event.object.message ?? '' })
    if (event.type === 'DELETED') yield 'deleted'
    else if (event.type !== 'BOOKMARK') yield event.object
  }
}

async function within<R>(
  { clock, timeoutSeconds }: { clock: Clock; timeoutSeconds: number },
  timeout: () => Error,
  failed: Promise<never> | undefined,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const abort = new AbortController()
  let cancelTimeout: () => void = () => {}
  const expired = new Promise<never>((_, reject) => {
    cancelTimeout = clock.after(timeoutSeconds * 1000, () => reject(timeout()))
  })
  try {
    const working = work(abort.signal)
    // Once another one has won the race, aborting makes this one reject with nobody left to hear it.
    working.catch(() => {})
    return await Promise.race(failed ? [working, expired, failed] : [working, expired])
  } finally {
    cancelTimeout()
    abort.abort()
  }
}

function isCutOff(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '') || /unexpected EOF/.test(String(error))
}
