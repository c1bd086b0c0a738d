import type { AttributeValue, CloudEvent } from '../cloudevents/event.js'
import type { HopPlace } from '../journal/hop.js'

export type HeaderPair = readonly [name: string, value: string]

/** Which event of which log another one answers, and who gave the answer. */
export interface ReplyOf {
  readonly at: HopPlace
  readonly origin: HopPlace
  readonly offset: number
}

/** An event as a broker or channel keeps it. */
export interface LoggedEvent {
  readonly event: CloudEvent
  /** The request's headers that are handed on to subscribers; names in lower case. */
  readonly headers: readonly HeaderPair[]
  readonly replyOf?: ReplyOf
  /** For a reply: the Triggers and Subscriptions (`Trigger default/paid`) that it and what it answers have been through. */
  readonly via?: readonly string[]
  /** It has been said already that this one goes round in circles. */
  readonly isLooping?: boolean
}

/** One that is in a log. */
export interface StoredEvent extends LoggedEvent {
  readonly offset: number
  /** What it takes in memory, roughly. */
  readonly bytes: number
}

interface RecordHead {
  attributes: [string, AttributeValue][]
  headers: readonly HeaderPair[]
  hasData: boolean
  replyOf?: ReplyOf
  via?: readonly string[]
  isLooping?: boolean
}

const LENGTH_BYTES = 4

/** An event as the bytes of a log's record: the length of a JSON text, that text, the payload as it is. */
export function recordFrom({ event, headers, replyOf, via, isLooping }: LoggedEvent): Buffer {
  const { attributes, data } = event
  const head: RecordHead = {
    attributes: [...attributes],
    headers,
    hasData: data !== undefined,
    ...(replyOf && { replyOf }),
    ...(via && { via }),
    ...(isLooping && { isLooping }),
  }
  const text = Buffer.from(JSON.stringify(head))
  const length = Buffer.allocUnsafe(LENGTH_BYTES)
  length.writeUInt32LE(text.length)
  return Buffer.concat(data ? [length, text, data] : [length, text])
}

/** The event of a record; shares its memory. */
export function eventFrom(offset: number, bytes: Buffer): StoredEvent {
  const dataStart = LENGTH_BYTES + bytes.readUInt32LE(0)
  const { attributes, hasData, ...rest } = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, dataStart)) as RecordHead
  const data = hasData ? { data: bytes.subarray(dataStart) } : {}
  return { ...rest, event: { attributes: new Map(attributes), ...data }, offset, bytes: bytes.length }
}
