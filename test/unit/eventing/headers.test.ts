import { expect, test } from 'vitest'
import { createSeededRandom } from '../../../src/base/random.js'
import { nextHop, passedThrough } from '../../../src/eventing/headers.js'

test('headers that belong to the event’s way go on, in any case; all others stop', () => {
  const given = [
    ...['X-Request-Id', 'r1', 'Retry-After', '7', 'Knative-Foo', 'bar', 'X-B3-TraceId', 'b3', 'x-b3-sampled', '1'],
    ...['Traceparent', 'tp', 'tracestate', 'a=b', 'Baggage', 'k=v'],
    ...['Authorization', 'secret', 'Cookie', 'c', 'User-Agent', 'curl', 'X-Custom', '1', 'ce-id', '1', 'X-Request-Id-2', 'no'],
  ]
  expect(passedThrough(given)).toEqual([
    ['x-request-id', 'r1'],
    ['retry-after', '7'],
    ['knative-foo', 'bar'],
    ['x-b3-traceid', 'b3'],
    ['x-b3-sampled', '1'],
    ['traceparent', 'tp'],
    ['tracestate', 'a=b'],
    ['baggage', 'k=v'],
  ])
})

test('each hop is a parent of its own in the same trace; what is no traceparent goes on as it came', () => {
  const random = createSeededRandom(1)
  const first = nextHop(
    [
      ['traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
      ['tracestate', 'a=b'],
    ],
    random,
  )
  expect(first).toEqual([
    ['traceparent', expect.stringMatching(/^00-a{32}-(?!b{16})[0-9a-f]{16}-01$/)],
    ['tracestate', 'a=b'],
  ])
  expect(nextHop(first, random)).not.toEqual(first)
  expect(nextHop([['traceparent', 'rubbish']], random)).toEqual([['traceparent', 'rubbish']])
})
