import { groupResource, type Kind, type KindFeed } from '../apimachinery/kind.js'
import type { KubeObject } from '../apimachinery/object.js'
import type { Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import type { Random } from '../base/random.js'
import { type Client, createClient } from '../client/client.js'
import { type Informer, startInformer } from '../client/informer.js'
import { configData, recordedEvent } from './built-in.js'
import { countDeliveries } from './deliveries.js'
import { createEventRecorder, startEventExpiry } from './events.js'
import { createControllerLoop, feed } from './loop.js'
import type { Controller } from './reconcile.js'
import { createSettling, type Idling } from './settling.js'
import { createTurns } from './turns.js'
import type { WorkQueue } from './work-queue.js'

export interface Manager {
  /** Resolves when every cache holds its first list and every queue runs. */
  start(): Promise<void>
  /** Ends queues, watches and timers; resolves when no reconcile runs any more. */
  stop(): Promise<void>
  /** Nothing in line, nothing being reconciled, nothing on its way to an informer, no work named busy. */
  isSettled(): boolean
  /** Resolves when settled. What waits for the virtual clock does not count. */
  settled(): Promise<void>
  /** The shared cache of a kind; started when first asked for. */
  informer<T extends KubeObject>(kind: Kind<T>): Informer<T>
  /** Ends the shared cache of a kind that is not served any more; whoever asks for it afterwards gets a new one. */
  forget(kind: Kind): void
  /** Names work from outside (the garbage collector's, say) that `settled` waits for too. */
  busy(work: Promise<unknown>): void
}

/** The identity under which the shared caches read (kube-controller-manager shares its informers likewise). */
const READER = 'system:kube-controller-manager'

const NO_KINDS: KindFeed = { kinds: () => [], onKinds: () => () => {} }

/**
 * Runs controllers: shared caches, one work queue each, statuses written when they changed, failures retried with backoff.
 * When several have something to do, those that come first in `controllers` go first, and what they have to say of it comes last.
 */
export function createManager(options: {
  clientFor(userName: string): Client
  controllers: readonly Controller[]
  /** Every kind there is, for what refers to objects of any kind; absent: no reference leads anywhere. */
  kinds?: KindFeed
  /** The virtual domain. */
  clock: Clock
  realClock: Clock
  /** See {@link createEventRecorder}. */
  eventDelayMs: number
  /** Somebody is waiting for what the controllers do: what can wait does not take the processor from it. Absent: never. */
  isHurried?: () => boolean
  random: Random
  log: Logger
}): Manager {
  const { clientFor, controllers, kinds = NO_KINDS, clock, realClock, eventDelayMs, isHurried, random, log } = options
  const reader = clientFor(READER)
  const { transport, deliveries } = countDeliveries(reader.transport)
  const watching = createClient({ transport, user: reader.user, fieldManager: READER })
  const informers = new Map<string, Informer<KubeObject>>()
  const queues: WorkQueue[] = []
  const endings: (() => void)[] = []
  const stopping = new AbortController()
  const settling = createSettling((): Idling[] => [...queues, deliveries])

  const informer = <T extends KubeObject>(kind: Kind<T>): Informer<T> => {
    const name = groupResource(kind)
    const started = informers.get(name) ?? startInformer<KubeObject>({ client: watching, kind, clock: realClock, log })
    informers.set(name, started)
    return started as unknown as Informer<T>
  }
  const allSynced = async (): Promise<void> => {
    await Promise.all([...informers.values()].map(({ synced }) => synced))
  }

  // What somebody may be waiting for, then what nobody does, then what there is to say of either.
  const turns = createTurns(isHurried && { clock: realClock, isOn: isHurried, patientFrom: controllers.length })
  const loopOf = (controller: Controller, rank: number): ReturnType<typeof createControllerLoop> => {
    const { kind, actsAs } = controller
    const client = clientFor(actsAs)
    const ownLog = log.with({ kind: kind.kind })
    const source = controller.eventSource ?? { component: `${kind.singular}-controller` }
    return createControllerLoop({
      controller,
      informer: informer(kind),
      kinds,
      turn: (task) => turns.take(rank, task),
      statusTurn: (task) => turns.take(controller.awaited === 'work and status' ? rank : 2 * controllers.length + rank, task),
      deps: {
        client,
        clock,
        random,
        log: ownLog,
        informer,
        configMap: (namespace, name) => informer(configData).get({ namespace, name })?.data ?? {},
        event: createEventRecorder({ client, clock, realClock, delayMs: eventDelayMs, random, log: ownLog, source, busy: settling.busy }),
        busy: settling.busy,
        stopped: stopping.signal,
      },
    })
  }

  return {
    informer,
    forget(kind) {
      const name = groupResource(kind)
      informers.get(name)?.stop()
      informers.delete(name)
    },
    busy: settling.busy,
    isSettled: settling.isSettled,
    settled: settling.settled,
    async start() {
      const events = informer(recordedEvent)
      informer(configData)
      for (const { kind, owns = [], wokenBy = [] } of controllers)
        for (const each of [kind, ...owns, ...wokenBy.map((w) => w.kind)]) informer(each)
      await allSynced()
      const loops = controllers.map((controller, index) => ({
        controller,
        queue: loopOf(controller, controller.awaited ? index : controllers.length + index),
      }))
      // Controllers may have asked for further caches while they were made.
      await allSynced()
      if (stopping.signal.aborted) return
      for (const { controller, queue } of loops) {
        queues.push(queue)
        endings.push(queue.tracker.stop)
        endings.push(feed(controller, queue, informer))
      }
      endings.push(startEventExpiry({ client: reader, events, clock, log, busy: settling.busy }))
    },
    async stop() {
      stopping.abort()
      for (const end of endings) end()
      await Promise.all(queues.map((queue) => queue.stop()))
      for (const { stop } of informers.values()) stop()
    },
  }
}
