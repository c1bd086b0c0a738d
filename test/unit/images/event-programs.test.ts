import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { run, serving } from './support.js'

const EVENT = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/test', 'ce-type': 'greeting' }
const JSON_TYPE = { 'content-type': 'application/json' }
const post = (url: string, headers: Record<string, string> = {}, body = ''): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { ...EVENT, ...headers }, body })

interface Got {
  url: string
  headers: IncomingMessage['headers']
  body: string
}

/** Takes whatever it is sent; answers with the status that `statusOf` gives it. */
async function aSink(statusOf: (got: Got) => number = () => 202): Promise<{ port: number; got: Got[] }> {
  const got: Got[] = []
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const one = { url: request.url!, headers: request.headers, body: Buffer.concat(parts).toString() }
    got.push(one)
    response.writeHead(statusOf(one)).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, got }
}

test('event_display prints what it gets as the original does, and answers 200', async () => {
  const { url, output } = await serving('gcr.io/knative-releases/knative.dev/eventing/cmd/event_display')
  const response = await post(`${url}/any/path`, { ...JSON_TYPE, 'Ce-Beats': 'true' }, '{"id":2,"label":""}')
  expect([response.status, await response.text()]).toEqual([200, ''])
  await vi.waitFor(() =>
    expect(output()).toBe(
      '☁️  cloudevents.Event\nContext Attributes,\n  specversion: 1.0\n  type: greeting\n  source: /test\n  id: 1\n  datacontenttype: application/json\nExtensions,\n  beats: true\nData,\n  {\n    "id": 2,\n    "label": ""\n  }\n',
    ),
  )
})

test('event_display reads structured events, those with base64 too', async () => {
  const { url, output } = await serving('gcr.io/knative-releases/knative.dev/eventing-contrib/cmd/event_display')
  const body = JSON.stringify({ specversion: '1.0', id: '7', source: '/s', type: 't', datacontenttype: 'text/plain', data_base64: 'aGk=' })
  expect((await fetch(url, { method: 'POST', headers: { 'content-type': 'application/cloudevents+json' }, body })).status).toBe(200)
  await vi.waitFor(() => expect(output()).toMatch(/ {2}id: 7\n {2}datacontenttype: text\/plain\nData \(binary\),\n {2}hi\n$/))
})

test('event_display answers as Knative’s SDK to what is no event, and prints nothing', async () => {
  const { url, output } = await serving('gcr.io/knative-releases/knative.dev/eventing/cmd/event_display')
  expect((await fetch(`${url}/healthz`)).status).toBe(204)
  expect((await fetch(url)).status).toBe(405)
  expect((await fetch(url, { method: 'OPTIONS' })).status).toBe(405)
  expect((await fetch(url, { method: 'POST', body: 'plain' })).status).toBe(415)
  const broken = await post(url, { 'ce-time': 'yesterday' })
  expect([broken.status, await broken.text()]).toEqual([400, 'time "yesterday" is no RFC 3339 timestamp\n'])
  expect(output()).toBe('')
})

test('appender puts its message behind the event’s, keeps its attributes, and logs as the original', async () => {
  const { url, output } = await serving('gcr.io/knative-releases/knative.dev/eventing/cmd/appender', { MESSAGE: ' - Handled by <0>' })
  const response = await post(url, { ...JSON_TYPE, 'ce-time': '2026-01-02T03:04:05.5Z', 'ce-x': 'y' }, '{"id":4,"Message":"hi","more":1}')
  expect([response.status, await response.text()]).toEqual([200, '{"id":4,"message":"hi - Handled by \\u003c0\\u003e"}'])
  expect(Object.fromEntries(response.headers)).toMatchObject({ ...EVENT, ...JSON_TYPE, 'ce-x': 'y', 'ce-time': '2026-01-02T03:04:05.5Z' })
  await vi.waitFor(() => expect(output()).toContain(' Transform the event to: \n'))
  expect(output()).toMatch(/ listening on 8080, appending " - Handled by <0>" to events\n/)
  expect(output()).toContain(' [2026-01-02 03:04:05.5 +0000 UTC] /test greeting: &{Sequence:4 Message:hi}\n')
  expect(output()).toContain(' [2026-01-02 03:04:05.5 +0000 UTC] /test greeting: &{Sequence:4 Message:hi - Handled by <0>}\n')

  expect((await post(url, JSON_TYPE, '{"message":5}')).status).toBe(400)
  expect((await post(url, { 'content-type': 'text/plain' }, 'text')).status).toBe(400)
  const bare = await post(url)
  expect(await bare.text()).toBe('{"id":0,"message":" - Handled by \\u003c0\\u003e"}')
  expect(bare.headers.get('ce-time')).toMatch(/^\d{4}-\d\d-\d\dT/)
})

test('appender can change the type', async () => {
  const { url } = await serving('gcr.io/knative-releases/knative.dev/eventing-contrib/cmd/appender', { TYPE: 'next', MESSAGE: '' })
  expect((await post(url, JSON_TYPE, '{}')).headers.get('ce-type')).toBe('next')
})

test('transformer replies with another event: its own type, id and source, the extensions and data of the first', async () => {
  const { url } = await serving('kn.local/transformer', { REPLY_TYPE: 'greeted', APPEND: '{"by":"me"}' })
  const response = await post(url, { ...JSON_TYPE, 'ce-order': '7' }, '{"msg":"hi"}')
  expect([response.status, await response.text()]).toEqual([200, '{"msg":"hi","by":"me"}'])
  const headers = Object.fromEntries(response.headers)
  expect(headers).toMatchObject({ 'ce-type': 'greeted', 'ce-source': '/kn.local/transformer', 'ce-order': '7' })
  expect(headers['ce-id']).toMatch(/^[0-9a-f-]{36}$/)
  expect(await (await post(url, { 'content-type': 'text/plain' }, 'text')).text()).toBe('text{"by":"me"}')
})

test('failing answers its status, every Nth time if told so', async () => {
  const { url, output } = await run('kn.local/failing', { env: { STATUS: '429', EVERY: '3' } })
  await vi.waitFor(() => expect(fetch(url, { method: 'POST' })).resolves.toMatchObject({ status: 200 }), { timeout: 10_000, interval: 5 })
  expect([(await post(url)).status, (await post(url)).status, (await post(url)).status]).toEqual([200, 429, 200])
  await vi.waitFor(() => expect(output()).toContain('failing: 429 for event 1 of type greeting (request 3)\n'))
  const always = await serving('kn.local/failing')
  expect((await post(always.url)).status).toBe(500)
})

test('slow-sink takes an event after its delay', async () => {
  const { url, output } = await serving('kn.local/slow-sink', { DELAY_MS: '150' })
  const answer = post(url)
  await vi.waitFor(() => expect(output()).toBe('slow-sink: taking event 1 of type greeting in 150 ms\n'), { interval: 2 })
  expect((await answer).status).toBe(202)
  await vi.waitFor(() => expect(output()).toContain('slow-sink: took event 1 of type greeting\n'))
})

test('the player sends what it is told to, and lists what it sent and received, the newest first', async () => {
  const sink = await aSink(({ headers }) => (headers['ce-id'] === 'bad' ? 400 : 202))
  const { url, output } = await serving('quay.io/ruben/cloudevents-player', {
    K_SINK: `http://127.0.0.1:${sink.port}/to/secret/broker.svc/a`,
  })
  expect((await post(`${url}/messages`, JSON_TYPE, '{"msg":"out"}')).status).toBe(202)
  expect(sink.got).toMatchObject([{ url: '/to/secret/broker.svc/a', headers: EVENT, body: '{"msg":"out"}' }])
  expect((await post(`${url}/messages`, { ...JSON_TYPE, 'ce-id': 'bad' }, '{}')).status).toBe(202)
  expect((await post(url, { 'ce-id': 'in', 'ce-subject': 's', 'ce-beats': 'yes', 'content-type': 'text/plain' }, 'text')).status).toBe(202)
  expect((await fetch(url, { method: 'POST', body: 'no event' })).status).toBe(400)

  const list = async (query = ''): Promise<unknown> => (await fetch(`${url}/messages${query}`)).json()
  const received = {
    id: 'in',
    receivedAt: expect.any(String),
    subject: 's',
    eventType: 'greeting',
    source: '/test',
    extensions: { beats: 'yes' },
  }
  expect(await list()).toEqual([
    { ...received, data: 'text', type: 'RECEIVED' },
    expect.objectContaining({ id: 'bad', type: 'FAILED' }),
    expect.objectContaining({ id: '1', type: 'SENT', subject: null, data: { msg: 'out' } }),
  ])
  expect(await list('?page=1&size=2')).toMatchObject([{ id: '1' }])
  expect(output()).toContain('answered 400')
  expect((await fetch(`${url}/messages`, { method: 'DELETE' })).status).toBe(202)
  expect(await list()).toEqual([])
})

test('the player tells its page of changes, without the credential of its sink, and ends although a page is open', async () => {
  const { child, exited, url, output } = await serving('quay.io/ruben/cloudevents-player', {
    K_SINK: 'http://127.0.0.1:1/to/secret/broker.svc/a',
  })
  const stream = await fetch(`${url}/changes`)
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) text += (await reader.read()).value ?? ''
  }
  await until(/event: sink\ndata: http:\/\/broker\.svc\/a\n\n/)
  expect(text).not.toContain('secret')
  await post(url)
  await until(/data: changed\n\n/)
  expect(output()).not.toContain('secret')
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
})

test.each([
  [{ BROKER_URI: 'http://broker.svc/uri', K_SINK: 'http://broker.svc/sink' }, 'http://broker.svc/uri'],
  [{ BROKER_NAME: 'main', BROKER_NAMESPACE: 'shop' }, 'http://broker-ingress.knative-eventing.svc.cluster.local/shop/main'],
  [{}, 'http://broker-ingress.knative-eventing.svc.cluster.local/team/default'],
])('the player with %j sends through the proxy to %s', async (env, target) => {
  const proxy = await aSink()
  const { url } = await serving('quay.io/ruben/cloudevents-player', { http_proxy: `http://team:pass@127.0.0.1:${proxy.port}`, ...env })
  await post(`${url}/messages`, JSON_TYPE, '{}')
  expect(proxy.got).toMatchObject([
    { url: target, headers: { ...EVENT, host: new URL(target).host, 'proxy-authorization': `Basic ${btoa('team:pass')}` } },
  ])
})

test('the player in LOCAL mode receives what it sends', async () => {
  const { url } = await serving('quay.io/ruben/cloudevents-player', { PLAYER_MODE: 'LOCAL', http_proxy: 'http://127.0.0.1:1' })
  await post(`${url}/messages`, JSON_TYPE, '{}')
  const types = ((await (await fetch(`${url}/messages`)).json()) as { type: string }[]).map(({ type }) => type)
  expect(types.toSorted()).toEqual(['RECEIVED', 'SENT'])
})

test('the player’s page loads nothing from elsewhere', async () => {
  const { url } = await serving('quay.io/ruben/cloudevents-player')
  const page = await fetch(url)
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
  const text = await page.text()
  expect([...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target)).toEqual(['data:,', 'player.css', 'player.js'])
  expect(text).not.toMatch(/<script>|\son\w+=/)
  expect((await fetch(`${url}/player.js`)).headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect((await fetch(`${url}/constructor`)).status).toBe(404)
  expect((await fetch(`${url}//`)).status).toBe(404)
})
