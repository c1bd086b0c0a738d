import { connect } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { createSecureContext } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { createSystemClock } from '../../../src/base/clock.js'
import { createServerCertificates } from '../../../src/emulator/certificates.js'
import type { InsideHandler } from '../../../src/gateway/destination.js'
import { aKIngress, answerFrom, aRevision, aRule, ask, rawClient, startApp, startTestGateway, type TestGateway } from './support.js'

const INSIDE = 'broker-ingress.knative-eventing.svc.cluster.local'
const OUTSIDE = 'hello.default.svc.cluster.local'

/** Says back what it was asked. */
const echo: InsideHandler = (request) => {
  const chunks: Buffer[] = []
  request.body.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.body.on('end', () => {
    const body = Buffer.from(`inside ${request.method} ${request.path} ${Buffer.concat(chunks)}`)
    request.respond(202, [['content-length', String(body.length)]], false)
    request.out.write(body)
    request.finish([])
  })
}

async function aGateway(): Promise<TestGateway> {
  const gateway = await startTestGateway({ inside: (host) => (host.split(':')[0] === INSIDE ? echo : undefined) })
  const { port } = await startApp((request, response) => response.end(`outside ${request.method} ${request.url}`))
  gateway.informers.revisions.put(aRevision('hello'))
  gateway.scale('hello', [port])
  gateway.informers.kingresses.put(aKIngress('hello', [aRule(OUTSIDE, 'hello', { visibility: 'ClusterLocal' })]))
  return gateway
}

const request = (host: string, path: string, body = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const statuses = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status!)

test('a host that is answered inside is reached on the cluster-local listener and on no other', async () => {
  const gateway = await aGateway()
  expect(await ask(gateway.clusterLocalPort, `${INSIDE}:81`, '/a/b', {}, 'POST', 'hi')).toMatchObject({
    status: 202,
    body: 'inside POST /a/b hi',
  })
  expect(await ask(gateway.externalPort, INSIDE, '/a/b', {}, 'POST', 'hi')).toMatchObject({ status: 404 })
})

test('a route of the same name comes first', async () => {
  const gateway = await aGateway()
  gateway.informers.kingresses.put(aKIngress('shadow', [aRule(INSIDE, 'hello', { visibility: 'ClusterLocal' })]))
  expect(await ask(gateway.clusterLocalPort, INSIDE)).toMatchObject({ status: 200, body: 'outside GET /' })
})

test('a connection is kept for many requests inside', async () => {
  const gateway = await aGateway()
  const client = rawClient(gateway.clusterLocalPort)
  for (let number = 1; number <= 5; number++) {
    client.send(request(INSIDE, `/${number}`, 'x'.repeat(number)))
    await client.until(new RegExp(`inside POST /${number} x{${number}}`))
  }
  expect(statuses(client.text())).toEqual(['202', '202', '202', '202', '202'])
  expect(client.text()).not.toMatch(/connection: close/i)
})

test('one connection may go outside, then inside, then outside again: after that it is closed, and the answer says so', async () => {
  const gateway = await aGateway()
  const client = rawClient(gateway.clusterLocalPort, request(OUTSIDE, '/1'))
  await client.until(/outside POST \/1/)
  client.send(request(INSIDE, '/2', 'body'))
  await client.until(/inside POST \/2 body/)
  client.send(request(OUTSIDE, '/3'))
  const text = await client.closed
  expect(text).toContain('outside POST /3')
  expect(statuses(text)).toEqual(['200', '202', '200'])
  expect(answerFrom(text.slice(text.lastIndexOf('HTTP/1.1'))).headers).toMatchObject({ connection: 'close' })
})

test('requests sent in one go are answered in their order, inside and outside', async () => {
  const gateway = await aGateway()
  const all = [request(OUTSIDE, '/1'), request(INSIDE, '/2', 'b'), request(INSIDE, '/3', 'c'), request(OUTSIDE, '/4')]
  const text = await rawClient(gateway.clusterLocalPort, all.join('')).closed
  expect([...text.matchAll(/(?:inside|outside) POST \/\d/g)].map(([said]) => said)).toEqual([
    'outside POST /1',
    'inside POST /2',
    'inside POST /3',
    'outside POST /4',
  ])
})

test('a client that wants to be told to go on is, and one that is cut off in the middle of a body leaves nothing behind', async () => {
  const gateway = await aGateway()
  const client = rawClient(
    gateway.clusterLocalPort,
    `POST / HTTP/1.1\r\nHost: ${INSIDE}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
  )
  await client.until(/100 Continue/)
  client.send('ok')
  await client.until(/inside POST \/ ok/)
  const cut = rawClient(gateway.clusterLocalPort, `POST / HTTP/1.1\r\nHost: ${INSIDE}\r\nContent-Length: 100\r\n\r\nhalf`)
  cut.socket.on('connect', () => cut.socket.resetAndDestroy())
  await cut.closed
  expect(await ask(gateway.clusterLocalPort, INSIDE)).toMatchObject({ status: 202 })
})

test('HTTP/2 without TLS is answered inside too', async () => {
  const gateway = await aGateway()
  const session = connect(`http://127.0.0.1:${gateway.clusterLocalPort}`)
  onTestFinished(() => session.destroy())
  const answered = await new Promise<{ status: unknown; body: string }>((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': '/x', ':authority': INSIDE })
    let status: unknown
    let body = ''
    stream.on('response', (headers) => {
      status = headers[':status']
    })
    stream.on('data', (bytes) => {
      body += bytes
    })
    stream.on('end', () => resolve({ status, body }))
    stream.on('error', reject)
    stream.end('hi')
  })
  expect(answered).toEqual({ status: 202, body: 'inside POST /x hi' })
})

/** A gateway that also listens with TLS, as two servers; and how to ask one of them. */
async function aSecureGateway() {
  const asked: boolean[] = []
  const gateway = await startTestGateway({
    inside(host, isSecure) {
      asked.push(isSecure)
      return host.split(':')[0] === INSIDE ? echo : undefined
    },
  })
  const servers = [[INSIDE], ['other.default.svc']] as const
  const made = await createServerCertificates({ authority: 'test', servers, nowMs: createSystemClock().now() })
  const contexts = new Map(
    servers.map(([name], at) => [name as string, createSecureContext({ cert: made[at]!.certificate, key: made[at]!.key })]),
  )
  const listener = await gateway.listenSecurely(0, (name) => contexts.get(name))
  const ca = made[0]!.caCertificate
  const post = (servername: string, host = servername): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: listener.port,
        ca,
        servername,
        method: 'POST',
        path: '/a',
        headers: { host },
        agent: false,
      }
      const outgoing = requestHttps(options as object, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text) => {
          body += text
        })
        response.on('end', () => resolve({ status: response.statusCode!, body }))
      })
      outgoing.on('error', reject)
      outgoing.end('hi')
    })
  return { gateway, listener, ca, asked, post }
}

test('a host that is answered inside is reached with TLS too, with the certificate of its name, and nobody else is', async () => {
  const { gateway, asked, post } = await aSecureGateway()
  expect(await post(INSIDE)).toEqual({ status: 202, body: 'inside POST /a hi' })
  expect(asked).not.toContain(false)
  expect(await post('other.default.svc')).toMatchObject({ status: 404 })
  await expect(post('unknown.default.svc')).rejects.toThrow()
  await ask(gateway.clusterLocalPort, INSIDE)
  expect(asked.at(-1)).toBe(false)
})

test('with TLS, HTTP/2 is spoken where the client can', async () => {
  const { listener, ca } = await aSecureGateway()
  const session = connect(`https://127.0.0.1:${listener.port}`, { ca, servername: INSIDE })
  onTestFinished(() => session.destroy())
  const stream = session.request({ ':method': 'POST', ':path': '/b', ':authority': INSIDE })
  stream.end('hi')
  expect(
    await new Promise((resolve, reject) => void stream.on('response', ({ ':status': status }) => resolve(status)).on('error', reject)),
  ).toBe(202)
})

test('what is no TLS is closed without an answer, and the listener goes on', async () => {
  const { listener, post } = await aSecureGateway()
  expect(await rawClient(listener.port, request(INSIDE, '/')).closed).toBe('')
  expect(await post(INSIDE)).toMatchObject({ status: 202 })
  listener.close()
  await expect(post(INSIDE)).rejects.toThrow('ECONNREFUSED')
})
