import type { AutoscalerConfig } from './config.js'
import { type DeciderState, decide, newDecider, UNKNOWN_SCALE, type Verdict } from './decide.js'
import { type ScaleSettings, type ScaleSubject, settingsFrom } from './settings.js'
import { createWindow, type Window } from './window.js'

/** A Revision to scale. */
export interface ScaleTarget extends ScaleSubject {
  namespace: string
  name: string
  /** Its Pods that are ready now. */
  readyPods(): number
}

/** Where a decider stands. */
export interface Decision extends Verdict {
  isPanicking: boolean
  settings: ScaleSettings
}

/** The load of one Revision in one second. */
export interface SecondOfLoad {
  concurrency: number
  requests: number
}

/** One Revision's series and decision. */
export interface Decider {
  readonly namespace: string
  readonly name: string
  decision(): Decision
  /** Takes over what changed in the target or in the configuration. */
  update(target: ScaleTarget, config: AutoscalerConfig, nowMs: number): void
  /** The first request for a Revision without instances: load of one, at once. */
  poke(nowMs: number): void
  /** One second has passed with this load; undefined: no request was there. */
  second(load: SecondOfLoad | undefined, nowMs: number): void
  /** Decides anew. True when the PodAutoscaler has to know: another scale, or another sign of the excess burst capacity. */
  tick(nowMs: number): boolean
  /** Whether ticks could change anything; at zero without traffic they cannot. */
  isAwake(nowMs: number): boolean
}

/**
 * What a request weighs that began and ended within one millisecond of the clock it is measured by, in seconds: where it is
 * the only one it would weigh nothing, and a Service with short and rare requests would lose its last Pod.
 */
const SHORTEST_REQUEST_S = 0.0005

const ONE_REQUEST: SecondOfLoad = { concurrency: 1, requests: 1 }
const NO_LOAD: SecondOfLoad = { concurrency: 0, requests: 0 }

/** @see knative/serving v1.23 pkg/autoscaler/metrics/collector.go, pkg/activator/handler/concurrency_reporter.go */
export function createDecider(first: ScaleTarget, config: AutoscalerConfig, nowMs: number): Decider {
  let target = first
  let settings = settingsFrom(config, target)
  let state: DeciderState
  let verdict: Verdict
  ;({ state, verdict } = newDecider(settings, target.readyPods(), nowMs))
  let stable: Window
  let panic: Window
  const openWindows = (): void => {
    stable = createWindow(settings.averaging, settings.stableWindowMs)
    panic = createWindow(settings.averaging, settings.panicWindowMs)
  }
  openWindows()
  /** Said with a poke, and not to be said again with the second it belongs to. */
  let isPoked = false
  /** The second before had load: the report that it is over is still due. */
  let isReported = false

  const record = ({ concurrency, requests }: SecondOfLoad, atMs: number): void => {
    const value = settings.metric === 'rps' ? requests : concurrency
    stable.record(atMs, value)
    panic.record(atMs, value)
  }
  /** Without limit to the burst all requests pass the activator, whose reports are all there is. */
  const isScraped = (): boolean => settings.targetBurstCapacity !== -1

  return {
    namespace: first.namespace,
    name: first.name,
    decision: () => ({ ...verdict, isPanicking: state.panicMs !== undefined, settings }),
    update(next, nextConfig, atMs) {
      const before = settings
      target = next
      settings = settingsFrom(nextConfig, target)
      if (settings.metric !== before.metric || settings.averaging !== before.averaging) return openWindows()
      stable.resize(settings.stableWindowMs, atMs)
      panic.resize(settings.panicWindowMs, atMs)
    },
    poke(atMs) {
      record(ONE_REQUEST, atMs)
      isPoked = true
      isReported = true
    },
    second(load, atMs) {
      const said = isPoked ? 1 : 0
      isPoked = false
      if (load) {
        const concurrency = load.concurrency || load.requests * SHORTEST_REQUEST_S
        record({ concurrency: Math.max(concurrency - said, 0), requests: Math.max(load.requests - said, 0) }, atMs)
      } else if (isReported || (isScraped() && target.readyPods() > 0)) {
        record(NO_LOAD, atMs)
      }
      isReported = load !== undefined
    },
    tick(atMs) {
      // Without a Pod to ask and without a report nothing is known; an activator that says nothing has no request.
      if (isScraped() && stable.isEmpty(atMs)) return false
      const before = verdict
      const observation = {
        nowMs: atMs,
        readyPods: target.readyPods(),
        stableValue: stable.average(atMs),
        panicValue: panic.average(atMs),
      }
      ;({ state, verdict } = decide(settings, state, observation))
      const isSameSign = before.excessBurstCapacity < 0 === verdict.excessBurstCapacity < 0
      return before.desiredScale !== verdict.desiredScale || !isSameSign
    },
    isAwake(atMs) {
      if (!stable.isEmpty(atMs) || isReported || verdict.desiredScale > 0 || target.readyPods() > 0) return true
      return !isScraped() && (verdict.desiredScale === UNKNOWN_SCALE || state.panicMs !== undefined)
    },
  }
}
