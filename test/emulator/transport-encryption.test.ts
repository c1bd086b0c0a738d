import { writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { Client } from '../../src/client/client.js'
import { createServerCertificates } from '../../src/emulator/certificates.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import { secretKind } from '../../src/kinds/core/secret/kind.js'
import { inMemoryChannelKind } from '../../src/kinds/inmemorychannel/kind.js'
import { requestReplyKind } from '../../src/kinds/requestreply/kind.js'
import { sequenceKind } from '../../src/kinds/sequence/kind.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import { fetchFrom, run, type TestEmulator, test } from '../support/emulator.js'
import { eventually } from '../support/objects.js'

const SYSTEM = 'knative-eventing'
const INGRESS = 'broker-ingress.knative-eventing.svc.cluster.local'
const inDefault = (name: string) => ({ namespace: 'default', name })

/** A program beside the emulator that is sent events over https, and may answer with one; and who signed its certificate. */
async function aSink(nowMs: number, answerType?: string) {
  const [made] = await createServerCertificates({ authority: 'sink', servers: [['localhost']], nowMs })
  const received: IncomingHttpHeaders[] = []
  const waiting = new Set<() => void>()
  const server = createServer({ cert: made!.certificate, key: made!.key }, (request, response) => {
    request.resume().on('end', () => {
      received.push(request.headers)
      const { 'ce-correlationid': correlation } = request.headers
      const answer = answerType && {
        'ce-specversion': '1.0',
        'ce-id': 'r',
        'ce-source': '/sink',
        'ce-type': answerType,
        ...(correlation !== undefined && { 'ce-replyid': correlation }),
      }
      response.writeHead(answer ? 200 : 202, answer || {}).end()
      for (const check of [...waiting]) check()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const until = (isThere: (all: readonly IncomingHttpHeaders[]) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!isThere(received)) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  const byId = (id: string): Promise<void> => until((all) => all.some((headers) => headers['ce-id'] === id))
  return { uri: `https://localhost:${(server.address() as AddressInfo).port}/`, CACerts: made!.caCertificate, received, until, byId }
}

async function setMode(client: Client, emulator: TestEmulator, mode: string): Promise<void> {
  const ref = { namespace: SYSTEM, name: 'config-features' }
  await client.patch(configMapKind, ref, { type: 'application/merge-patch+json', body: { data: { 'transport-encryption': mode } } })
  await emulator.settled()
}

const eventHeaders = (id: string, type = 'test') => ({ 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/test', 'ce-type': type })

/** Sends an event over http to the cluster-local listener, and gives the status. */
async function sendPlainly(emulator: TestEmulator, id: string, host = INGRESS, path = '/default/main'): Promise<number> {
  const headers = { host, ...eventHeaders(id) }
  return (await fetchFrom(`http://127.0.0.1:${emulator.ports.clusterLocal}${path}`, { method: 'POST', body: '', headers })).status
}

/** Sends an event with curl, which trusts exactly these authorities, to a URL of the cluster. */
async function curl(emulator: TestEmulator, url: string, caCerts: string, id: string) {
  const file = join(emulator.directory, 'ca.crt')
  writeFileSync(file, caCerts)
  const { hostname } = new URL(url)
  const headers = Object.entries(eventHeaders(id)).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const reached = ['--connect-to', `${hostname}:443:127.0.0.1:${emulator.ports.clusterLocalTls}`, '--cacert', file]
  return run('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', ...reached, ...headers, '-d', '', url], { PATH: process.env['PATH'] })
}

test('events come in and go out over https, whoever is not trusted gets none, and strict refuses http', async ({
  client,
  emulator,
  clock,
  kn,
}) => {
  const sink = await aSink(clock.now())
  await client.create(brokerKind, { metadata: inDefault('main') })
  await client.create(triggerKind, {
    metadata: inDefault('hears'),
    spec: { broker: 'main', subscriber: { uri: sink.uri, CACerts: sink.CACerts } },
  })
  await eventually(client, triggerKind, 'hears', { type: 'Ready', status: 'True' })
  await expect(fetchFrom(`http://127.0.0.1:${emulator.ports.clusterLocalTls}/`)).rejects.toThrow('ECONNREFUSED')
  expect(await sendPlainly(emulator, 'disabled')).toBe(202)
  await sink.byId('disabled')

  await setMode(client, emulator, 'permissive')
  const { status } = await eventually(client, brokerKind, 'main', { type: 'Ready', status: 'True' })
  const [https, http] = status!.addresses!
  expect(status!.address).toEqual(http)
  expect(https).toMatchObject({ name: 'https', url: `https://${INGRESS}/default/main` })
  const secret = await client.get(secretKind, { namespace: SYSTEM, name: 'mt-broker-ingress-server-tls' })
  expect(Buffer.from(secret.data!['ca.crt']!, 'base64').toString()).toBe(https!.CACerts)
  expect(https!.CACerts).not.toContain(emulator.certificates.caCertificate)
  expect(https!.CACerts).not.toContain('PRIVATE KEY')
  expect(await curl(emulator, https!.url!, https!.CACerts!, 'secure')).toMatchObject({ exitCode: 0, stdout: '202' })
  expect(await curl(emulator, https!.url!, sink.CACerts, 'distrusted')).toMatchObject({ exitCode: 60 })
  expect(await sendPlainly(emulator, 'plain')).toBe(202)
  await Promise.all(['secure', 'plain'].map(sink.byId))

  await setMode(client, emulator, 'strict')
  const strict = (await eventually(client, brokerKind, 'main', { type: 'Ready', status: 'True' })).status!
  expect(strict.addresses).toEqual([https])
  expect(strict.address).toEqual(https)
  expect(await sendPlainly(emulator, 'refused')).toBe(404)
  expect(await sendPlainly(emulator, 'refused', 'main-kne-trigger-kn-channel.default.svc.cluster.local', '/')).toBe(404)
  expect(await curl(emulator, https!.url!, https!.CACerts!, 'strict')).toMatchObject({ stdout: '202' })
  await sink.byId('strict')
  expect(await kn('event send --to broker:main --id by-name --type test')).toMatchObject({ exitCode: 0 })
  await sink.byId('by-name')

  await setMode(client, emulator, 'disabled')
  expect((await client.get(brokerKind, inDefault('main'))).status!.addresses).toBeUndefined()
  expect(await curl(emulator, https!.url!, https!.CACerts!, 'late')).toMatchObject({ exitCode: 0, stdout: '404' })
  expect(await sendPlainly(emulator, 'again')).toBe(202)
  await sink.byId('again')
  expect(sink.received.map((headers) => headers['ce-id']).sort()).toEqual(['again', 'by-name', 'disabled', 'plain', 'secure', 'strict'])
})

test('a sink whose authority is not known fails the delivery, and a trust bundle makes it known', async ({
  client,
  emulator,
  clock,
  kn,
}) => {
  const [sink, letters] = [await aSink(clock.now()), await aSink(clock.now())]
  await client.create(brokerKind, { metadata: inDefault('main') })
  await client.create(triggerKind, {
    metadata: inDefault('hears'),
    spec: {
      broker: 'main',
      subscriber: { uri: sink.uri, CACerts: letters.CACerts },
      delivery: { retry: 0, deadLetterSink: { uri: letters.uri, CACerts: letters.CACerts } },
    },
  })
  await eventually(client, triggerKind, 'hears', { type: 'Ready', status: 'True' })
  expect(await sendPlainly(emulator, 'lost')).toBe(202)
  await letters.byId('lost')
  expect(sink.received).toEqual([])
  expect((await kn('event why lost')).stdout).toContain('tls: failed to verify certificate: x509: certificate signed by unknown authority')

  const labels = { 'networking.knative.dev/trust-bundle': 'true' }
  await client.create(configMapKind, { metadata: { namespace: SYSTEM, name: 'team', labels }, data: { 'ca.crt': sink.CACerts } })
  await emulator.settled()
  expect(await sendPlainly(emulator, 'found')).toBe(202)
  await sink.byId('found')
  expect(letters.received).toHaveLength(1)
})

test('a Sequence of strict channels hands its events on, and a certificate that someone takes away comes back', async ({
  client,
  emulator,
  clock,
}) => {
  await setMode(client, emulator, 'strict')
  const [first, last] = [await aSink(clock.now(), 'stepped'), await aSink(clock.now())]
  await client.create(sequenceKind, {
    metadata: inDefault('steps'),
    spec: {
      channelTemplate: { apiVersion: 'messaging.knative.dev/v1', kind: 'InMemoryChannel' },
      steps: [
        { uri: first.uri, CACerts: first.CACerts },
        { uri: last.uri, CACerts: last.CACerts },
      ],
    },
  })
  const { address } = (await eventually(client, sequenceKind, 'steps', { type: 'Ready', status: 'True' })).status!
  expect(address!.url).toBe('https://imc-dispatcher.knative-eventing.svc.cluster.local/default/steps-kn-sequence-0')
  expect(await curl(emulator, address!.url!, address!.CACerts!, 'in')).toMatchObject({ stdout: '202' })
  await last.until((all) => all.some((headers) => headers['ce-type'] === 'stepped'))

  await client.delete(secretKind, { namespace: SYSTEM, name: 'imc-dispatcher-server-tls' })
  await emulator.settled()
  const renewed = (await client.get(inMemoryChannelKind, inDefault('steps-kn-sequence-0'))).status!.address!
  expect(renewed.CACerts).not.toBe(address!.CACerts)
  expect(await curl(emulator, renewed.url!, address!.CACerts!, 'old')).toMatchObject({ exitCode: 60 })
  expect(await curl(emulator, renewed.url!, renewed.CACerts!, 'new')).toMatchObject({ stdout: '202' })
})

test('a RequestReply of a strict Broker is asked and answered over https', async ({ client, emulator, clock }) => {
  await setMode(client, emulator, 'strict')
  const replier = await aSink(clock.now(), 'answer')
  await client.create(brokerKind, { metadata: inDefault('main') })
  await client.create(triggerKind, {
    metadata: inDefault('replier'),
    spec: { broker: 'main', filter: { attributes: { type: 'test' } }, subscriber: { uri: replier.uri, CACerts: replier.CACerts } },
  })
  await eventually(client, triggerKind, 'replier', { type: 'Ready', status: 'True' })
  const brokerRef = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'main' }
  await client.create(requestReplyKind, { metadata: inDefault('asks'), spec: { brokerRef } })
  const { addresses } = (await eventually(client, requestReplyKind, 'asks', { type: 'Ready', status: 'True' })).status!
  expect(addresses).toMatchObject([
    { name: 'https', url: 'https://request-reply.knative-eventing.svc.cluster.local/default/asks', CACerts: expect.any(String) },
  ])
  expect(await sendPlainly(emulator, 'refused', 'request-reply.knative-eventing.svc.cluster.local', '/default/asks')).toBe(404)
  expect(await curl(emulator, addresses![0]!.url!, addresses![0]!.CACerts!, 'q')).toMatchObject({ exitCode: 0, stdout: '200' })
  const [question] = replier.received
  expect(question!['ce-correlationid']).toMatch(/^q:/)
})

test('a program in a Pod reaches the https address of a Broker', async ({ client, emulator, clock }) => {
  await setMode(client, emulator, 'strict')
  const sink = await aSink(clock.now())
  await client.create(brokerKind, { metadata: inDefault('main') })
  await client.create(triggerKind, {
    metadata: inDefault('hears'),
    spec: { broker: 'main', subscriber: { uri: sink.uri, CACerts: sink.CACerts } },
  })
  await eventually(client, triggerKind, 'hears', { type: 'Ready', status: 'True' })
  const { url, CACerts } = (await client.get(brokerKind, inDefault('main'))).status!.address!
  const headers = Object.entries(eventHeaders('from-pod')).map(([name, value]) => `-H '${name}: ${value}'`)
  const script = `printenv CA > "$TMPDIR/ca.crt"; curl -sS --cacert "$TMPDIR/ca.crt" ${headers.join(' ')} -d '' ${url}`
  await client.create(podKind, {
    metadata: inDefault('sender'),
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'curl', image: 'curlimages/curl', command: ['sh', '-c', script], env: [{ name: 'CA', value: CACerts! }] }],
    },
  })
  await sink.byId('from-pod')
})
