import type { KubeObject } from '../../../apimachinery/object.js'

/** An event as a Broker or channel took it, and all that became of it there: read from the journal, never written by clients. */
export interface EventRecord extends KubeObject {
  spec: {
    id: string
    source: string
    type: string
    subject?: string
    /** All context attributes and extensions, as they came. Absent where the acceptance is not on record. */
    attributes?: Record<string, string | number | boolean>
    /** What was kept of the payload, base64. */
    data?: string
    /** Length of the payload as it came; absent for an event without data. */
    dataBytes?: number
    /** With milliseconds. */
    acceptedAt: string
    origin: RecordOrigin
    /** Of an event that a subscriber answered with: what it was the answer to. */
    replyOf?: { at: RecordPlace; origin: RecordOrigin; record?: string }
  }
  status: {
    state: EventState
    /** In the order in which the Triggers or Subscriptions had to do with it. */
    hops: RecordHop[]
  }
}

export interface RecordPlace {
  kind: string
  namespace: string
  name: string
}

export interface RecordOrigin extends RecordPlace {
  /** In the log of the Broker or channel. */
  offset: number
}

/** What became of the event at one Trigger or Subscription. Times have milliseconds. */
export interface RecordHop {
  at: RecordPlace
  outcome: HopOutcome
  filtered?: { time: string; clause: string; expected: string; actual?: string; reason?: string; hint?: string }
  /** The newest ones. */
  attempts?: RecordAttempt[]
  attemptCount?: number
  delivered?: { time: string; destination: string; statusCode: number }
  /** `record` is the name of the reply's own record, once a Broker or channel took it. */
  reply?: {
    time: string
    destination?: string
    id: string
    source: string
    type: string
    record?: string
    statusCode?: number
    error?: string
  }
  deadLetter?: { time: string; destination: string; statusCode?: number; error?: string }
  dropped?: { time: string; why: string }
  /** The places that a reply went through to come back here, the first of them again at the end. */
  looped?: { time: string; cycle: readonly string[] }
}

export interface RecordAttempt {
  time: string
  number: number
  destination: string
  statusCode?: number
  error?: string
  /** What the status alone does not say: `answered 200 with a body that is no event`. */
  note?: string
  /** Go durations. */
  took: string
  retryIn?: string
}

export const HOP_OUTCOMES = ['Pending', 'Filtered', 'Delivered', 'DeadLettered', 'Failed', 'Dropped'] as const
export type HopOutcome = (typeof HOP_OUTCOMES)[number]

/**
 * The worst outcome anywhere: Failed, then Dropped, then Delivering (something is pending), DeadLettered, Delivered. Filtered: nobody
 * wanted it. Accepted: nothing is known yet, or there is nobody who could want it.
 */
export const EVENT_STATES = ['Accepted', 'Filtered', 'Delivering', 'Delivered', 'DeadLettered', 'Failed', 'Dropped'] as const
export type EventState = (typeof EVENT_STATES)[number]

/** On every record whose origin is a Broker, as on its Triggers. */
export const BROKER_LABEL = 'eventing.knative.dev/broker'
