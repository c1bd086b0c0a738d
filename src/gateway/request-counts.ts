/** What one revision was asked to do since the snapshot before. */
export interface RevisionLoad {
  namespace: string
  name: string
  /** Requests in flight on average, weighted by time: waiting ones and open WebSockets included, kubelet probes not. */
  averageConcurrency: number
  /** Requests that arrived. */
  requestCount: number
}

/** The gateway's side of autoscaling: what a queue-proxy and an activator would report. */
export interface RequestCounts {
  /**
   * The load of every revision that had requests since the last snapshot; a revision that is missing had none.
   * `nowMs` is the real clock's: where the emulator's clock jumps ahead, no real time passes between two snapshots,
   * and what is in flight at that moment stands for the average.
   */
  snapshot(nowMs: number): readonly RevisionLoad[]
  /**
   * Calls back when a request arrives for a revision without a ready instance (once until it has one, as an activator
   * pokes the autoscaler), and at once for those where one is waiting already. Returns how to end that.
   */
  onFirstRequest(listener: (revision: { namespace: string; name: string }) => void): () => void
  /** Whether any revision without a ready instance has a request waiting. */
  areUnserved(): boolean
}

/** Plain integers, kept by reference on the request path. */
export interface Counter {
  readonly namespace: string
  readonly name: string
  inFlight: number
  arrived: number
  /** In-flight requests times milliseconds since the last snapshot, up to `changedMs`. */
  weightedMs: number
  changedMs: number
  /** It is in the list that the next snapshot reads. */
  listed: boolean
  wanted: boolean
}

export interface CountKeeper extends RequestCounts {
  counter(namespace: string, name: string): Counter
  began(counter: Counter, nowMs: number): void
  ended(counter: Counter, nowMs: number): void
  /** Someone waits and no instance is ready; said again only after `served`. */
  wanted(counter: Counter): void
  served(counter: Counter): void
}

/** @see knative/serving v1.23 pkg/activator/handler/concurrency_reporter.go */
export function createRequestCounts(startMs: number): CountKeeper {
  let active: Counter[] = []
  let sinceMs = startMs
  const unserved = new Set<Counter>()
  const listeners = new Set<(revision: { namespace: string; name: string }) => void>()

  const advance = (counter: Counter, nowMs: number): void => {
    if (nowMs > counter.changedMs) {
      counter.weightedMs += counter.inFlight * (nowMs - counter.changedMs)
      counter.changedMs = nowMs
    }
  }

  return {
    counter: (namespace, name) => ({
      namespace,
      name,
      inFlight: 0,
      arrived: 0,
      weightedMs: 0,
      changedMs: sinceMs,
      listed: false,
      wanted: false,
    }),
    began(counter, nowMs) {
      if (!counter.listed) {
        counter.listed = true
        active.push(counter)
      }
      advance(counter, nowMs)
      counter.inFlight++
      counter.arrived++
    },
    ended(counter, nowMs) {
      advance(counter, nowMs)
      counter.inFlight--
    },
    wanted(counter) {
      if (counter.wanted) return
      counter.wanted = true
      unserved.add(counter)
      for (const listener of [...listeners]) listener({ namespace: counter.namespace, name: counter.name })
    },
    served(counter) {
      if (!counter.wanted) return
      counter.wanted = false
      unserved.delete(counter)
    },
    snapshot(nowMs) {
      const elapsedMs = nowMs - sinceMs
      const loads: RevisionLoad[] = []
      const still: Counter[] = []
      for (const counter of active) {
        advance(counter, nowMs)
        const averageConcurrency = elapsedMs > 0 ? counter.weightedMs / elapsedMs : counter.inFlight
        loads.push({ namespace: counter.namespace, name: counter.name, averageConcurrency, requestCount: counter.arrived })
        counter.weightedMs = 0
        counter.arrived = 0
        counter.listed = counter.inFlight > 0
        if (counter.listed) still.push(counter)
      }
      active = still
      sinceMs = Math.max(sinceMs, nowMs)
      return loads
    },
    onFirstRequest(listener) {
      listeners.add(listener)
      for (const { namespace, name } of unserved) listener({ namespace, name })
      return () => void listeners.delete(listener)
    },
    areUnserved: () => unserved.size > 0,
  }
}
