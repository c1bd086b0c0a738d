import { connect, createServer as createHttp2Server } from 'node:http2'
import { expect, onTestFinished, test } from 'vitest'
import { configMapKind } from '../../../src/kinds/core/configmap/kind.js'
import type { ConfigMap } from '../../../src/kinds/core/configmap/schema.js'
import { aKIngress, aRevision, aRule, ask, createFakeInformer, listening, rawClient, startApp, startTestGateway, turns } from './support.js'

const ALL =
  '{{.Request.Method}} {{.Request.RequestURI}} {{.Request.ContentLength}} {{.Response.Code}} {{.Response.Size}} {{.Request.Proto}}'

async function startLogged(data: Record<string, string> = { 'logging.enable-request-log': 'true', 'logging.request-log-template': ALL }) {
  const configMaps = createFakeInformer<ConfigMap>(configMapKind)
  const lines: [pod: string, line: string][] = []
  const configure = (next: Record<string, string>): void =>
    configMaps.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'knative-serving', name: 'config-observability' },
      data: next,
    })
  configure(data)
  const gateway = await startTestGateway({
    requestLog: {
      configMaps,
      write(podUid, text) {
        for (const line of text.split('\n').slice(0, -1)) lines.push([podUid, line])
      },
    },
  })
  return { gateway, lines, configure, texts: () => lines.map(([, line]) => line) }
}

const HELLO = 'hello.default.localhost'

test('each request is a line in the log of the Pod that answered it', async () => {
  const { port } = await startApp((request, response) => {
    request.resume()
    if (request.url === '/chunked') response.write('one')
    response.end('three')
  })
  const { gateway, lines } = await startLogged()
  gateway.serve('hello', [port])
  await ask(gateway.externalPort, HELLO, '/a?b=c')
  await ask(gateway.externalPort, HELLO, '/chunked', {}, 'POST', 'body')
  await ask(gateway.externalPort, HELLO, '/head', {}, 'HEAD')
  await turns()
  expect(lines).toEqual([
    ['hello-uid-0', 'GET /a?b=c 0 200 5 HTTP/1.1'],
    ['hello-uid-0', 'POST /chunked 4 200 8 HTTP/1.1'],
    ['hello-uid-0', 'HEAD /head 0 200 0 HTTP/1.1'],
  ])
})

test('one connection that carries several requests has a line for each, with a length that nobody said as -1', async () => {
  const { port } = await startApp((request, response) => {
    request.resume()
    request.on('end', () => response.end(request.url))
  })
  const { gateway, texts } = await startLogged()
  gateway.serve('hello', [port])
  const client = rawClient(
    gateway.externalPort,
    `GET /first HTTP/1.1\r\nHost: ${HELLO}\r\n\r\nPOST /second HTTP/1.1\r\nHost: ${HELLO}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n`,
  )
  await client.until(/\/second$/)
  await turns()
  expect(texts()).toEqual(['GET /first 0 200 6 HTTP/1.1', 'POST /second -1 200 7 HTTP/1.1'])
})

test('what the gateway answers for an instance is logged as its answer, and what no instance got is not logged', async () => {
  const { server, port } = await startApp((_request, response) => response.destroy())
  const { gateway, texts } = await startLogged()
  gateway.serve('hello', [port])
  expect((await ask(gateway.externalPort, HELLO, '/broken')).status).toBe(502)
  expect((await ask(gateway.externalPort, 'nobody.localhost', '/nobody')).status).toBe(404)
  await turns()
  expect(texts()).toEqual([expect.stringMatching(/^GET \/broken 0 502 \d+ HTTP\/1\.1$/)])

  await new Promise<void>((resolve) => server.close(() => resolve()))
  const refused = await ask(gateway.externalPort, HELLO, '/refused')
  await turns()
  expect(texts()[1]).toBe(`GET /refused 0 502 ${refused.body.length} HTTP/1.1`)
})

test('requests over HTTP/2 are logged with its name', async () => {
  const app = createHttp2Server((_request, response) => response.end('hello'))
  const port = await listening(app)
  const { gateway, texts } = await startLogged()
  gateway.informers.revisions.put(aRevision('grpc'))
  gateway.scale('grpc', [port], 'http2')
  gateway.informers.kingresses.put(aKIngress('grpc', [aRule('grpc.default.localhost', 'grpc', { port: 81 })]))
  const session = connect(`http://127.0.0.1:${gateway.externalPort}`)
  onTestFinished(() => {
    session.destroy()
    app.close()
  })
  const stream = session.request({ ':path': '/rpc', ':authority': 'grpc.default.localhost', 'user-agent': 'grpc' })
  stream.resume()
  await new Promise((resolve) => stream.once('close', resolve))
  await turns()
  expect(texts()).toEqual(['GET /rpc 0 200 5 HTTP/2.0'])
})

test('it is off until it is switched on, follows its configuration, and leaves probes out unless they are asked for', async () => {
  const { port } = await startApp((_request, response) => response.end('ok'))
  const { gateway, texts, configure } = await startLogged({})
  gateway.serve('hello', [port])
  const probe = { 'User-Agent': 'kube-probe/1.35' }
  await ask(gateway.externalPort, HELLO, '/off')
  configure({ 'logging.enable-request-log': 'True', 'logging.request-log-template': '{{.Request.RequestURI}}' })
  await ask(gateway.externalPort, HELLO, '/on')
  await ask(gateway.externalPort, HELLO, '/probe', probe)
  configure({
    'logging.enable-request-log': 'true',
    'logging.enable-probe-request-log': 'true',
    'logging.request-log-template': '{{.Request.RequestURI}} on {{.Revision.PodName}} {{.Revision.PodIP}}',
  })
  await ask(gateway.externalPort, HELLO, '/probe', probe)
  configure({ 'logging.enable-request-log': 'true', 'logging.request-log-template': '' })
  await ask(gateway.externalPort, HELLO, '/no-template')
  configure({ 'logging.enable-request-log': 'yes' })
  await ask(gateway.externalPort, HELLO, '/off-again')
  await turns()
  expect(texts()).toEqual(['/on', '/probe on hello-pod-0 10.244.0.1'])
})

test('the default template is the JSON record of Knative', async () => {
  const { port } = await startApp((_request, response) => response.end('ok'))
  const { gateway, texts } = await startLogged({ 'logging.enable-request-log': 'true' })
  gateway.serve('hello', [port])
  await ask(gateway.externalPort, HELLO, '/json', { 'X-B3-TraceId': '80f198ee56343ba8', Referer: 'http://there.test/' })
  await turns()
  expect(JSON.parse(texts()[0]!)).toEqual({
    httpRequest: {
      requestMethod: 'GET',
      requestUrl: '/json',
      requestSize: '0',
      status: 200,
      responseSize: '2',
      userAgent: '',
      remoteIp: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      serverIp: '10.244.0.1',
      referer: 'http://there.test/',
      latency: expect.stringMatching(/^[\d.]+s$/),
      protocol: 'HTTP/1.1',
    },
    traceId: '000000000000000080f198ee56343ba8',
  })
})

test('a template that cannot be read leaves the one before in force; one that fails says so in its line', async () => {
  const { port } = await startApp((_request, response) => response.end('ok'))
  const { gateway, texts, configure } = await startLogged({ 'logging.enable-request-log': 'true', 'logging.request-log-template': 'good' })
  gateway.serve('hello', [port])
  configure({ 'logging.enable-request-log': 'true', 'logging.request-log-template': '{{range}}' })
  await ask(gateway.externalPort, HELLO, '/one')
  configure({ 'logging.enable-request-log': 'true', 'logging.request-log-template': '{{.Request.Ghost}}' })
  await ask(gateway.externalPort, HELLO, '/two')
  await turns()
  expect(texts()).toEqual([
    'good',
    expect.stringMatching(/^Invalid request log template: method: GET, response code: 200, latency: [\d.]+, url: \/two$/),
  ])
  expect(gateway.warnings.join()).toContain('the template of request logs cannot be used')
})
