import { refText } from '../apimachinery/object.js'
import type { Random } from '../base/random.js'
import type { Informer } from '../client/informer.js'
import type { Revision } from '../kinds/revision/schema.js'
import { privateServiceName } from '../kinds/serving-names.js'
import { pickInstance, QUEUED_PER_SLOT, type Turn } from './breaker.js'
import type { Draining } from './draining.js'
import type { Endpoints, ReadyAddress } from './endpoints.js'
import { createInstance, type Instance } from './instance.js'
import type { Counter, CountKeeper } from './request-counts.js'

/** Someone who may have to wait for an instance. Made once, put in and taken out of queues as it is. */
export interface Waiter {
  /** An instance is free, and its slot is taken for this one. */
  granted(instance: Instance): void
  isWaiting: boolean
  ahead: Waiter | undefined
  behind: Waiter | undefined
}

/** What a revision asks of its gateway. */
export interface RevisionLimits {
  /** Requests at a time per instance; 0: no limit. */
  containerConcurrency: number
  timeoutMs: number
  /** 0: none. */
  responseStartTimeoutMs: number
  /** 0: none. */
  idleTimeoutMs: number
  /** Requests beyond the queue of the instances are refused instead of kept waiting. */
  isBounded: boolean
}

/** One revision, or a port of a core Service, as the gateway sees it: its ready instances and who waits for them. */
export interface Gate {
  /** Absent where nobody scales by it: requests are neither counted nor logged. */
  readonly counter: Counter | undefined
  readonly limits: RevisionLimits
  readonly readyCount: number
  readonly waitingCount: number
  /** An instance with its slot taken; 'held' when the waiter was queued; 'full' when it must be refused. */
  enter(waiter: Waiter): Instance | 'held' | 'full'
  /** The same for one that `instance` (already left) could not serve: undefined when there is no other. */
  enterAnother(waiter: Waiter, instance: Instance): Instance | 'held' | undefined
  /** Gives the slot back; whoever waits longest gets it. */
  leave(instance: Instance): void
  forget(waiter: Waiter): void
}

export interface RevisionGate extends Gate {
  readonly counter: Counter
}

export interface Activator {
  /** The gate of a revision ("namespace/name"), or undefined when there is no such revision. */
  gate(revision: string): RevisionGate | undefined
  /** Lets all instances go and follows no revision any more. */
  stop(): void
}

/** @see knative/serving v1.23 config-defaults, revision-timeout-seconds */
const DEFAULT_TIMEOUT_SECONDS = 300
const TARGET_BURST_CAPACITY_KEYS = ['autoscaling.knative.dev/target-burst-capacity', 'autoscaling.knative.dev/targetBurstCapacity']

interface Backend extends RevisionGate {
  setLimits(limits: RevisionLimits): void
  refresh(): void
  /** Lets its instances go: what they work on may finish. */
  stop(): void
}

/**
 * Holds requests until an instance can take them: first come, first served, never refused for want of an instance, bounded only
 * by the revision's own timeout. A gate appears with the first request for a revision and goes with the Revision.
 *
 * On a cluster two queues follow each other: the activator's, in effect endless, and in each Pod the queue-proxy's of ten
 * requests per slot, which answers 503 beyond that but is never reached while the activator is in the path. Here there is
 * one, and it is the activator's; for a revision whose target burst capacity is 0, which takes the activator out of the path as
 * soon as there is an instance, it is the queue-proxy's.
 *
 * @see knative/serving v1.23 pkg/activator/net/throttler.go, pkg/queue/breaker.go
 */
export function createActivator(deps: {
  revisions: Informer<Revision>
  endpoints: Endpoints
  counts: CountKeeper
  draining: Draining
  random: Random
  onGone: (instance: Instance) => void
}): Activator {
  const { revisions, endpoints } = deps
  const backends = new Map<string, Backend>()
  const byService = new Map<string, Backend>()

  const stopRevisions = revisions.onChange(({ type, object }) => {
    const key = refText(object.metadata)
    if (type !== 'DELETED') return backends.get(key)?.setLimits(limitsOf(object))
    backends.get(key)?.stop()
    backends.delete(key)
    byService.delete(privateServiceOf(object.metadata.namespace ?? '', object.metadata.name))
  })
  endpoints.onChange((service) => byService.get(service)?.refresh())

  return {
    gate(key) {
      const known = backends.get(key)
      if (known) return known
      const slash = key.indexOf('/')
      const [namespace, name] = [key.slice(0, slash), key.slice(slash + 1)]
      const revision = revisions.get({ namespace, name })
      if (!revision) return undefined
      const service = privateServiceOf(namespace, name)
      const backend = createBackend({
        ...deps,
        counter: deps.counts.counter(namespace, name),
        limits: limitsOf(revision),
        ready: () => endpoints.of(service),
      })
      backends.set(key, backend)
      byService.set(service, backend)
      backend.refresh()
      return backend
    },
    stop() {
      stopRevisions()
      for (const backend of backends.values()) backend.stop()
      backends.clear()
      byService.clear()
    },
  }
}

function privateServiceOf(namespace: string, revision: string): string {
  return refText({ namespace, name: privateServiceName(revision) })
}

function limitsOf({ spec, metadata }: Revision): RevisionLimits {
  const burst = TARGET_BURST_CAPACITY_KEYS.map((key) => metadata.annotations?.[key]).find((value) => value !== undefined)
  return {
    containerConcurrency: spec?.containerConcurrency ?? 0,
    timeoutMs: (spec?.timeoutSeconds || DEFAULT_TIMEOUT_SECONDS) * 1000,
    responseStartTimeoutMs: (spec?.responseStartTimeoutSeconds ?? 0) * 1000,
    idleTimeoutMs: (spec?.idleTimeoutSeconds ?? 0) * 1000,
    isBounded: burst !== undefined && Number(burst) === 0,
  }
}

function createBackend(deps: {
  counter: Counter
  counts: CountKeeper
  draining: Draining
  random: Random
  limits: RevisionLimits
  ready: () => readonly ReadyAddress[]
  onGone: (instance: Instance) => void
}): Backend {
  const { counter, counts, draining, random } = deps
  const turn: Turn = { next: 0 }
  let limits = deps.limits
  let ready: readonly Instance[] = []
  /** Gone, but still at work: one that comes back keeps its count, or it would get more than its limit. */
  const finishing = new Map<string, Instance>()
  let first: Waiter | undefined
  let last: Waiter | undefined
  let waitingCount = 0

  const enqueue = (waiter: Waiter, inFront: boolean): void => {
    waiter.isWaiting = true
    waiter.ahead = inFront ? undefined : last
    waiter.behind = inFront ? first : undefined
    if (waiter.ahead) waiter.ahead.behind = waiter
    else first = waiter
    if (waiter.behind) waiter.behind.ahead = waiter
    else last = waiter
    waitingCount++
    if (ready.length === 0) counts.wanted(counter)
  }
  const forget = (waiter: Waiter): void => {
    if (!waiter.isWaiting) return
    if (waiter.ahead) waiter.ahead.behind = waiter.behind
    else first = waiter.behind
    if (waiter.behind) waiter.behind.ahead = waiter.ahead
    else last = waiter.ahead
    waiter.ahead = undefined
    waiter.behind = undefined
    waiter.isWaiting = false
    waitingCount--
    // The next one who finds no instance is a first request again.
    if (waitingCount === 0) counts.served(counter)
  }
  /** A request that comes while others wait may not overtake them, so slots are given from the front of the queue only. */
  const serveWaiting = (): void => {
    while (first) {
      const instance = pickInstance(ready, limits.containerConcurrency, turn, random)
      if (!instance) return
      const waiter = first
      forget(waiter)
      instance.inFlight++
      waiter.granted(instance)
    }
  }
  const letGo = (instance: Instance): void => {
    instance.isGone = true
    if (instance.inFlight > 0) finishing.set(instance.key, instance)
    else draining.closed(instance)
    deps.onGone(instance)
  }
  const isFull = (): boolean =>
    limits.isBounded &&
    limits.containerConcurrency > 0 &&
    ready.length > 0 &&
    waitingCount >= QUEUED_PER_SLOT * limits.containerConcurrency * ready.length

  return {
    counter,
    get limits() {
      return limits
    },
    get readyCount() {
      return ready.length
    },
    get waitingCount() {
      return waitingCount
    },
    enter(waiter) {
      const instance = first ? undefined : pickInstance(ready, limits.containerConcurrency, turn, random)
      if (instance) {
        instance.inFlight++
        return instance
      }
      if (isFull()) return 'full'
      enqueue(waiter, false)
      return 'held'
    },
    enterAnother(waiter, failed) {
      if (!ready.some((instance) => instance !== failed)) return undefined
      const instance = pickInstance(ready, limits.containerConcurrency, turn, random, failed)
      if (instance) {
        instance.inFlight++
        return instance
      }
      enqueue(waiter, true)
      return 'held'
    },
    leave(instance) {
      instance.inFlight--
      if (instance.isGone && instance.inFlight === 0) {
        finishing.delete(instance.key)
        draining.closed(instance)
      }
      if (first) serveWaiting()
    },
    forget,
    setLimits(next) {
      limits = next
      serveWaiting()
    },
    refresh() {
      const before = new Map(ready.map((instance) => [instance.key, instance]))
      ready = deps.ready().map((address) => {
        const { key } = address
        const known = before.get(key) ?? finishing.get(key) ?? createInstance(address)
        before.delete(key)
        finishing.delete(key)
        known.isGone = false
        draining.opened(known)
        return known
      })
      for (const instance of before.values()) letGo(instance)
      if (ready.length > 0) counts.served(counter)
      else if (waitingCount > 0) counts.wanted(counter)
      serveWaiting()
    },
    stop() {
      for (const instance of ready) letGo(instance)
      ready = []
    },
  }
}
