import { connect, type Socket } from 'node:net'
import type { Clock } from '../base/clock.js'
import { createDeadline, type Deadline, type Deadlines } from './deadlines.js'
import { hostPort } from './forwarded.js'
import type { Instance } from './instance.js'

/** Who uses a connection at the moment. */
export interface UpstreamUser {
  connected(): void
  /** False: the bytes are still needed when it returns, so their memory must not be read into again. */
  received(bytes: Buffer): boolean
  /** Whether the first `count` bytes of `memory` are the answer that came last once more; then that is all there is to do. */
  repeats(memory: Buffer, count: number): boolean
  /** What was written has gone out. */
  drained(): void
  /** The application ends its side of the connection. */
  finished(): void
  /** The connection is gone. `wasConnected` is false when it never came about. */
  failed(why: string, wasConnected: boolean): void
}

/** A connection to an instance. */
export interface Upstream {
  readonly socket: Socket
  readonly instance: Instance
  readonly deadline: Deadline
  user: UpstreamUser | undefined
  isConnected: boolean
  /** It has carried a request before, so the application may just be closing it. */
  isReused: boolean
  idleSinceMs: number
  /** The application closes it when it has been idle that long. */
  idleLimitMs: number
}

export interface UpstreamPool {
  /** A kept connection, or a new one that reports `connected` later. `needsFresh`: one that can hardly be about to close. */
  take(instance: Instance, user: UpstreamUser, needsFresh: 'kept' | 'recent' | 'new'): Upstream
  /** Keeps a connection whose last exchange ended cleanly. */
  give(upstream: Upstream, keepAliveSeconds: number): void
  drop(upstream: Upstream): void
  /** Closes what is kept for an instance that is gone. */
  closeIdle(instance: Instance): void
  stop(): void
}

/** Servers close idle connections after some seconds, Node's after 5: one that is closed earlier by us can lose no request. */
const IDLE_LIMIT_MS = 4000
/** A request that cannot be sent twice goes only on a connection that was in use so shortly ago, or on a new one. */
const RECENT_MS = 1000
const MAX_IDLE_PER_INSTANCE = 1000
/** What is read at once: a big answer in few steps, from memory that is used again once the client's socket has taken it. */
const READ_BYTES = 128 * 1024
/** So little is cheaper to copy than to follow. */
const COPIED_BYTES = 4096

/** Connections to the instances, kept alive and used last in, first out. */
export function createUpstreamPool(deps: { clock: Clock; deadlines: Deadlines }): UpstreamPool {
  const { clock, deadlines } = deps
  const all = new Set<Upstream>()

  const forget = (upstream: Upstream): void => {
    all.delete(upstream)
    deadlines.disarm(upstream.deadline)
    const { idle } = upstream.instance
    const at = idle.indexOf(upstream)
    if (at !== -1) idle.splice(at, 1)
  }
  const drop = (upstream: Upstream): void => {
    upstream.user = undefined
    forget(upstream)
    upstream.socket.destroy()
  }

  const open = (instance: Instance, user: UpstreamUser): Upstream => {
    let scratch = Buffer.allocUnsafeSlow(READ_BYTES)
    let isKept = false
    const receive = (bytes: Buffer): boolean => {
      if (upstream.user) return upstream.user.received(bytes)
      // An answer to nothing: whatever it is, it must not become the answer to the next request.
      drop(upstream)
      return true
    }
    const socket = connect({
      host: instance.host,
      port: instance.port,
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer() {
          if (isKept) scratch = Buffer.allocUnsafeSlow(READ_BYTES)
          isKept = false
          return scratch
        },
        callback(count) {
          if (count > COPIED_BYTES) isKept = !receive(scratch.subarray(0, count))
          else if (!upstream.user?.repeats(scratch, count)) receive(Buffer.from(scratch.subarray(0, count)))
          return true
        },
      },
    })
    const upstream: Upstream = {
      socket,
      instance,
      deadline: createDeadline(() => drop(upstream)),
      user,
      isConnected: false,
      isReused: false,
      idleSinceMs: 0,
      idleLimitMs: IDLE_LIMIT_MS,
    }
    all.add(upstream)
    let why = 'EOF'
    socket.on('connect', () => {
      upstream.isConnected = true
      upstream.user?.connected()
    })
    socket.on('drain', () => upstream.user?.drained())
    socket.on('end', () => {
      if (upstream.user) upstream.user.finished()
      else drop(upstream)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      why = sentenceFor(error, instance, upstream.isConnected)
    })
    socket.on('close', () => {
      const { user } = upstream
      upstream.user = undefined
      forget(upstream)
      user?.failed(why, upstream.isConnected)
    })
    return upstream
  }

  return {
    take(instance, user, needsFresh) {
      if (needsFresh !== 'new') {
        const nowMs = clock.now()
        for (let upstream = instance.idle.pop(); upstream; upstream = instance.idle.pop()) {
          deadlines.disarm(upstream.deadline)
          const idleMs = nowMs - upstream.idleSinceMs
          const isFresh = idleMs < upstream.idleLimitMs && (needsFresh === 'kept' || idleMs < RECENT_MS)
          if (isFresh && !upstream.socket.destroyed && upstream.socket.writable && upstream.socket.readableLength === 0) {
            upstream.user = user
            upstream.isReused = true
            return upstream
          }
          drop(upstream)
        }
      }
      return open(instance, user)
    },
    give(upstream, keepAliveSeconds) {
      upstream.user = undefined
      const { instance, socket } = upstream
      if (keepAliveSeconds >= 0) upstream.idleLimitMs = Math.min(IDLE_LIMIT_MS, keepAliveSeconds * 1000 - RECENT_MS)
      const isSpent = socket.destroyed || !socket.writable || socket.readableEnded || socket.readableLength > 0
      if (isSpent || instance.isGone || upstream.idleLimitMs <= 0 || instance.idle.length >= MAX_IDLE_PER_INSTANCE) return drop(upstream)
      if (socket.isPaused()) socket.resume()
      upstream.idleSinceMs = clock.now()
      instance.idle.push(upstream)
      deadlines.arm(upstream.deadline, upstream.idleSinceMs + upstream.idleLimitMs)
    },
    drop,
    closeIdle(instance) {
      for (const upstream of instance.idle.splice(0)) drop(upstream)
    },
    stop() {
      for (const upstream of [...all]) drop(upstream)
    },
  }
}

/** As Go's net package says it, since that is what a queue-proxy answers with. */
export function sentenceFor(error: NodeJS.ErrnoException, { host, port }: Pick<Instance, 'host' | 'port'>, wasConnected: boolean): string {
  const address = hostPort(host, port)
  const reasons: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'connection reset by peer',
    EPIPE: 'broken pipe',
    ETIMEDOUT: 'connection timed out',
  }
  const reason = reasons[error.code ?? ''] ?? error.message
  return wasConnected ? `read tcp ${address}: ${reason}` : `dial tcp ${address}: connect: ${reason}`
}
