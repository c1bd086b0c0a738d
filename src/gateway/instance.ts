import type { ClientHttp2Session } from 'node:http2'
import type { ReadyAddress } from './endpoints.js'
import type { Upstream } from './upstream.js'

/** An HTTP/2 connection to an application, and how many streams are open on it. */
export interface Http2Connection {
  readonly session: ClientHttp2Session
  streams: number
}

/** One ready Pod of a revision or of a core Service, and what the gateway has open to it. */
export interface Instance extends ReadyAddress {
  /** Requests it is working on. */
  inFlight: number
  /** It has left the endpoints: what it works on may finish, nothing new comes, no connection is kept. */
  isGone: boolean
  /** Kept-alive HTTP/1.1 connections, the last used at the end. */
  readonly idle: Upstream[]
  /** HTTP/2 connections; the first with room takes the next stream. */
  readonly sessions: Http2Connection[]
}

export function createInstance({ key, podUid, podName, address, host, port }: ReadyAddress): Instance {
  return { key, podUid, podName, address, host, port, inFlight: 0, isGone: false, idle: [], sessions: [] }
}
