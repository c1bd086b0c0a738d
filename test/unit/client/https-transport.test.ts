import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { ApiCall, WatchEvent } from '../../../src/apimachinery/call.js'
import { createClient } from '../../../src/client/client.js'
import type { Exchange, HttpRequest } from '../../../src/client/exchange.js'
import { createHttpsExchange } from '../../../src/client/https-exchange.js'
import { createHttpsTransport, pathOf, warningsOf } from '../../../src/client/https-transport.js'
import { serviceKind } from '../../../src/kinds/service/kind.js'
import { type Answer, json, startFakeApiServer } from './fake-api-server.js'

const user = { name: '', groups: [] }
const base = { user, group: 'serving.knative.dev', version: 'v1', plural: 'services' } as const
const clock = { now: () => 0 }

async function against<T>(
  answer: Answer,
  use: (options: {
    server: string
    exchange: Exchange
    asked: { method: string; path: string; headers: Record<string, unknown>; body: string }[]
  }) => Promise<T>,
): Promise<T> {
  const fake = await startFakeApiServer(answer)
  const server = `http://127.0.0.1:${fake.port}`
  try {
    return await use({ server, exchange: createHttpsExchange({ server, tls: {}, clock }), asked: fake.asked })
  } finally {
    await fake.close()
  }
}

test.each<[ApiCall, string]>([
  [{ ...base, verb: 'get', namespace: 'a', name: 'b' }, '/apis/serving.knative.dev/v1/namespaces/a/services/b'],
  [{ ...base, verb: 'list' }, '/apis/serving.knative.dev/v1/services'],
  [
    { ...base, verb: 'create', namespace: 'a', name: 'b', options: { fieldManager: 'kn', dryRun: true } },
    '/apis/serving.knative.dev/v1/namespaces/a/services?fieldManager=kn&dryRun=All',
  ],
  [
    { ...base, verb: 'update', namespace: 'a', name: 'b', subresource: 'status' },
    '/apis/serving.knative.dev/v1/namespaces/a/services/b/status',
  ],
  [
    { ...base, verb: 'watch', namespace: 'a', options: { fieldSelector: 'metadata.name=b', resourceVersion: '5' } },
    '/apis/serving.knative.dev/v1/namespaces/a/services?watch=true&fieldSelector=metadata.name%3Db&resourceVersion=5',
  ],
  [
    { ...base, verb: 'delete', namespace: 'a', name: 'b', options: { propagationPolicy: 'Foreground' } },
    '/apis/serving.knative.dev/v1/namespaces/a/services/b',
  ],
  [
    { user, group: '', version: 'v1', plural: 'pods', verb: 'list', namespace: 'a', options: { limit: 5 } },
    '/api/v1/namespaces/a/pods?limit=5',
  ],
])('%j is asked at %s', (call, path) => {
  expect(pathOf(call)).toBe(path)
})

test('calls carry credential, impersonation, content type and body', async () => {
  await against(
    (request, response) => json(response, 200, { kind: 'Service', apiVersion: 'v1', metadata: { name: 'x' }, echo: request.body }),
    async ({ server, exchange, asked }) => {
      const transport = createHttpsTransport({
        server: `${server}/prefix`,
        exchange,
        userAgent: 'kn/v1',
        credential: () => ({ Authorization: 'Bearer t' }),
        impersonation: { 'Impersonate-User': 'jane', 'Impersonate-Group': ['a', 'b'] },
      })
      const client = createClient({ transport, user, fieldManager: 'kn' })
      await client.patch(serviceKind, { namespace: 'a', name: 'b' }, { type: 'application/merge-patch+json', body: { spec: {} } })
      await client.delete(serviceKind, { namespace: 'a', name: 'b' }, { propagationPolicy: 'Background' })
      expect(asked[0]).toMatchObject({
        method: 'PATCH',
        path: '/prefix/apis/serving.knative.dev/v1/namespaces/a/services/b?fieldManager=kn',
        headers: {
          authorization: 'Bearer t',
          'user-agent': 'kn/v1',
          'content-type': 'application/merge-patch+json',
          'impersonate-user': 'jane',
          'impersonate-group': 'a, b',
        },
        body: '{"spec":{}}',
      })
      expect(JSON.parse(asked[1]!.body)).toEqual({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' })
    },
  )
})

async function refusal(status: number, body: unknown): Promise<unknown> {
  return against(
    (_, response) => {
      if (typeof body === 'string') response.writeHead(status).end(body)
      else json(response, status, body)
    },
    async ({ server, exchange }) => {
      const transport = createHttpsTransport({ server, exchange, userAgent: 'kn' })
      return transport.call({ ...base, verb: 'get', namespace: 'a', name: 'b' }).catch((error: unknown) => error)
    },
  )
}

test('a Status is thrown with its own words', async () => {
  const told = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'services.serving.knative.dev "b" not found',
    reason: 'NotFound',
    details: { name: 'b' },
    code: 404,
  }
  expect(await refusal(404, told)).toMatchObject({
    name: 'StatusError',
    code: 404,
    reason: 'NotFound',
    message: 'services.serving.knative.dev "b" not found',
  })
})

test('a server without the API group is told of in kn words', async () => {
  expect(await refusal(404, '404 page not found')).toMatchObject({
    name: 'UserError',
    message: "no or newer Knative Serving API found on the backend, please verify the installation or update the 'kn' client",
  })
})

test('answers that are no Status are put as other clients put them', async () => {
  expect(await refusal(401, 'no')).toMatchObject({ code: 401, message: 'the server has asked for the client to provide credentials' })
  expect(await refusal(502, 'bad gateway')).toMatchObject({
    message: 'an error on the server ("bad gateway") has prevented the request from succeeding (get services.serving.knative.dev b)',
  })
})

test('a server that nobody listens at is told of as in Go', async () => {
  const fake = await startFakeApiServer(() => {})
  await fake.close()
  const server = `http://127.0.0.1:${fake.port}`
  const transport = createHttpsTransport({ server, exchange: createHttpsExchange({ server, tls: {}, clock }), userAgent: 'kn' })
  await expect(transport.call({ ...base, verb: 'list' })).rejects.toThrow(
    `Get "${server}/apis/serving.knative.dev/v1/services": dial tcp 127.0.0.1:${fake.port}: connect: connection refused`,
  )
})

const failing =
  (code: string): Exchange =>
  (_, receiver) => {
    queueMicrotask(() => receiver.end(Object.assign(new Error(code), { code })))
    return () => {}
  }
const answering =
  (body: unknown, seen: HttpRequest[] = []): Exchange =>
  (request, receiver) => {
    seen.push(request)
    queueMicrotask(() => {
      receiver.head(200, {})
      receiver.data(Buffer.from(JSON.stringify(body)))
      receiver.end()
    })
    return () => {}
  }

test('an unreachable host is told of as kn does', async () => {
  const transport = createHttpsTransport({ server: 'https://10.1.2.3', exchange: failing('EHOSTUNREACH'), userAgent: 'kn' })
  await expect(transport.call({ ...base, verb: 'list' })).rejects.toThrow(
    'error connecting to the cluster, please verify connection at: 10.1.2.3:443: connect: no route to host',
  )
})

test('an emulator that is down is started once, and the call goes on there', async () => {
  const seen: HttpRequest[] = []
  let started = 0
  const transport = createHttpsTransport({
    server: 'https://127.0.0.1:1',
    exchange: failing('ECONNREFUSED'),
    userAgent: 'kn',
    recover: async () => {
      started++
      return { server: 'https://127.0.0.1:2', exchange: answering({ kind: 'ServiceList', items: [] }, seen) }
    },
  })
  await Promise.all([transport.call({ ...base, verb: 'list' }), transport.call({ ...base, verb: 'list' })])
  await transport.call({ ...base, verb: 'list' })
  expect(started).toBe(1)
  expect(seen.map(({ headers }) => headers['Host'])).toEqual(['127.0.0.1:2', '127.0.0.1:2', '127.0.0.1:2'])
})

test('only a connection that never came about is tried again', async () => {
  let started = 0
  const transport = createHttpsTransport({
    server: 'https://127.0.0.1:1',
    exchange: failing('ECONNRESET'),
    userAgent: 'kn',
    recover: async () => {
      started++
      return undefined
    },
  })
  await expect(transport.call({ ...base, verb: 'list' })).rejects.toThrow('connection reset by peer')
  expect(started).toBe(0)
})

test('a watch delivers its events in order, however the bytes are cut, and then its end', async () => {
  const event = (name: string): string => `${JSON.stringify({ type: 'ADDED', object: { metadata: { name } } })}\n`
  const text = event('a') + event('∞') + event('c')
  const bytes = Buffer.from(text)
  const chunked: Exchange = (_, receiver) => {
    queueMicrotask(() => {
      receiver.head(200, {})
      for (let at = 0; at < bytes.length; at += 7) receiver.data(bytes.subarray(at, at + 7))
      receiver.end()
    })
    return () => {}
  }
  const transport = createHttpsTransport({ server: 'http://h', exchange: chunked, userAgent: 'kn' })
  const names: string[] = []
  const ended = await new Promise((resolve) => {
    transport.watch(
      { ...base, verb: 'watch' },
      (told: WatchEvent) => names.push((told.object as { metadata: { name: string } }).metadata.name),
      (error) => resolve(error ?? 'ended'),
    )
  })
  expect({ names, ended }).toEqual({ names: ['a', '∞', 'c'], ended: 'ended' })
})

test('a watch that is refused ends with the refusal', async () => {
  const gone = { kind: 'Status', message: 'too old resource version', reason: 'Expired', code: 410 }
  await against(
    (_, response) => json(response, 410, gone),
    async ({ server, exchange }) => {
      const transport = createHttpsTransport({ server, exchange, userAgent: 'kn' })
      const ended = await new Promise((resolve) => void transport.watch({ ...base, verb: 'watch' }, () => {}, resolve))
      expect(ended).toMatchObject({ code: 410, reason: 'Expired' })
    },
  )
})

test('a watch that is stopped is closed at the server, and nothing is told of it any more', async () => {
  let closed: Promise<void> = Promise.resolve()
  await against(
    (_, response: ServerResponse) => {
      closed = new Promise((resolve) => response.on('close', resolve))
      response.writeHead(200)
      response.write(`${JSON.stringify({ type: 'ADDED', object: { metadata: {} } })}\n`)
    },
    async ({ server, exchange }) => {
      const transport = createHttpsTransport({ server, exchange, userAgent: 'kn' })
      const told: unknown[] = []
      await new Promise<void>((resolve) => {
        const stop = transport.watch(
          { ...base, verb: 'watch' },
          () => {
            stop()
            resolve()
          },
          (error) => told.push(error),
        )
      })
      await closed
      expect(told).toEqual([])
    },
  )
})

test('warnings of the server are read out of their headers', () => {
  expect(warningsOf({ warning: ['299 - "unknown field \\"spec.x\\"", 299 - "two"'] })).toEqual(['unknown field "spec.x"', 'two'])
})

test('--log-http shows requests and answers, and masks credentials', async () => {
  const blocks: string[] = []
  const transport = createHttpsTransport({
    server: 'https://h:1',
    exchange: answering({ kind: 'ServiceList', items: [] }),
    userAgent: 'kn',
    credential: () => ({ Authorization: 'Bearer secret' }),
    logHttp: (text) => blocks.push(text),
  })
  await transport.call({ ...base, verb: 'list' })
  expect(blocks.join('')).toMatch(/^===== REQUEST =====\nGET \/apis\/serving\.knative\.dev\/v1\/services HTTP\/1\.1\n/)
  expect(blocks.join('')).toContain('Authorization: ********\n')
  expect(blocks.join('')).toContain('===== RESPONSE =====\nHTTP/1.1 200\n')
  expect(blocks.join('')).not.toContain('secret')
  expect(blocks.every((block) => block.endsWith(' * * * * * *\n'))).toBe(true)
})
