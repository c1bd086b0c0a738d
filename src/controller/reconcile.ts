import type { Kind } from '../apimachinery/kind.js'
import type { KubeObject, ObjectRef } from '../apimachinery/object.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import type { Client } from '../client/client.js'
import type { Informer } from '../client/informer.js'

/**
 * Brings the world one step closer to what an object asks for. Level-triggered: it reads everything anew, never asks
 * which event woke it, and running it twice changes nothing. What is merely absent is a condition; it throws only what
 * another try may cure (the manager then retries with backoff).
 */
export type Reconcile<T extends KubeObject> = (object: T) => Promise<Outcome<T>>

export interface Outcome<T extends KubeObject> {
  /** The whole status that is now true; written by the manager only when it differs. Absent: leave it as it is. */
  status?: StatusOf<T> | undefined
  /** For what only time can change, in milliseconds of the virtual clock. */
  requeueAfterMs?: number | undefined
}

export type StatusOf<T> = T extends { status?: infer S } ? NonNullable<S> : never

/** What a controller of a kind is made of; listed in src/kinds/index.ts. */
export interface Controller<T extends KubeObject = KubeObject> {
  kind: Kind<T>
  /** User name of the ServiceAccount this controller has in Knative or Kubernetes: `system:serviceaccount:knative-serving:controller`. */
  actsAs: string
  /** Objects of other kinds whose changes wake objects of this one. Owned children need no entry here but in `owns`. */
  wokenBy?: readonly Wake[]
  /** Kinds of children: a change of one wakes its controlling owner of this kind. */
  owns?: readonly Kind[]
  /** How many objects of this kind are reconciled at the same time; default 8. One object never by two. */
  concurrency?: number
  create(deps: ReconcilerDeps): Reconcile<T>
}

export interface Wake {
  kind: Kind
  /** Which objects of the controller's kind a change of `object` concerns. `all` lists the controller's kind. */
  wakes(object: KubeObject, all: Informer<KubeObject>): readonly ObjectRef[]
}

/** What every reconciler may use; each picks what it needs. Kinds with an engine of their own get it from the registry. */
export interface ReconcilerDeps {
  client: Client
  /** The virtual domain: grace, retention, deadlines, conditions. */
  clock: Clock
  random: Random
  log: Logger
  /** The local cache of a kind, already synced. Cheap; prefer it for lists. */
  informer<T extends KubeObject>(kind: Kind<T>): Informer<T>
  /** `data` of a ConfigMap as it is now ({} when there is none). Live: read it in each reconcile. */
  configMap(namespace: string, name: string): Readonly<Record<string, string>>
  /** Records a Kubernetes Event about an object; equal ones are counted up. Never throws. */
  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void
}
