import type { Readable } from 'node:stream'
import type { Cancel, Clock } from '../base/clock.js'

/** A request that is answered inside the emulator, by whichever protocol it came. Header names are in lower case. */
export interface InsideRequest {
  readonly method: string
  readonly path: string
  /** With port, as it came. */
  readonly host: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Readable
  respond(status: number, headers: readonly [name: string, value: string][], isLast: boolean): void
  /** After `respond`, when that was not the last. */
  readonly out: { write(bytes: Buffer): unknown }
  finish(trailers: readonly []): void
  /** Breaks off without an answer. */
  abort(): void
  /** Calls back when nobody waits for an answer any more, also after there was one. */
  onGone(listener: () => void): void
}

export type InsideHandler = (request: InsideRequest) => void

/** An answer. Bodies are empty in nearly all of them. */
export interface InsideAnswer {
  readonly status: number
  readonly headers?: readonly [name: string, value: string][]
  readonly body?: Buffer
}

/** A request is read within this, in real milliseconds. @see knative/eventing v1.22 pkg/kncloudevents/message_receiver.go, ReadTimeout */
const READ_LIMIT_MS = 10_000
/** Longer events are refused, in bytes: each is kept whole, in memory and in the log. Knative has no limit of its own. */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024

/** The body of a request; undefined when it is too long, or did not come in time or not whole. */
export function bodyOf(request: InsideRequest, clock: Clock): Promise<Buffer | 'too long' | 'broken'> {
  const { body } = request
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const cancel: Cancel = clock.after(READ_LIMIT_MS, () => end('broken'))
    const end = (result: Buffer | 'too long' | 'broken'): void => {
      cancel()
      body.off('data', onData)
      resolve(result)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= MAX_EVENT_BYTES) return void chunks.push(chunk)
      end('too long')
      // What still comes is thrown away, so that the client gets to read the answer.
      body.resume()
    }
    body.on('data', onData)
    body.on('end', () => end(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    body.on('error', () => end('broken'))
    body.on('close', () => end('broken'))
  })
}

export function answer(request: InsideRequest, { status, headers = [], body }: InsideAnswer): void {
  const all: [string, string][] = [...headers, ['content-length', String(body?.length ?? 0)]]
  const hasBody = body !== undefined && body.length > 0 && request.method !== 'HEAD'
  request.respond(status, all, !hasBody)
  if (!hasBody) return
  request.out.write(body)
  request.finish([])
}

export function headerOf({ headers }: InsideRequest, name: string): string | undefined {
  return headers.find((header) => header[0] === name)?.[1]
}

/** Kubernetes' probes are answered on any path. @see knative.dev/pkg network/handlers/drain.go */
export function isProbe(request: InsideRequest): boolean {
  return headerOf(request, 'user-agent')?.startsWith('kube-probe/') ?? false
}
