import { groupResource, groupVersion, type Kind, type KindFeed } from '../apimachinery/kind.js'
import type { KubeObject, OwnerReference } from '../apimachinery/object.js'
import { isConflict, isNotFound } from '../apimachinery/status-error.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Client } from '../client/client.js'
import { type Informer, type InformerChange, startInformer } from '../client/informer.js'
import { createWorkQueue, type Processed } from './work-queue.js'

const FOREGROUND = 'foregroundDeletion'
const ORPHAN = 'orphan'
const CONCURRENCY = 16
/** How many owners that went are remembered, for dependents whose owner's kind has gone meanwhile too (upstream's absentOwnerCache). */
const GONE_REMEMBERED = 500

export interface GarbageCollector {
  /** Resolves when the first list of every kind is known. */
  readonly synced: Promise<void>
  isIdle(): boolean
  idle(): Promise<void>
  stop(): Promise<void>
}

interface Node {
  kind: Kind
  object: KubeObject
}

/**
 * Deletes what has lost its owners, by uid and over all kinds: in the background after its last owner is gone (also when
 * it is made later, with an owner that is gone already), in the foreground before it, or not at all when orphaned. A
 * dependent that still has another owner only loses the reference.
 *
 * @see kubernetes/kubernetes v1.35 pkg/controller/garbagecollector/garbagecollector.go
 */
export function startGarbageCollector(options: {
  client: Client
  kinds: readonly Kind[]
  /** Told of kinds that come and go later. */
  onKinds?: KindFeed['onKinds']
  /** Virtual time: waits between retries. */
  clock: Clock
  log: Logger
  /** Shared caches; absent: a watch of its own per kind. */
  informer?: <T extends KubeObject>(kind: Kind<T>) => Informer<T>
  /** Told of work going on, so that others can wait for it. */
  busy?: (work: Promise<unknown>) => void
}): GarbageCollector {
  const { client, clock, log } = options
  let kinds = options.kinds
  const nodes = new Map<string, Node>()
  /** Owner's uid to its dependents' uids. Owners that never existed have an entry too. */
  const dependents = new Map<string, Set<string>>()
  /** UIDs of objects that were seen to go, the oldest first. */
  const gone = new Set<string>()
  const owned: Informer<KubeObject>[] = []
  const kindOf = (apiVersion: string, name: string): Kind | undefined =>
    kinds.find((kind) => kind.kind === name && groupVersion(kind) === apiVersion) ??
    kinds.find((kind) => kind.kind === name && kind.group === groupIn(apiVersion))

  const dependentsOf = (uid: string): Node[] =>
    [...(dependents.get(uid) ?? [])].flatMap((dependent) => {
      const node = nodes.get(dependent)
      return node ? [node] : []
    })

  const onChange = (kind: Kind, { type, object, previous }: InformerChange<KubeObject>): void => {
    const uid = object.metadata.uid!
    // Deleted and made again between two looks: the old one is gone all the same.
    if (previous && previous.metadata.uid !== uid) forget(previous)
    if (type === 'DELETED') {
      forget(object)
      return
    }
    for (const owner of previous?.metadata.ownerReferences ?? []) dependents.get(owner.uid)?.delete(uid)
    nodes.set(uid, { kind, object })
    for (const owner of object.metadata.ownerReferences ?? []) {
      const known = dependents.get(owner.uid) ?? new Set()
      dependents.set(owner.uid, known.add(uid))
      // A reference may be all that a waiting owner lost or gained.
      if (isWaiting(nodes.get(owner.uid)?.object)) enqueue(owner.uid)
    }
    if (previous)
      for (const owner of previous.metadata.ownerReferences ?? []) if (isWaiting(nodes.get(owner.uid)?.object)) enqueue(owner.uid)
    if (object.metadata.ownerReferences?.length || isWaiting(object)) enqueue(uid)
  }

  const forget = ({ metadata }: KubeObject): void => {
    const uid = metadata.uid!
    nodes.delete(uid)
    gone.add(uid)
    if (gone.size > GONE_REMEMBERED) for (const oldest of [...gone].slice(0, gone.size - GONE_REMEMBERED)) gone.delete(oldest)
    for (const owner of metadata.ownerReferences ?? []) {
      const known = dependents.get(owner.uid)
      known?.delete(uid)
      if (known?.size === 0) dependents.delete(owner.uid)
      if (nodes.has(owner.uid)) enqueue(owner.uid)
    }
    for (const dependent of dependents.get(uid) ?? []) enqueue(dependent)
  }

  /** Whether an owner is there as far as this dependent is concerned. Asks the server before it calls one absent. */
  const standingOf = async (reference: OwnerReference, dependent: Node): Promise<'there' | 'waiting' | 'absent'> => {
    if (gone.has(reference.uid)) return 'absent'
    const kind = kindOf(reference.apiVersion, reference.kind)
    // Of a kind nobody serves here, or out of reach: nothing can be said, so nothing is deleted.
    if (!kind || (kind.namespaced && !dependent.kind.namespaced)) return 'there'
    const node = nodes.get(reference.uid)
    const isReachable = node && (!kind.namespaced || node.object.metadata.namespace === dependent.object.metadata.namespace)
    if (isReachable) return isWaiting(node.object) && has(node.object, FOREGROUND) ? 'waiting' : 'there'
    const ref = { name: reference.name, ...(kind.namespaced && { namespace: dependent.object.metadata.namespace }) }
    const live = await client.find(kind, ref)
    return live?.metadata.uid === reference.uid ? 'there' : 'absent'
  }

  const dropReferences = async ({ kind, object }: Node, uids: ReadonlySet<string>): Promise<void> => {
    const ownerReferences = object.metadata.ownerReferences!.filter(({ uid }) => !uids.has(uid))
    await client.update<KubeObject>(kind, { ...object, metadata: { ...object.metadata, ownerReferences } })
  }
  const dropFinalizer = async ({ kind, object }: Node, finalizer: string): Promise<void> => {
    const finalizers = object.metadata.finalizers!.filter((each) => each !== finalizer)
    await client.update<KubeObject>(kind, { ...object, metadata: { ...object.metadata, finalizers } })
  }
  const remove = async ({ kind, object }: Node, propagationPolicy: 'Background' | 'Foreground' | 'Orphan'): Promise<void> => {
    log.debug('garbage collected', { resource: groupResource(kind), namespace: object.metadata.namespace, name: object.metadata.name })
    const preconditions = { uid: object.metadata.uid!, resourceVersion: object.metadata.resourceVersion! }
    await client.delete(kind, object.metadata, { propagationPolicy, preconditions })
  }

  const collectDependent = async (node: Node): Promise<void> => {
    const references = node.object.metadata.ownerReferences ?? []
    const standings = await Promise.all(references.map((reference) => standingOf(reference, node)))
    const uidsThatAre = (standing: string): string[] => references.filter((_, index) => standings[index] === standing).map(({ uid }) => uid)
    const [there, waiting, absent] = [uidsThatAre('there'), uidsThatAre('waiting'), uidsThatAre('absent')]
    if (there.length > 0) {
      if (absent.length + waiting.length > 0) await dropReferences(node, new Set([...absent, ...waiting]))
      return
    }
    const hasDependents = dependentsOf(node.object.metadata.uid!).length > 0
    if (has(node.object, ORPHAN)) await remove(node, 'Orphan')
    else if (has(node.object, FOREGROUND) || (waiting.length > 0 && hasDependents)) await remove(node, 'Foreground')
    else await remove(node, 'Background')
  }

  const finishOwner = async (node: Node): Promise<void> => {
    const uid = node.object.metadata.uid!
    const found = dependentsOf(uid)
    if (has(node.object, ORPHAN)) {
      for (const dependent of found) await dropReferences(dependent, new Set([uid]))
      return dropFinalizer(node, ORPHAN)
    }
    for (const { object } of found) if (!object.metadata.deletionTimestamp) enqueue(object.metadata.uid!)
    const isBlocking = ({ object }: Node): boolean =>
      object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion) ?? false
    if (!found.some(isBlocking)) await dropFinalizer(node, FOREGROUND)
  }

  const process = async (uid: string): Promise<Processed> => {
    const node = nodes.get(uid)
    if (!node) return {}
    const { metadata } = node.object
    try {
      if (isWaiting(node.object)) await finishOwner(node)
      else if (!metadata.deletionTimestamp && metadata.ownerReferences?.length) await collectDependent(node)
    } catch (error) {
      // Changed or gone meanwhile; the change itself brings it back here.
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
    return {}
  }

  const queue = createWorkQueue({
    process,
    clock,
    concurrency: CONCURRENCY,
    onFailure: (uid, error, failures) => log.debug('garbage collection failed', { uid, failures, error }),
  })
  const enqueue = (uid: string): void => {
    const wasIdle = queue.isIdle()
    queue.add(uid)
    if (wasIdle) options.busy?.(queue.idle())
  }

  const informerOf = (kind: Kind): Informer<KubeObject> => {
    if (options.informer) return options.informer(kind)
    const started = startInformer<KubeObject>({ client, kind, clock, log })
    owned.push(started)
    return started
  }
  const informers = kinds.map(informerOf)
  const unsubscribes = new Map<Kind, () => void>()
  let isStopped = false
  const follow = (kind: Kind, informer: Informer<KubeObject>): void => {
    if (!isStopped && kinds.includes(kind))
      unsubscribes.set(
        kind,
        informer.onChange((change) => onChange(kind, change)),
      )
  }
  const unfollow = (kind: Kind, isGone: boolean): void => {
    unsubscribes.get(kind)?.()
    unsubscribes.delete(kind)
    for (const { kind: own, object } of [...nodes.values()]) {
      if (own !== kind) continue
      // A kind goes after its last object; one that only changed its version shows the same objects again.
      if (isGone) forget(object)
      else nodes.delete(object.metadata.uid!)
    }
  }
  const stopKinds = options.onKinds?.(({ added, removed }) => {
    const names = new Set(removed.map(groupResource))
    const stay = new Set(added.map(groupResource))
    for (const kind of kinds) if (names.has(groupResource(kind))) unfollow(kind, !stay.has(groupResource(kind)))
    kinds = [...kinds.filter((kind) => !names.has(groupResource(kind))), ...added]
    for (const kind of added) {
      const informer = informerOf(kind)
      void informer.synced.then(() => follow(kind, informer))
    }
  })
  // Nothing is judged before everything is known: a dependent's cache may fill before its owner's.
  const synced = Promise.all(informers.map((informer) => informer.synced)).then(() => {
    if (isStopped) return
    for (const [index, informer] of informers.entries()) follow(options.kinds[index]!, informer)
  })

  return {
    synced,
    isIdle: queue.isIdle,
    idle: queue.idle,
    async stop() {
      isStopped = true
      stopKinds?.()
      for (const unsubscribe of unsubscribes.values()) unsubscribe()
      await queue.stop()
      for (const informer of owned) informer.stop()
    },
  }
}

function has({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata.finalizers?.includes(finalizer) ?? false
}

/** Being deleted, and waiting for this collector to say when. */
function isWaiting(object: KubeObject | undefined): boolean {
  return object?.metadata.deletionTimestamp !== undefined && (has(object, FOREGROUND) || has(object, ORPHAN))
}

function groupIn(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}
