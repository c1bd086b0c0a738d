/** Which event: within one emulator, `source` and `id` name it as they do for its producer. */
export interface EventIdentity {
  id: string
  source: string
  type: string
  subject?: string
}

/** Where something happened: `{ kind: 'Trigger', namespace: 'default', name: 'paid' }`. */
export interface HopPlace {
  kind: 'Broker' | 'Trigger' | 'InMemoryChannel' | 'Subscription'
  namespace: string
  name: string
}

/** A place that an event was not for, and the clause that says so. */
export interface Miss {
  readonly at: HopPlace
  readonly clause: string
  readonly expected: string
  readonly actual: string | undefined
}

interface HopBase {
  /** Milliseconds of the virtual clock. */
  atMs: number
  event: EventIdentity
  /** The Broker or channel whose log holds the event, and its offset there: together they are unique in an instance. */
  origin: HopPlace
  offset: number
}

/**
 * One thing that happened to an event on its way. Handed to the journal by the data path, which never waits for it.
 * `accepted` carries what replay needs; everything later refers to it by origin and offset.
 */
export type Hop = HopBase &
  (
    | {
        hop: 'accepted'
        attributes: Record<string, string | number | boolean>
        data?: Buffer
        replyOf?: { at: HopPlace; origin: HopPlace; offset: number }
      }
    | {
        hop: 'filtered'
        at: HopPlace
        clause: string
        expected: string
        actual: string | undefined
        /** A sentence that says the same, and what may be meant (Verdict in src/cloudevents/filters.ts). */
        reason?: string
        hint?: string
      }
    /** Filtered at many places at once. The list is the same one for many events, so that it costs each of them next to nothing. */
    | { hop: 'missed'; misses: readonly Miss[] }
    | {
        hop: 'attempted'
        at: HopPlace
        destination: string
        attempt: number
        statusCode?: number
        error?: string
        /** What the status alone does not say: `answered 200 with a body that is no event`. */
        note?: string
        tookMs: number
        retryInMs?: number
      }
    | { hop: 'delivered'; at: HopPlace; destination: string; attempts: number; statusCode: number }
    | { hop: 'replied'; at: HopPlace; destination: string; reply: EventIdentity; statusCode?: number; error?: string }
    | { hop: 'dead-lettered'; at: HopPlace; destination: string; statusCode?: number; error?: string }
    | { hop: 'dropped'; at: HopPlace; why: string }
    /** It came back to where it has been: the places of the round, the first of them again at the end. It is delivered all the same. */
    | { hop: 'looped'; at: HopPlace; cycle: readonly string[] }
  )

/** Takes hops; never throws, never blocks. Durable within moments, and after those of the same event before it. */
export type RecordHop = (hop: Hop) => void
