import type { Clock } from '../base/clock.js'
import type { Random } from '../base/random.js'
import { destinationOf, type Entrance } from './destination.js'
import { forwardedHeaders, hostPort, plainAddress } from './forwarded.js'
import { isSafeHost } from './http1-fields.js'
import type { Instance } from './instance.js'
import { type OwnAnswer, ownAnswer } from './own-answer.js'
import type { Passages } from './passage.js'
import type { Routes } from './routes.js'
import { type Back, type BackEvents, endToEnd, sendOverHttp1, sendOverHttp2 } from './stream-back.js'
import type { Front, HeaderPair } from './stream-front.js'

export interface TransitDeps {
  routes: Routes
  passages: Passages
  random: Random
  clock: Clock
}

/** Taken out of what the client sent: they are the gateway's to set, or are answered by it. */
const NOT_FORWARDED = new Set([
  'knative-serving-revision',
  'knative-serving-namespace',
  'k-proxy-request',
  'k-original-host',
  'k-network-hash',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'forwarded',
  'expect',
])

/**
 * Takes a request to its application where HTTP/2 is spoken on either side: the same passage as on the raw forwarder's way,
 * over Node's own streams. Bodies stream both ways at once, trailers are passed on, and what breaks on one side breaks
 * on the other.
 */
export function serveStream(front: Front, entrance: Entrance, deps: TransitDeps): void {
  const { passages } = deps
  let back: Back | undefined
  let isOver = false
  let isStarted = false
  let responseStatus = 0
  let responseBytes = 0

  const headerText = (name: string): string => {
    const values = front.headers.filter((pair) => pair[0] === name).map((pair) => pair[1])
    return values.join(', ')
  }
  const headerValue = (name: string): string | undefined => front.headers.find((pair) => pair[0] === name)?.[1]

  const refuse = (answer: OwnAnswer): void => {
    isOver = true
    back?.abort()
    const { headers, text } = ownAnswer(answer, deps.clock.now())
    const hasBody = text !== '' && front.method !== 'HEAD'
    front.respond(answer.status, headers, !hasBody)
    if (hasBody) {
      front.out.write(text)
      front.finish([])
    }
    front.body.resume()
  }

  if (front.method === 'CONNECT') {
    refuse({ status: 405, body: '', isError: false })
    return
  }
  const address = { host: front.host, originalHost: headerText('k-original-host'), target: front.path, headerValue }
  if (!isSafeHost(address.host) || !isSafeHost(address.originalHost)) {
    refuse({ status: 400, body: '', isError: false })
    return
  }
  const destination = destinationOf(address, entrance, deps)
  if (!destination) {
    refuse({ status: 404, body: '', isError: false })
    return
  }

  // An application behind a core Service is spoken to as its client speaks: there is no one in between on a cluster.
  const speaksHttp2 = destination.target.service ? front.protocol === 'HTTP/2.0' : destination.target.http2

  const request = (): { method: string; path: string; host: string; headers: HeaderPair[]; hasBody: boolean } => {
    const { target, headers: appended, host } = destination
    if (target.service) return { method: front.method, path: front.path, host, headers: endToEnd(front.headers), hasBody: front.hasBody }
    const kept = endToEnd(front.headers).filter(([name]) => !NOT_FORWARDED.has(name) && !appended.has(name))
    const forwarded = {
      forwardedFor: headerText('x-forwarded-for'),
      forwardedProto: headerText('x-forwarded-proto'),
      forwardedHost: headerText('x-forwarded-host'),
      forwarded: headerText('forwarded'),
    }
    const own = forwardedHeaders(forwarded, plainAddress(front.remoteAddress), front.host)
    const headers: HeaderPair[] = [...kept, ...appended, ...own.map(([name, value]): HeaderPair => [name.toLowerCase(), value])]
    if (passage.wasHeld) headers.push(['k-proxy-request', 'activator'])
    return { method: front.method, path: front.path, host, headers, hasBody: front.hasBody }
  }

  /** A client that gives up, a break, a limit: both sides end, whoever began. */
  const breakOff = (): void => {
    isOver = true
    passages.leave(passage)
    back?.abort()
    if (isStarted) front.abort()
  }

  const forward = (instance: Instance): void => {
    const events: BackEvents = {
      informed(status, headers) {
        if (status !== 100) front.inform(status, endToEnd(headers))
      },
      responded(status, headers, body) {
        if (isOver) return
        try {
          front.respond(status, headers, body === undefined)
        } catch (error) {
          // What HTTP/1.1 lets pass, a second Content-Type say, HTTP/2 may not.
          return events.failed((error as Error).message, true)
        }
        isStarted = true
        responseStatus = status
        passages.started(passage)
        if (!body) return done()
        body.on('data', (bytes: Buffer) => {
          responseBytes += bytes.length
          passages.wrote(passage)
        })
        body.on('end', () => {
          if (isOver || !back?.isWhole()) return
          front.finish(back.trailers())
          done()
        })
        body.pipe(front.out, { end: false })
      },
      failed(why, wasConnected) {
        if (isOver) return
        if (!wasConnected && !isBodyTaken) return passages.tryAnother(passage, why)
        if (isStarted) return breakOff()
        passages.refuse(passage, { status: 502, body: why, isError: true })
      },
    }
    let current: Back
    try {
      current = speaksHttp2 ? sendOverHttp2(instance, request(), events) : sendOverHttp1(instance, request(), events)
    } catch (error) {
      events.failed((error as Error).message, true)
      return
    }
    back = current
    if (!front.hasBody) return
    // Only once it is clear that someone listens: a body that has been read cannot be sent to another instance.
    current.connected(() => {
      if (isOver || back !== current) return
      isBodyTaken = true
      front.body.on('end', () => {
        if (!isOver) current.finish(front.trailers())
      })
      front.body.pipe(current.body, { end: false })
    })
  }
  let isBodyTaken = false

  const done = (): void => {
    isOver = true
    passages.leave(passage)
    // A body that nobody waits for any more must not keep the connection from going on.
    front.body.unpipe()
    front.body.resume()
  }

  const passage = passages.create({
    forward,
    refuse,
    cut(text) {
      isOver = true
      back?.abort()
      front.out.write(text)
      front.abort()
    },
    logged: () => ({
      method: front.method,
      uri: front.path,
      host: front.host,
      protocol: front.protocol,
      headers: front.headers,
      bodyBytes: Number(headerValue('content-length') ?? (front.hasBody ? -1 : 0)),
      remoteAddress: hostPort(plainAddress(front.remoteAddress), front.remotePort),
      status: responseStatus,
      responseBytes,
    }),
  })

  front.body.on('error', () => breakOff())
  front.out.on('error', () => breakOff())
  front.onGone(() => {
    if (!isOver) breakOff()
  })
  if (headerValue('expect')?.toLowerCase() === '100-continue') front.inform(100, [])
  passages.enter(passage, destination.target, {
    probe: headerText('k-network-probe'),
    probeHash: headerText('k-network-hash'),
    userAgent: headerText('user-agent'),
  })
}
