import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { onTestFinished } from 'vitest'
import { createSystemClock, createVirtualClock, type VirtualClock } from '../../../src/base/clock.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import { createSeededRandom } from '../../../src/base/random.js'
import { type Eventing, type EventingDeps, startEventing } from '../../../src/eventing/eventing.js'
import type { InsideRequest } from '../../../src/eventing/inside.js'
import type { Hop } from '../../../src/journal/hop.js'
import { brokerKind } from '../../../src/kinds/broker/kind.js'
import type { Broker } from '../../../src/kinds/broker/schema.js'
import { secretKind } from '../../../src/kinds/core/secret/kind.js'
import type { Secret } from '../../../src/kinds/core/secret/schema.js'
import { eventPolicyKind } from '../../../src/kinds/eventpolicy/kind.js'
import type { EventPolicy } from '../../../src/kinds/eventpolicy/schema.js'
import { inMemoryChannelKind } from '../../../src/kinds/inmemorychannel/kind.js'
import type { InMemoryChannel } from '../../../src/kinds/inmemorychannel/schema.js'
import { requestReplyKind } from '../../../src/kinds/requestreply/kind.js'
import type { RequestReply } from '../../../src/kinds/requestreply/schema.js'
import { triggerKind } from '../../../src/kinds/trigger/kind.js'
import type { Trigger } from '../../../src/kinds/trigger/schema.js'
import { openAppendLogs } from '../../../src/store/append-log.js'
import { aDirectory, LOGS_WORKER } from '../../support/store.js'
import { createFakeInformer } from '../gateway/support.js'

export const BROKER_HOST = 'broker-ingress.knative-eventing.svc.cluster.local'

export interface Bench {
  eventing: Eventing
  informers: ReturnType<typeof someInformers>
  clock: VirtualClock
  hops: Hop[]
  /** Where the logs are. */
  path: string
  /** Sends an event to a Broker ("default/main") and gives the status. */
  send(broker: string, attributes?: Record<string, string>, body?: string, headers?: Record<string, string>): Promise<number>
}

export function someInformers() {
  return {
    brokers: createFakeInformer<Broker>(brokerKind),
    triggers: createFakeInformer<Trigger>(triggerKind),
    channels: createFakeInformer<InMemoryChannel>(inMemoryChannelKind),
    policies: createFakeInformer<EventPolicy>(eventPolicyKind),
    requestReplies: createFakeInformer<RequestReply>(requestReplyKind),
    secrets: createFakeInformer<Secret>(secretKind),
  }
}

/** Eventing over objects that a test puts there by hand, with real logs and real HTTP to sinks. */
export async function aBench(options: Partial<EventingDeps> & { path?: string; informers?: Bench['informers'] } = {}): Promise<Bench> {
  const informers = options.informers ?? someInformers()
  const clock = createVirtualClock()
  const hops: Hop[] = []
  let { path } = options
  if (path === undefined) {
    const directory = aDirectory()
    onTestFinished(() => directory.remove())
    path = join(directory.path, 'events.db')
  }
  const at = path
  const eventing = startEventing({
    openLogs: () => openAppendLogs({ path: at, workerFile: LOGS_WORKER, log: createSilentLogger() }),
    reach: (url) => ({ host: url.hostname, port: Number(url.port || 80), hostHeader: url.host }),
    record: (hop) => void hops.push(hop),
    clock,
    realClock: createSystemClock({ unref: true }),
    random: createSeededRandom(7),
    log: createSilentLogger(),
    ...options,
    informers,
  })
  onTestFinished(() => eventing.stop())
  return {
    eventing,
    informers,
    clock,
    hops,
    path,
    send: async (broker, attributes, body = '{}', headers = {}) => {
      const { status } = await ask(eventing, BROKER_HOST, 'POST', `/${broker}`, { ...ceHeaders(attributes), ...headers }, body)
      return status
    },
  }
}

export function ceHeaders(attributes: Record<string, string> = {}): Record<string, string> {
  const all = { specversion: '1.0', id: '1', source: '/test', type: 'test', ...attributes }
  return {
    'content-type': 'application/json',
    ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`ce-${name}`, value])),
  }
}

export interface Asked {
  status: number
  headers: Record<string, string>
  body: string
}

/** One request to a host inside the cluster. */
export function ask(
  eventing: Eventing,
  host: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body: string | Readable = '',
  /** Aborted when the client goes away. */
  gone?: AbortSignal,
): Promise<Asked> {
  const handler = eventing.inside(host)
  if (!handler) return Promise.reject(new Error(`nobody answers for ${host}`))
  return new Promise((resolve, reject) => {
    let answer: Asked | undefined
    const chunks: Buffer[] = []
    const request: InsideRequest = {
      method,
      path,
      host,
      headers: Object.entries(headers),
      body: body instanceof Readable ? body : Readable.from(body === '' ? [] : [Buffer.from(body)], { objectMode: false }),
      respond(status, answered, isLast) {
        answer = { status, headers: Object.fromEntries(answered), body: '' }
        if (isLast) resolve(answer)
      },
      out: { write: (bytes) => chunks.push(bytes) },
      finish: () => resolve({ ...answer!, body: Buffer.concat(chunks).toString() }),
      abort: () => reject(new Error('broken off')),
      onGone: (listener) => void gone?.addEventListener('abort', () => listener()),
    }
    handler(request)
  })
}

export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: string
  /** `ce-id`. */
  id: string
}

export interface Sink {
  url: string
  port: number
  received: Received[]
  /** Resolves once that many requests have come. */
  until(count: number): Promise<Received[]>
}

/** A program that is sent events; 202 unless the test says otherwise. */
export async function aSink(
  answer: (received: Received, response: ServerResponse, count: number) => void = (_, response) => response.writeHead(202).end(),
  port = 0,
): Promise<Sink> {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('error', () => {})
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one: Received = {
        path: request.url!,
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
        id: String(request.headers['ce-id'] ?? ''),
      }
      received.push(one)
      answer(one, response, received.length)
      for (const check of [...waiting]) check()
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port: listening } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${listening}/`,
    port: listening,
    received,
    until: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (received.length < count) return
          waiting.delete(check)
          resolve(received)
        }
        waiting.add(check)
        check()
      }),
  }
}

/** Answers with an event of that type. */
export function reply(response: ServerResponse, attributes: Record<string, string>, status = 200): void {
  response.writeHead(status, ceHeaders(attributes)).end('{}')
}

const READY = { conditions: [{ type: 'Ready', status: 'True' as const }] }

export function aBroker(name: string, spec: Broker['spec'] = {}, uid = `uid-${name}`): Broker {
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: { namespace: 'default', name, uid },
    spec,
    status: {
      ...READY,
      address: { name: 'http', url: `http://${BROKER_HOST}/default/${name}` },
      annotations: { 'knative.dev/channelAddress': `http://${name}-kne-trigger-kn-channel.default.svc.cluster.local` },
    },
  }
}

export function aTrigger(
  name: string,
  subscriberUri: string | undefined,
  options: { broker?: string; uid?: string; spec?: Partial<Trigger['spec']>; status?: Partial<NonNullable<Trigger['status']>> } = {},
): Trigger {
  const { broker = 'main', uid = `uid-${name}`, spec, status } = options
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { namespace: 'default', name, uid },
    spec: { broker, ...spec },
    status: { ...READY, ...(subscriberUri !== undefined && { subscriberUri }), ...status },
  }
}

export function aChannel(name: string, subscribers: NonNullable<InMemoryChannel['spec']['subscribers']>): InMemoryChannel {
  return {
    apiVersion: 'messaging.knative.dev/v1',
    kind: 'InMemoryChannel',
    metadata: { namespace: 'default', name, uid: `uid-${name}` },
    spec: { subscribers },
    status: { ...READY, address: { url: `http://${name}-kn-channel.default.svc.cluster.local` } },
  }
}

/** Resolves once `holds` does; looked at after every turn of the event loop. */
export async function eventually(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn > 200_000) throw new Error(`never came true: ${holds}`)
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
