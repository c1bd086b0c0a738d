import { describe, expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/base/clock.js'
import type { DeliveryPolicy } from '../../../src/delivery/backoff.js'
import { retryDelayMs } from '../../../src/delivery/backoff.js'
import { deadLetterFrom } from '../../../src/delivery/dead-letter.js'
import { type Attempt, deliver, type Outcome } from '../../../src/delivery/deliver.js'
import type { Answer } from '../../../src/delivery/send.js'

const OUTGOING = { url: 'http://sink', headers: [], body: Buffer.from('x') }

/** Delivers to a sink that gives these answers in turn, the last one for ever; says when it was asked. */
function aDelivery(policy: DeliveryPolicy, ...answers: Answer[]) {
  const clock = createVirtualClock({ startMs: 0 })
  const sentAt: number[] = []
  const attempts: Attempt[] = []
  const waits: boolean[] = []
  const given = new AbortController()
  const send = async (): Promise<Answer> => {
    sentAt.push(clock.now())
    return answers[Math.min(sentAt.length, answers.length) - 1]!
  }
  const outcome: Promise<Outcome> = deliver(OUTGOING, policy, {
    clock,
    realClock: clock,
    send,
    signal: given.signal,
    onAttempt: (attempt) => attempts.push(attempt),
    onWaiting: (isWaiting) => waits.push(isWaiting),
  })
  outcome.catch(() => {})
  return { clock, sentAt, attempts, waits, outcome, abort: () => given.abort(new Error('stopped')) }
}

describe('retries', () => {
  test('an exponential policy waits 1 s, 2 s and 4 s, then gives up with the last status', async () => {
    const { clock, sentAt, attempts, outcome } = aDelivery(
      { retry: 3, backoffPolicy: 'exponential', backoffDelayMs: 1000 },
      { statusCode: 503 },
    )
    await clock.advance(7000)
    expect(sentAt).toEqual([0, 1000, 3000, 7000])
    expect(await outcome).toEqual({ ok: false, attempts: 4, statusCode: 503 })
    expect(attempts.map(({ retryInMs }) => retryInMs)).toEqual([1000, 2000, 4000, undefined])
  })

  test('a linear policy tries again at once the first time, then waits one, two, three delays', async () => {
    const { clock, sentAt, outcome } = aDelivery({ retry: 4, backoffPolicy: 'linear', backoffDelayMs: 1000 }, { error: 'refused' })
    await clock.advance(6000)
    expect(sentAt).toEqual([0, 0, 1000, 3000, 6000])
    expect(await outcome).toEqual({ ok: false, attempts: 5, error: 'refused' })
  })

  test('without a policy or a delay there is no wait, and without retries one attempt', async () => {
    expect(retryDelayMs({ retry: 1, backoffDelayMs: 1000 }, 3)).toBe(0)
    expect(retryDelayMs({ retry: 1, backoffPolicy: 'exponential' }, 3)).toBe(0)
    const once = aDelivery({ retry: 0 }, { statusCode: 500 })
    expect(await once.outcome).toEqual({ ok: false, attempts: 1, statusCode: 500 })
  })

  test.each([500, 502, 503, 504, 599, 404, 408, 409, 429])('%i is tried again', async (statusCode) => {
    const { clock, outcome } = aDelivery({ retry: 1 }, { statusCode }, { statusCode: 200 })
    await clock.advance(0)
    expect(await outcome).toEqual({ ok: true, attempts: 2, statusCode: 200 })
  })

  test.each([100, 300, 302, 304, 400, 401, 403, 405, 410, 413, 422])('%i ends it at the first attempt', async (statusCode) => {
    expect(await aDelivery({ retry: 5 }, { statusCode }).outcome).toEqual({ ok: false, attempts: 1, statusCode })
  })

  test.each([200, 201, 202, 204, 299])('%i is success', async (statusCode) => {
    expect(await aDelivery({ retry: 5 }, { statusCode }).outcome).toEqual({ ok: true, attempts: 1, statusCode })
  })

  test('whoever waits is told so, and stopping ends the wait', async () => {
    const { clock, waits, outcome, abort, sentAt } = aDelivery(
      { retry: 1, backoffPolicy: 'exponential', backoffDelayMs: 1000 },
      { statusCode: 500 },
    )
    await clock.advance(500)
    expect(waits).toEqual([true])
    abort()
    await expect(outcome).rejects.toThrow('stopped')
    expect([waits, sentAt]).toEqual([[true, false], [0]])
  })
})

describe('Retry-After', () => {
  const policy: DeliveryPolicy = { retry: 1, backoffPolicy: 'exponential', backoffDelayMs: 1000, retryAfterMaxMs: 10_000 }
  const asking = (value: string, statusCode = 429): Answer => ({ statusCode, headers: ['Retry-After', value] })
  test.each<[string, DeliveryPolicy, Answer, number]>([
    ['in seconds is heeded', policy, asking('5'), 5000],
    ['as a date is heeded', policy, asking(new Date(7000).toUTCString(), 503), 7000],
    ['is cut to the longest that is allowed', policy, asking('60'), 10_000],
    ['shorter than the back-off changes nothing', policy, asking('0'), 1000],
    ['of another status is not heeded', policy, asking('5', 500), 1000],
    ['that says nothing is not heeded', policy, asking('soon'), 1000],
    ['is not heeded with a limit of 0', { ...policy, retryAfterMaxMs: 0 }, asking('5'), 1000],
    ['is not heeded without a limit', { retry: 1, backoffPolicy: 'exponential', backoffDelayMs: 1000 }, asking('5'), 1000],
  ])('%s', async (_, given, answer, waitMs) => {
    const { clock, sentAt } = aDelivery(given, answer)
    await clock.advance(60_000)
    expect(sentAt).toEqual([0, waitMs])
  })
})

describe('dead letters', () => {
  const event = { attributes: new Map([['id', '1']]), data: Buffer.from('x') }
  const added = (letter: ReturnType<typeof deadLetterFrom>) => Object.fromEntries([...letter.attributes].filter(([name]) => name !== 'id'))

  test('say where it failed, with which status, and how the answer began', () => {
    const answer = { statusCode: 422, body: Buffer.from('no') }
    expect(added(deadLetterFrom(event, { destination: 'http://sink/a', answer }))).toEqual({
      knativeerrordest: 'http://sink/a',
      knativeerrorcode: '422',
      knativeerrordata: 'bm8=',
    })
    expect(event.attributes.size).toBe(1)
  })

  test('keep what an earlier failure wrote', () => {
    const twice = deadLetterFrom(deadLetterFrom(event, { destination: 'http://one/', answer: { statusCode: 500 } }), {
      destination: 'http://two/',
      answer: { statusCode: 400, body: Buffer.from('x') },
    })
    expect(added(twice)).toEqual({ knativeerrordest: 'http://one/', knativeerrorcode: '500', knativeerrordata: '' })
  })

  test('name a destination that is no URL of HTTP as it was asked', () => {
    const { knativeerrordest, knativeerrorcode, knativeerrordata } = added(
      deadLetterFrom(event, { destination: 'bad://uri', answer: { error: 'x' } }),
    )
    expect([knativeerrordest, knativeerrorcode]).toEqual(['http://uri/', '500'])
    expect(Buffer.from(String(knativeerrordata), 'base64').toString()).toBe('dispatch error: x')
  })
})
