import { refText } from '../apimachinery/object.js'
import type { Cancel, Clock } from '../base/clock.js'
import type { Logger } from '../base/logger.js'
import { type AutoscalerConfig, type ConfigData, createConfigReader } from './config.js'
import { TICK_MS } from './decide.js'
import { createDecider, type Decider, type Decision, type ScaleTarget } from './decider.js'

export interface RevisionRef {
  namespace: string
  name: string
}

/** What was asked of each Revision; the gateway's request counts. */
export interface LoadSource {
  /**
   * The load of every Revision that had requests since the snapshot before; `nowMs` is real time. Two snapshots at the same
   * moment give what is in flight.
   */
  snapshot(nowMs: number): readonly (RevisionRef & { averageConcurrency: number; requestCount: number })[]
  /** Calls back when a request arrives for a Revision without instances. Returns how to end that. */
  onFirstRequest(listener: (revision: RevisionRef) => void): () => void
}

/** The autoscaler as the PodAutoscaler's reconciler sees it. */
export interface AutoscalerEngine {
  /** config-autoscaler as it is now. */
  config(): AutoscalerConfig
  /** Scales this Revision from now on, or by these settings from now on; says where its decision stands. Never waits. */
  follow(target: ScaleTarget): Decision
  /** Forgets a Revision that is gone. */
  forget(revision: { namespace?: string | undefined; name: string }): void
  /** Calls back when a decision changed so that something has to be done. Returns how to end that. */
  onDecision(listener: (revision: RevisionRef) => void): () => void
}

export interface Autoscaler extends AutoscalerEngine {
  /** Loads are read from here, from now on. */
  start(loads: LoadSource): void
  /** Ends its timer; what was decided stays known. */
  stop(): void
}

const SECOND_MS = 1000
/** Of a longer jump of the clock only the end is played through: the longest window there can be. */
const LONGEST_JUMP_MS = 3_600_000

/**
 * The Knative pod autoscaler: each second of virtual time it notes the load of every Revision that is awake, every other
 * second each of them decides anew, and a first request for one without instances makes it decide at once. A Revision at zero
 * without traffic is asleep and costs nothing; while all are, there is no timer.
 *
 * Loads are measured in real time, windows are virtual. README.md says how the one fills the other.
 *
 * @see knative/serving v1.23 pkg/autoscaler/scaling/multiscaler.go, pkg/autoscaler/metrics/collector.go
 */
export function createAutoscaler(options: {
  /** Virtual: windows, ticks. */
  clock: Clock
  /** The one that loads are averaged on. */
  realClock: Pick<Clock, 'now'>
  /** `data` of config-autoscaler, the same object while it does not change; undefined when there is none. */
  readConfig: () => ConfigData | undefined
  log: Logger
}): Autoscaler {
  const { clock, realClock, log } = options
  const config = createConfigReader({ read: options.readConfig, log })
  const deciders = new Map<string, Decider>()
  const awake = new Set<Decider>()
  /** Poked before they were followed: requests that were held while the emulator started. */
  const pokedEarly = new Set<string>()
  const listeners = new Set<(revision: RevisionRef) => void>()
  let loads: LoadSource | undefined
  let nextBeatMs = 0
  let cancelBeat: Cancel | undefined
  let endPokes: (() => void) | undefined

  const tick = (decider: Decider, atMs: number): void => {
    if (!decider.tick(atMs)) return
    const { namespace, name } = decider
    const { desiredScale, excessBurstCapacity, isPanicking } = decider.decision()
    log.debug('decided', { revision: refText({ namespace, name }), desiredScale, excessBurstCapacity, isPanicking })
    for (const listener of [...listeners]) listener({ namespace, name })
  }

  const beat = (atMs: number): void => {
    const seen = new Map(loads!.snapshot(realClock.now()).map((load) => [refText(load), load]))
    const isTick = atMs % TICK_MS === 0
    for (const decider of [...awake]) {
      const load = seen.get(refText(decider))
      decider.second(load && { concurrency: load.averageConcurrency, requests: load.requestCount }, atMs)
      if (!isTick) continue
      tick(decider, atMs)
      if (!decider.isAwake(atMs)) awake.delete(decider)
    }
  }
  const schedule = (): void => {
    cancelBeat = undefined
    if (!loads || awake.size === 0) return
    cancelBeat = clock.after(nextBeatMs - clock.now(), () => {
      const nowMs = clock.now()
      nextBeatMs = Math.max(nextBeatMs, wholeSecond(nowMs - LONGEST_JUMP_MS))
      for (; nextBeatMs <= nowMs; nextBeatMs += SECOND_MS) beat(nextBeatMs)
      schedule()
    })
  }
  const wake = (decider: Decider): void => {
    awake.add(decider)
    if (cancelBeat || !loads) return
    // Whatever was counted while nobody looked belongs to no second of a window.
    loads.snapshot(realClock.now())
    nextBeatMs = wholeSecond(clock.now()) + SECOND_MS
    schedule()
  }
  const poke = (decider: Decider): void => {
    const nowMs = clock.now()
    wake(decider)
    decider.poke(nowMs)
    // One that wants Pods already is on its way to having some.
    if (decider.decision().desiredScale <= 0) tick(decider, nowMs)
  }

  return {
    config,
    follow(target) {
      const key = refText(target)
      const nowMs = clock.now()
      let decider = deciders.get(key)
      if (decider) {
        decider.update(target, config(), nowMs)
      } else {
        decider = createDecider(target, config(), nowMs)
        deciders.set(key, decider)
        if (pokedEarly.delete(key)) poke(decider)
      }
      if (!awake.has(decider) && decider.isAwake(nowMs)) wake(decider)
      return decider.decision()
    },
    forget(revision) {
      const key = refText(revision)
      const decider = deciders.get(key)
      pokedEarly.delete(key)
      if (!decider) return
      deciders.delete(key)
      awake.delete(decider)
    },
    onDecision(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    start(source) {
      loads = source
      endPokes = source.onFirstRequest(({ namespace, name }) => {
        const key = refText({ namespace, name })
        const decider = deciders.get(key)
        if (decider) poke(decider)
        else pokedEarly.add(key)
      })
      for (const decider of awake) wake(decider)
    },
    stop() {
      endPokes?.()
      cancelBeat?.()
      cancelBeat = undefined
      loads = undefined
    },
  }
}

const wholeSecond = (ms: number): number => Math.floor(ms / SECOND_MS) * SECOND_MS
