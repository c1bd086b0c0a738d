import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as plainRequest, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ServedKind } from '../../../../src/apimachinery/kind.js'
import { type ControlListener, type PodLogs, startControlListener } from '../../../../src/apiserver/http.js'
import { createSystemClock } from '../../../../src/base/clock.js'
import type { Logger } from '../../../../src/base/logger.js'
import { createSilentLogger } from '../../../../src/base/logger.js'
import { createSeededRandom } from '../../../../src/base/random.js'
import { aWorld, testKinds, type World } from '../support.js'

const fixture = (name: string): Buffer => readFileSync(new URL(`../../../fixtures/tls/${name}`, import.meta.url))
export const tls = {
  ca: fixture('ca.crt'),
  server: { key: fixture('server.key'), cert: fixture('server.crt'), ca: fixture('ca.crt') },
  alice: { key: fixture('client.key'), cert: fixture('client.crt') },
  stranger: { key: fixture('stranger.key'), cert: fixture('stranger.crt') },
}

export const TOKEN = 'sesame'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
  json<T = Record<string, unknown>>(): T
}

export interface Asked {
  method?: string
  headers?: Record<string, string | string[]>
  /** Sent as it is when it is text, else as JSON. */
  body?: unknown
}

export interface HttpWorld extends World {
  listener: ControlListener
  socketPath: string
  /** Over the unix socket. */
  http(path: string, asked?: Asked): Promise<Answer>
  /** Over TLS, with whatever credential `headers` and `tls` carry. */
  https(path: string, asked?: Asked & { tls?: object }): Promise<Answer>
  /** An answer that goes on: lines as they come. */
  stream(path: string, asked?: Asked): Promise<LineStream>
}

/** Lets a user do everything, or everything with these verbs: the test kinds have no roles to create. */
export async function allowEverything(
  { write }: Pick<World['store'], 'write'>,
  name: string,
  verbs: readonly string[] = ['*'],
): Promise<void> {
  const put = (plural: string, rest: object): Promise<unknown> =>
    write({ resource: `${plural}.rbac.authorization.k8s.io`, name }, () => ({
      put: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: plural, metadata: { name }, ...rest },
    }))
  await put('clusterroles', { rules: [{ verbs, apiGroups: ['*'], resources: ['*'] }] })
  await put('clusterrolebindings', { roleRef: { kind: 'ClusterRole', name }, subjects: [{ kind: 'User', name }] })
}

export interface LineStream {
  status: number
  headers: IncomingHttpHeaders
  /** The next line; undefined when the answer has ended. Rejects when it was cut off. */
  line(): Promise<string | undefined>
  event(): Promise<{ type: string; object: Record<string, unknown> } | undefined>
  response: IncomingMessage
  close(): void
}

/** A control listener on free addresses over the test kinds; ended with the test. */
export async function anHttpWorld(options: { podLogs?: PodLogs; log?: Logger; kinds?: readonly ServedKind[] } = {}): Promise<HttpWorld> {
  const world = await aWorld(options.kinds ? { kinds: [...testKinds.slice(1), ...options.kinds] } : {})
  const directory = mkdtempSync(join(tmpdir(), 'kn-http-'))
  const socketPath = join(directory, 'control.sock')
  const listener = await startControlListener({
    server: world.server,
    version: { major: '1', minor: '35', gitVersion: 'v1.35.0' },
    tls: tls.server,
    token: TOKEN,
    host: '127.0.0.1',
    port: 0,
    socketPath,
    clock: world.clock,
    realClock: createSystemClock(),
    log: options.log ?? createSilentLogger(),
    random: createSeededRandom(3),
    ...(options.podLogs && { podLogs: options.podLogs }),
  })
  onTestFinished(async () => {
    await listener.stop()
    rmSync(directory, { recursive: true })
  })

  const overSocket = (path: string): RequestOptions => ({ socketPath, path, agent: false, headers: { Host: 'localhost' } })
  return {
    ...world,
    listener,
    socketPath,
    http: (path, asked = {}) => answered(send((extra) => plainRequest({ ...overSocket(path), ...extra }), { Host: 'localhost' }, asked)),
    https: (path, asked = {}) =>
      answered(
        send(
          (extra) =>
            tlsRequest({
              host: '127.0.0.1',
              port: listener.port,
              path,
              agent: false,
              ca: tls.ca,
              servername: 'localhost',
              ...asked.tls,
              ...extra,
            }),
          { Host: `localhost:${listener.port}` },
          asked,
        ),
      ),
    stream: async (path, asked = {}) =>
      lines(await send((extra) => plainRequest({ ...overSocket(path), ...extra }), { Host: 'localhost' }, asked)),
  }
}

function send(
  make: (extra: RequestOptions) => ClientRequest,
  base: Record<string, string>,
  { method = 'GET', headers = {}, body }: Asked,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    // Node frames the body of a DELETE only when its length is given.
    const length = text === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(text)) }
    const request = make({ method, headers: { ...base, ...length, ...headers } })
    request.on('error', reject)
    request.on('response', resolve)
    request.end(text)
  })
}

async function answered(pending: Promise<IncomingMessage>): Promise<Answer> {
  const response = await pending
  let body = ''
  for await (const chunk of response) body += String(chunk)
  return { status: response.statusCode!, headers: response.headers, body, json: () => JSON.parse(body) }
}

function lines(response: IncomingMessage): LineStream {
  const iterator = splitLines(response)
  const line = async (): Promise<string | undefined> => {
    const { done, value } = await iterator.next()
    return done ? undefined : value
  }
  return {
    status: response.statusCode!,
    headers: response.headers,
    line,
    async event() {
      const text = await line()
      return text === undefined ? undefined : JSON.parse(text)
    },
    response,
    close: () => response.destroy(),
  }
}

async function* splitLines(response: IncomingMessage): AsyncGenerator<string, undefined> {
  let rest = ''
  for await (const chunk of response) {
    const parts = (rest + String(chunk)).split('\n')
    rest = parts.pop()!
    yield* parts
  }
  if (rest !== '') yield rest
  return undefined
}
