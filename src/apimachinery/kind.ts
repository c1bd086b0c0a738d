import type { FieldError } from './field-error.js'
import type { KubeObject, LabelSelector, ObjectRef } from './object.js'
import type { Schema } from './schema.js'
import type { Requirement } from './selectors.js'
import type { Cause } from './status-error.js'

/** A column of `kubectl get`. Exactly one of `jsonPath` (kubectl's dot form) and `cell` says what stands in it. */
export interface Column {
  name: string
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  format?: 'name' | ''
  description?: string
  /** 0 (the default) is always shown, 1 with `-o wide`. */
  priority?: number
  jsonPath?: string
  /** For built-in kinds whose cells no path can express; `nowMs` is for ages. Returns what is printed. */
  cell?: (object: never, nowMs: number) => string | number | boolean | null
}

/** The names of a kind and how it is listed: all a client needs. Light, since the command line loads it. */
export interface Kind<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  group: string
  version: string
  kind: string
  plural: string
  singular: string
  /** Of lists; absent: the kind with `List` behind it. */
  listKind?: string
  shortNames?: readonly string[]
  categories?: readonly string[]
  namespaced: boolean
  /** Subresources it is served with. A kind with `status` ignores status on the main path. */
  status?: boolean
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  /** After Name; Age is listed too where the kind shows one. Absent: Age alone. */
  columns?: readonly Column[]
  /** Labels that its CustomResourceDefinition carries, such as duck.knative.dev/addressable. */
  definitionLabels?: Readonly<Record<string, string>>
  /** Carries the type only; never set. */
  readonly typeOfObject?: T
}

/** Who asks. In-process clients carry one too. */
export interface Identity {
  name: string
  uid?: string
  groups: readonly string[]
  extra?: Readonly<Record<string, readonly string[]>>
}

/** What defaulting and validation may know besides the object. */
export interface AdmissionContext<T extends KubeObject = KubeObject> {
  operation: 'CREATE' | 'UPDATE'
  /** '' on the main path, else 'status' or 'scale'. */
  subresource: string
  /** The stored object, on UPDATE. */
  old?: T | undefined
  user: Identity
  /** Milliseconds since 1970 on the emulator's virtual clock. */
  nowMs: number
  dryRun: boolean
  /** Objects of another kind as they are stored now, for allocation and reference checks. */
  find<U extends KubeObject>(kind: Kind<U>, ref: ObjectRef): U | undefined
  list<U extends KubeObject>(kind: Kind<U>, namespace?: string): readonly U[]
  /** `data` of a ConfigMap, {} when there is none. */
  configMap(namespace: string, name: string): Readonly<Record<string, string>>
  /** Whether RBAC lets the user do something else than what they are doing. */
  isAllowed(wanted: { verb: string; group: string; resource: string; namespace?: string | undefined; name?: string }): boolean
  /** Adds a `Warning:` header to the answer. */
  warn(text: string): void
}

/** How a kind is served: what the registry (src/kinds/index.ts) hands to the API server. */
export interface ServedKind<T extends KubeObject = KubeObject> {
  kind: Kind<T>
  /** Structural OpenAPI v3 schema of the whole object (metadata is left out: every kind has the same). */
  schema: Schema
  /**
   * Rules of a built-in kind, or of a custom resource beyond its schema, told as the API server tells them (422 Invalid).
   * `defaults` and `prepare` change the draft in place; `prepare` sees the stored objects and may allocate (IPs, ports).
   */
  defaults?(draft: T, context: AdmissionContext<T>): void
  validate?(object: T, context: AdmissionContext<T>): readonly Cause[]
  /** Knative's own webhooks, told as they tell it (400, `admission webhook "…" denied the request: validation failed: …`). */
  webhook?: {
    /** Host part of the webhook's name: `validation.webhook.serving.knative.dev`. */
    validationName: string
    defaults?(draft: T, context: AdmissionContext<T>): void
    validate?(object: T, context: AdmissionContext<T>): FieldError | undefined
  }
  /** Holds an object against its schema on every path, the status included; absent: checkSchema alone. */
  check?(object: T, context: AdmissionContext<T>): readonly Cause[]
  /** Allocates what must be unique (nodePort, clusterIP) once validation passed; last step before the store. */
  prepare?(draft: T, context: AdmissionContext<T>): void
  /**
   * Makes what a stored object asks for come true before its writer is answered: for what the writer's next step counts on.
   * Called after every accepted write of the object (not of its status, not dry), also one that changed nothing. The answer is
   * what it resolves to; what it throws is answered too, and the object stays written.
   */
  carryOut?(object: T): Promise<{ object: T; warnings: readonly string[] }>
  /** Fills in what only the moment of asking knows, in answers to get and list; watches show what is stored. */
  live?(object: T): T
  /**
   * What an object becomes when its deletion is asked for the first time, given it as it is marked. Throws a StatusError where
   * it may not be deleted.
   */
  onDelete?(marked: T, context: { user: Identity; nowMs: number }): T
  /** Extra field selectors beyond metadata.name and metadata.namespace: label to value. */
  fieldSelectors?: Readonly<Record<string, KindRules<T>['fieldValue']>>
  /** Seconds of grace a deletion gives when the caller names none; undefined or absent deletes at once. Pods have one. */
  gracePeriodSeconds?(object: T): number | undefined
  /** Whether an update counts as a new generation; absent: any change outside metadata and status. `false`: the kind has no generation. */
  generation?: false | KindRules<T>['isNewGeneration']
  /** Whether PUT creates what is missing (leases, endpoints, events …). */
  createsOnUpdate?: boolean
  /** Whether a PUT may leave out resourceVersion; custom resources may not. */
  unconditionalUpdate?: boolean
  /** Answers DELETE with the object rather than a Status, as pods, services and service accounts do. */
  deleteReturnsObject?: boolean
  /** Dependents stay where a deletion does not say what becomes of them, as they did in old versions; a text is a warning then. */
  orphansByDefault?: true | string
  /** Name rule; absent: a DNS-1123 subdomain. */
  nameRule?: 'subdomain' | 'dns1123Label' | 'dns1035Label' | 'pathSegment'
  /** Told with every answer of a version that users should leave. */
  deprecationWarning?: string
  /**
   * Of a version that is not the one objects are stored in: that one, which is served under an entry of its own, and how either
   * becomes the other. Caches (Informer) are kept of the stored version alone. `resource`: its name in the store (`events`), where
   * that is of another group.
   */
  storedAs?: { apiVersion: string; resource?: string; convert(object: KubeObject, apiVersion: string): KubeObject }
  /** The schema that is published, where it is not the one that is evaluated (which may refer to itself). */
  publishedSchema?: Schema
  /** Built in (true) or a custom resource (false): decides strategic merge patches, list items' kinds, PUT without a version. */
  builtIn: boolean
  /** Extra verbs or a smaller set than the usual eight. */
  verbs?: readonly string[]
  /** Where its objects are when not in the store. Such a kind is only read: its `verbs` are get, list and watch. */
  source?: ObjectSource<T>
}

/** Objects that an engine keeps itself, under versions of its own. What it hands out is immutable. */
export interface ObjectSource<T extends KubeObject = KubeObject> {
  /** The newest version there is to see. Never goes back. */
  version(): number
  find(ref: ObjectRef): T | undefined
  /** Objects in the order of the source. May leave out what does not match: the caller looks again. */
  page(query: SourceQuery): readonly T[]
  /**
   * Tells every later change, in order. Throws a StatusError when that cannot be done from `fromVersion` on: 410 when the source has
   * forgotten, 504 when that lies in the future.
   */
  watch(options: { namespace?: string | undefined; fromVersion: number }, listener: (event: SourceEvent<T>) => void): () => void
}

export interface SourceQuery {
  namespace: string | undefined
  /** Terms of a field selector that all have to hold. */
  fields: readonly Requirement[]
  /** Name of the last object that was handed out; absent: from the start. */
  after: string | undefined
  /** Only what was there at this version. */
  upToVersion: number
  limit: number
}

export interface SourceEvent<T extends KubeObject = KubeObject> {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  object: T
  /** The object before a change, as far as selectors look at it; absent where that is not known. */
  previous: T | undefined
  version: number
}

/** Methods rather than function types, so that kinds of any object type can stand in one list. */
interface KindRules<T extends KubeObject> {
  fieldValue(object: T): string
  isNewGeneration(next: T, old: T): boolean
}

/** The name under which Status messages, discovery caches and the store know a resource: `services.serving.knative.dev`, `pods`. */
export function groupResource(kind: Pick<Kind, 'group' | 'plural'>): string {
  return kind.group ? `${kind.plural}.${kind.group}` : kind.plural
}

/** `serving.knative.dev/v1`, or `v1` for the core group. */
export function groupVersion(kind: Pick<Kind, 'group' | 'version'>): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version
}

export type { LabelSelector }

/** Which kinds are stored: those of the registry, and user-defined ones, which come and go. One entry per resource. */
export interface KindFeed {
  kinds(): readonly Kind[]
  /** Told of what comes and goes from now on. Returns what ends it. */
  onKinds(listener: (change: KindChange) => void): () => void
}

export interface KindChange {
  added: readonly Kind[]
  removed: readonly Kind[]
}
