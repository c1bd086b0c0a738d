import type { Destination } from '../apimachinery/destination.js'
import type { Kind } from '../apimachinery/kind.js'
import type { KubeObject, ObjectRef } from '../apimachinery/object.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import type { Client } from '../client/client.js'
import type { Informer } from '../client/informer.js'
import type { Resolution } from './resolve-uri.js'
import type { ObjectReference, Tracked } from './tracker.js'

/**
 * Brings the world one step closer to what an object asks for. Level-triggered: it reads everything anew, never asks
 * which event woke it, and running it twice changes nothing. What is merely absent is a condition; it throws only what
 * another try may cure (the manager then retries with backoff).
 */
export type Reconcile<T extends KubeObject> = ReconcileMethod<T>['reconcile']

/** A method, so that controllers of any kinds can stand in one list (the compiler compares methods leniently). */
interface ReconcileMethod<T extends KubeObject> {
  reconcile(object: T): Promise<Outcome<T>>
}

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
  /**
   * Also reconciles objects that are being deleted. Without it the manager passes on only those that still carry the
   * finalizer named after the kind (`routes.serving.knative.dev`), as Knative's reconcilers name theirs.
   */
  reconcilesDeleted?: true
  /** A request that is held may be waiting for what it does, or even for what its status says: these come before all else. */
  awaited?: 'work' | 'work and status'
  /** `source` of the Events it records; absent: `<singular>-controller`. */
  eventSource?: EventSource
  create(deps: ReconcilerDeps): Reconcile<T>
}

/** Who says so: `{ component: 'kubelet', host: 'kn-local' }`. */
export interface EventSource {
  component: string
  host?: string
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
  /** The local cache of a kind, already synced when asked for in `create`. Cheap; prefer it for lists. */
  informer<T extends KubeObject>(kind: Kind<T>): Informer<T>
  /** `data` of a ConfigMap as it is now ({} when there is none). Live: read it in each reconcile. */
  configMap(namespace: string, name: string): Readonly<Record<string, string>>
  /**
   * Finds an object of any kind that is served, user-defined ones included; `by`, an object of this controller's kind, is reconciled
   * again when it changes, comes or goes. Counts until the end of `by`'s next reconcile: ask anew each time.
   */
  track(reference: ObjectReference, by: ObjectRef): Promise<Tracked>
  /** Finds the address of a sink; the referrer, an object of this controller's kind, is reconciled again when that changes. */
  resolveUri(destination: Destination | undefined, referrer: KubeObject): Promise<Resolution>
  /** Records a Kubernetes Event about an object; equal ones are counted up. Never throws. */
  event(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string, detail?: EventDetail): void
  /** Reconciles an object of this controller's kind soon: for what no watch tells, such as the end of a process. */
  wake(ref: ObjectRef): void
  /** Names work that goes on after a reconcile returned (a process being started): `settled` waits for it. */
  busy(work: Promise<unknown>): void
  /** Aborted when the manager stops: whatever a controller keeps going beside its reconciles ends then. */
  stopped: AbortSignal
}

export interface EventDetail {
  /** Another source than the controller's own. */
  source?: EventSource
  /** The part of the object that is meant: `spec.containers{user-container}`. */
  fieldPath?: string
}
