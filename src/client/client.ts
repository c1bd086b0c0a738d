import type { ApiCall, CallOptions, ObjectList, PatchType, Transport, Verb, WatchEvent } from '../apimachinery/call.js'
import type { Identity, Kind } from '../apimachinery/kind.js'
import { groupVersion } from '../apimachinery/kind.js'
import type { Draft, KubeObject, ObjectRef } from '../apimachinery/object.js'
import { isNotFound, type Status } from '../apimachinery/status-error.js'

export type ListOptions = Pick<CallOptions, 'labelSelector' | 'fieldSelector' | 'resourceVersion' | 'limit' | 'continue'>
export type DeleteOptions = Pick<CallOptions, 'gracePeriodSeconds' | 'propagationPolicy' | 'preconditions'>

/** How anyone speaks to the API server. Every method throws StatusError with the server's own words when it refuses. */
export interface Client {
  readonly transport: Transport
  readonly user: Identity
  get<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T>
  /** Like get, but undefined when there is none. */
  find<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T | undefined>
  /** All objects of a namespace, or of all namespaces. */
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string, options?: ListOptions): Promise<readonly T[]>
  /** Like list, with the version a watch can go on from. */
  listWithVersion<T extends KubeObject>(
    kind: Kind<T>,
    namespace?: string,
    options?: ListOptions,
  ): Promise<{ items: readonly T[]; resourceVersion: string }>
  create<T extends KubeObject>(kind: Kind<T>, draft: Draft<T>, options?: WriteOptions): Promise<T>
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>
  updateStatus<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>
  patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    patch: { type: PatchType; body: unknown; subresource?: string },
    options?: WriteOptions,
  ): Promise<T>
  /** Resolves to what the server answered: the object while it still exists, else a Status. */
  delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options?: DeleteOptions): Promise<T | Status>
  /** Events from `resourceVersion` on (absent: first everything there is, as ADDED). Ends when the server ends it; throws what ended it. */
  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>>
}

export type WriteOptions = Pick<CallOptions, 'fieldManager' | 'dryRun' | 'fieldValidation'> & { onWarning?: (text: string) => void }

export interface WatchOptions {
  namespace?: string | undefined
  resourceVersion?: string
  labelSelector?: string
  fieldSelector?: string
  timeoutSeconds?: number
  signal?: AbortSignal
}

/** A client over any transport, acting as `user` (a network transport ignores it: the credential decides). */
export function createClient(options: {
  transport: Transport
  user: Identity
  fieldManager: string
  onWarning?: (text: string) => void
}): Client {
  const { transport, user, fieldManager } = options

  /** Member after member: made of spreads, each would be an object of a shape of its own to the engine, and slow wherever it is read. */
  const callTo = (verb: Verb, kind: Kind, { namespace, name }: { namespace?: string | undefined; name?: string | undefined }): ApiCall => {
    const call: ApiCall = { user, verb, group: kind.group, version: kind.version, plural: kind.plural }
    if (kind.namespaced && namespace) call.namespace = namespace
    if (name !== undefined) call.name = name
    return call
  }
  const answer = async (call: ApiCall, onWarning = options.onWarning): Promise<unknown> => {
    const { object, warnings } = await transport.call(call)
    if (onWarning) for (const warning of warnings) onWarning(warning)
    return object
  }
  const writeOptions = ({ onWarning: _, ...rest }: WriteOptions = {}): CallOptions => ({ fieldManager, ...rest })
  const typed = <T extends KubeObject>(kind: Kind<T>, object: object): object => ({
    apiVersion: groupVersion(kind),
    kind: kind.kind,
    ...object,
  })

  const listWithVersion: Client['listWithVersion'] = async <T extends KubeObject>(
    kind: Kind<T>,
    namespace?: string,
    listOptions?: ListOptions,
  ) => {
    const call = callTo('list', kind, { namespace })
    if (listOptions) call.options = listOptions
    const list = (await answer(call)) as ObjectList
    return { items: list.items as readonly T[], resourceVersion: list.metadata.resourceVersion }
  }
  const get = async <T extends KubeObject>(kind: Kind<T>, ref: ObjectRef): Promise<T> => (await answer(callTo('get', kind, ref))) as T
  const write = (call: ApiCall, object: object, options: WriteOptions | undefined): Promise<unknown> => {
    call.object = object
    call.options = writeOptions(options)
    return answer(call, options?.onWarning)
  }

  return {
    transport,
    user,
    get,
    async find(kind, ref) {
      try {
        return await get(kind, ref)
      } catch (error) {
        if (isNotFound(error)) return undefined
        throw error
      }
    },
    async list(kind, namespace, listOptions) {
      return (await listWithVersion(kind, namespace, listOptions)).items
    },
    listWithVersion,
    create: async (kind, draft, options) =>
      (await write(callTo('create', kind, { namespace: draft.metadata.namespace }), typed(kind, draft), options)) as never,
    update: async (kind, object, options) => (await write(callTo('update', kind, object.metadata), typed(kind, object), options)) as never,
    async updateStatus(kind, object, options) {
      const call = callTo('update', kind, object.metadata)
      call.subresource = 'status'
      return (await write(call, typed(kind, object), options)) as never
    },
    async patch(kind, ref, { subresource, ...patch }, options) {
      const call = callTo('patch', kind, ref)
      if (subresource) call.subresource = subresource
      call.patch = patch
      call.options = writeOptions(options)
      return (await answer(call, options?.onWarning)) as never
    },
    async delete(kind, ref, deleteOptions) {
      const call = callTo('delete', kind, ref)
      if (deleteOptions) call.options = deleteOptions
      return (await answer(call)) as never
    },
    watch: (kind, watchOptions) => eventsOf(transport, callTo('watch', kind, { namespace: watchOptions.namespace }), watchOptions) as never,
  }
}

/** Turns the transport's callbacks into a generator; leaving the loop stops the watch. */
async function* eventsOf(
  transport: Transport,
  call: ApiCall,
  { signal, namespace: _, ...options }: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const queue: WatchEvent[] = []
  let wake: (() => void) | undefined
  let ended: { error?: unknown } | undefined
  const stop = transport.watch(
    { ...call, options },
    (event) => {
      queue.push(event)
      wake?.()
    },
    (error) => {
      ended = { error }
      wake?.()
    },
  )
  const onAbort = (): void => {
    ended ??= {}
    wake?.()
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  try {
    for (;;) {
      for (let event = queue.shift(); event; event = queue.shift()) yield event
      if (ended) {
        if (ended.error !== undefined) throw ended.error
        return
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    stop()
  }
}
