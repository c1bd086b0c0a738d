import type { Clock } from '../base/clock.js'
import type { Activator, Gate, Waiter } from './activator.js'
import type { ServiceGate } from './core-services.js'
import { createDeadline, type Deadline, type Deadlines } from './deadlines.js'
import type { Instance } from './instance.js'
import { answerToProbe, isKubeletProbe, type ProbeAnswer } from './probe.js'
import type { CountKeeper } from './request-counts.js'
import type { LoggedExchange, RequestLog } from './request-log.js'
import type { Target } from './routes.js'

/** What the gateway answers by itself. */
export interface Refusal {
  status: number
  body: string
  /** Written by Go's http.Error, which says so in its headers and ends the text with a newline. */
  isError: boolean
}

/** What a connection does at the stations of a request's way; implemented for HTTP/1.1 sockets and for streams alike. */
export interface Traveller {
  /** Go ahead to this instance: its slot is taken. */
  forward(instance: Instance): void
  /** Answer this instead: nothing has been sent yet. */
  refuse(refusal: Refusal): void
  /** Time is up in mid-response: append the text where that is possible, and break off. */
  cut(text: string): void
  /** The request and its response as far as that has gone, for the request log. */
  logged(): LoggedExchange
}

/** A request on its way. One record is used again for every request of a connection. */
export interface Passage {
  readonly traveller: Traveller
  readonly waiter: Waiter
  readonly deadline: Deadline
  gate: Gate | undefined
  instance: Instance | undefined
  isCounted: boolean
  /** It has waited for an instance, as it would have in an activator. */
  wasHeld: boolean
  /** The response has begun. Never set for a connection that was upgraded: its bytes pass no response writer. */
  isStarted: boolean
  attempts: number
  beganMs: number
  /** When its instance was chosen. */
  sentMs: number
  lastWriteMs: number
}

export interface Passages {
  create(traveller: Traveller): Passage
  /**
   * Takes a request to its revision: counts it, arms its limits, and forwards it now, later, or never. One for a core Service
   * is forwarded at once or refused: nothing counts or limits it, and a probe is a request like any other.
   */
  enter(passage: Passage, target: Target, probe: ProbeFields): void
  /** The instance could not be reached and nothing was sent: tries another, or refuses with `why`. */
  tryAnother(passage: Passage, why: string): void
  /** The response goes out: from now on only total and idle time count. */
  started(passage: Passage): void
  wrote(passage: Passage): void
  /** The request is over, however it ended. Calling it twice does nothing. */
  leave(passage: Passage): void
  /** It is over without a response: it gets this answer. */
  refuse(passage: Passage, refusal: Refusal): void
}

export interface ProbeFields {
  probe: string
  probeHash: string
  userAgent: string
}

/** A request that finds nobody listening is taken to at most this many instances. */
const MAX_ATTEMPTS = 3

/**
 * The way of a request once its revision is known: probe? count, hold, limit, forward. Timers, queues and counts are all here,
 * so that both protocols obey the same rules.
 *
 * @see knative/serving v1.23 pkg/activator/handler/handler.go, pkg/http/handler/timeout.go
 */
export function createPassages(deps: {
  activator: Activator
  counts: CountKeeper
  deadlines: Deadlines
  requestLog: RequestLog
  clock: Clock
}): Passages {
  const { activator, counts, deadlines, requestLog, clock } = deps

  const note = (passage: Passage, instance: Instance, refusal: Refusal | undefined): void => {
    const { gate, traveller, isCounted, sentMs } = passage
    if (!gate?.counter || (!isCounted && !requestLog.logsProbes)) return
    const exchange = traveller.logged()
    if (refusal) {
      exchange.status = refusal.status
      exchange.responseBytes = Buffer.byteLength(refusal.body) + (refusal.isError ? 1 : 0)
    } else {
      // A client that gave up got nothing, which Go's recorder takes for a success.
      exchange.status ||= 200
    }
    const { namespace, name } = gate.counter
    requestLog.add(exchange, { namespace, revision: name, instance, latencyMs: clock.now() - sentMs })
  }
  const leave = (passage: Passage, refusal?: Refusal): void => {
    deadlines.disarm(passage.deadline)
    const { gate, instance } = passage
    if (!gate) return
    if (requestLog.isOn && instance) note(passage, instance, refusal)
    passage.gate = undefined
    passage.instance = undefined
    if (passage.isCounted && gate.counter) counts.ended(gate.counter, clock.now())
    gate.forget(passage.waiter)
    if (instance) gate.leave(instance)
  }

  const answer = (passage: Passage, refusal: Refusal): void => {
    leave(passage, refusal)
    passage.traveller.refuse(refusal)
  }

  const enterService = (passage: Passage, gate: ServiceGate) => {
    passage.gate = gate
    passage.instance = undefined
    passage.isCounted = false
    passage.wasHeld = false
    passage.isStarted = false
    passage.attempts = 1
    const instance = gate.enter()
    if (instance === 'full') return answer(passage, { status: 503, body: gate.whyRefused, isError: true })
    passage.instance = instance
    passage.traveller.forward(instance)
  }

  /** The earliest limit still running; a write moves only the idle one, so it is looked at again when something is due. */
  const nextDueMs = ({ beganMs, lastWriteMs, isStarted }: Passage, { limits }: Gate): number => {
    let dueMs = beganMs + limits.timeoutMs
    if (limits.responseStartTimeoutMs > 0 && !isStarted) dueMs = Math.min(dueMs, beganMs + limits.responseStartTimeoutMs)
    if (limits.idleTimeoutMs > 0) dueMs = Math.min(dueMs, lastWriteMs + limits.idleTimeoutMs)
    return dueMs
  }

  const expired = (passage: Passage) => {
    const { gate } = passage
    if (!gate) return
    const dueMs = nextDueMs(passage, gate)
    if (clock.now() < dueMs) return deadlines.arm(passage.deadline, dueMs)
    const text = passage.instance ? 'request timeout' : 'activator request timeout'
    if (!passage.isStarted) return answer(passage, { status: 504, body: text, isError: false })
    leave(passage)
    passage.traveller.cut(text)
  }

  return {
    create(traveller) {
      const passage: Passage = {
        traveller,
        waiter: {
          granted(instance) {
            passage.instance = instance
            passage.sentMs = clock.now()
            traveller.forward(instance)
          },
          isWaiting: false,
          ahead: undefined,
          behind: undefined,
        },
        deadline: createDeadline(() => expired(passage)),
        gate: undefined,
        instance: undefined,
        isCounted: false,
        wasHeld: false,
        isStarted: false,
        attempts: 0,
        beganMs: 0,
        sentMs: 0,
        lastWriteMs: 0,
      }
      return passage
    },

    enter(passage, target, probe) {
      if (target.service) return enterService(passage, target.service)
      const gate = activator.gate(target.key)
      if (!gate) {
        const body = `Error getting active endpoint: revision.serving.knative.dev "${target.name}" not found`
        return passage.traveller.refuse({ status: 404, body, isError: true })
      }
      const probed: ProbeAnswer | undefined =
        probe.probe === '' && !isKubeletProbe(probe.userAgent) ? undefined : answerToProbe(probe, gate.readyCount > 0)
      if (probed) return passage.traveller.refuse(probed)

      const nowMs = clock.now()
      passage.gate = gate
      passage.instance = undefined
      passage.isCounted = !isKubeletProbe(probe.userAgent)
      passage.isStarted = false
      passage.attempts = 1
      passage.beganMs = nowMs
      passage.sentMs = nowMs
      passage.lastWriteMs = nowMs
      if (passage.isCounted) counts.began(gate.counter, nowMs)
      deadlines.arm(passage.deadline, nextDueMs(passage, gate))

      const entered = gate.enter(passage.waiter)
      passage.wasHeld = entered === 'held'
      if (entered === 'full') return answer(passage, { status: 503, body: 'pending request queue full', isError: true })
      if (entered === 'held') return
      passage.instance = entered
      passage.traveller.forward(entered)
    },

    tryAnother(passage, why) {
      const { gate, instance } = passage
      if (!gate || !instance) return
      passage.instance = undefined
      gate.leave(instance)
      const next = passage.attempts++ < MAX_ATTEMPTS ? gate.enterAnother(passage.waiter, instance) : undefined
      if (next === undefined) {
        const refusal = { status: 502, body: why, isError: true }
        if (requestLog.isOn) note(passage, instance, refusal)
        return answer(passage, refusal)
      }
      if (next === 'held') return
      passage.instance = next
      passage.traveller.forward(next)
    },

    started(passage) {
      passage.isStarted = true
      if (passage.gate && passage.gate.limits.idleTimeoutMs > 0) passage.lastWriteMs = clock.now()
    },
    wrote(passage) {
      if (passage.gate && passage.gate.limits.idleTimeoutMs > 0) passage.lastWriteMs = clock.now()
    },
    leave: (passage) => leave(passage),
    refuse: answer,
  }
}
