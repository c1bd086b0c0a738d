import type { FieldError } from './field-error.js'
import type { KubeObject, LabelSelector, ObjectRef } from './object.js'
import type { Schema } from './schema.js'
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
  /** Name rule; absent: a DNS-1123 subdomain. */
  nameRule?: 'subdomain' | 'dns1123Label' | 'dns1035Label' | 'pathSegment'
  /** Told with every answer of a version that users should leave. */
  deprecationWarning?: string
  /** The schema that is published, where it is not the one that is evaluated (which may refer to itself). */
  publishedSchema?: Schema
  /** Built in (true) or a custom resource (false): decides strategic merge patches, list items' kinds, PUT without a version. */
  builtIn: boolean
  /** Extra verbs or a smaller set than the usual eight. */
  verbs?: readonly string[]
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
