import type { Random } from '../base/random.js'
import type { HeaderPair } from './event-record.js'

/** Handed on from a request to what follows from it, in the sense of tracing: W3C's headers, whose parent changes at every hop. */
const TRACING = new Set(['traceparent', 'tracestate', 'baggage'])
/** @see knative/eventing v1.22 pkg/utils/headers.go */
const KEPT = new Set(['x-request-id', 'retry-after'])
const KEPT_PREFIXES = ['knative-', 'x-b3-']

/** The headers of a request or response (flat list of names and values) that go on with the event; all others stop here. */
export function passedThrough(headers: readonly string[]): HeaderPair[] {
  const passed: HeaderPair[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!.toLowerCase()
    if (KEPT.has(name) || TRACING.has(name) || KEPT_PREFIXES.some((prefix) => name.startsWith(prefix)))
      passed.push([name, headers[at + 1]!])
  }
  return passed
}

/** The same headers for the next hop: of the same trace, from a parent of its own. */
export function nextHop(headers: readonly HeaderPair[], random: Random): readonly HeaderPair[] {
  if (!headers.some(([name]) => name === 'traceparent')) return headers
  return headers.map(([name, value]): HeaderPair => {
    const parts = name === 'traceparent' && /^([0-9a-f]{2}-[0-9a-f]{32})-[0-9a-f]{16}-(.*)$/.exec(value)
    return parts ? [name, `${parts[1]}-${random.bytes(8).toString('hex')}-${parts[2]}`] : [name, value]
  })
}
