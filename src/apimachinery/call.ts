import type { Identity } from './kind.js'
import type { KubeObject } from './object.js'
import type { Status } from './status-error.js'

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

export type PatchType =
  | 'application/json-patch+json'
  | 'application/merge-patch+json'
  | 'application/strategic-merge-patch+json'
  | 'application/apply-patch+yaml'

/** Query parameters and DeleteOptions, decoded; absent means not given. */
export interface CallOptions {
  labelSelector?: string
  fieldSelector?: string
  resourceVersion?: string
  resourceVersionMatch?: string
  limit?: number
  continue?: string
  allowWatchBookmarks?: boolean
  sendInitialEvents?: boolean
  timeoutSeconds?: number
  dryRun?: boolean
  fieldManager?: string
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore'
  force?: boolean
  gracePeriodSeconds?: number
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  preconditions?: { uid?: string; resourceVersion?: string }
}

/**
 * One call on the API, above HTTP: what the HTTP listener decodes and what in-process clients make directly.
 * The server never keeps or changes `object`; what it answers is immutable and shared.
 */
export interface ApiCall {
  user: Identity
  verb: Verb
  group: string
  version: string
  plural: string
  subresource?: string
  namespace?: string
  name?: string
  /** Body of create and update, and of subresources such as scale. */
  object?: unknown
  patch?: { type: PatchType; body: unknown }
  options?: CallOptions
  /** For fieldManager when none is given: the User-Agent up to its first slash. */
  userAgent?: string
  /**
   * Set for callers that have to be allowed what they ask for, asked where a call turns out to need another verb (a PUT that
   * creates). Throws 403.
   */
  requireVerb?(verb: Verb): void
  /** Findings of decoding (duplicate or unknown keys) that fieldValidation judges. */
  decodingProblems?: readonly string[]
}

export interface ObjectList {
  kind: string
  apiVersion: string
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  items: readonly KubeObject[]
}

export interface ApiAnswer {
  /** 200 or 201. */
  code: number
  object: KubeObject | ObjectList | Status
  warnings: readonly string[]
}

/** BOOKMARK objects carry metadata.resourceVersion only; ERROR carries a Status. */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: T }
  | { type: 'ERROR'; object: Status }

/**
 * Header of an answer by a server whose time is not its machine's (an emulator whose clock was stopped or moved): what time
 * it is there, in milliseconds since 1970. kn measures ages by it.
 */
export const SERVER_TIME_HEADER = 'kn-local-time'

/** Ends a watch; no event is delivered afterwards. */
export type StopWatch = () => void

/**
 * Anything that answers API calls: the server itself, or HTTPS to one. Both throw StatusError for a refusal.
 * `watch` delivers events in order, then calls `onEnd` once (with the error, if one ended it) unless it was stopped.
 */
export interface Transport {
  call(call: ApiCall): Promise<ApiAnswer>
  watch(call: ApiCall, onEvent: (event: WatchEvent) => void, onEnd: (error?: unknown) => void): StopWatch
}
