import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished } from 'vitest'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { secretKind } from '../../src/kinds/core/secret/kind.js'
import { requestReplyKind } from '../../src/kinds/requestreply/kind.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import { type EmulatorFixtures, fetchFrom, startTestEmulator, test } from '../support/emulator.js'
import { eventually } from '../support/objects.js'

const inDefault = (name: string) => ({ namespace: 'default', name })

/** A program that answers a question with an event of type `answer`, whose data says which question that was. */
async function aReplier(answers: (type: string) => boolean): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const { 'ce-id': id, 'ce-type': type, 'ce-correlationid': correlation } = request.headers as Record<string, string>
      if (!answers(type!)) return void response.writeHead(202).end()
      const event = {
        'ce-specversion': '1.0',
        'ce-id': `re-${id}`,
        'ce-source': '/replier',
        'ce-type': 'answer',
        'ce-replyid': correlation!,
      }
      response.writeHead(200, { ...event, 'content-type': 'application/json' }).end(JSON.stringify({ to: id }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** A RequestReply over a Broker whose questions are answered; asks at the address that its status names. */
async function aRequestReply({ client, emulator }: Pick<EmulatorFixtures, 'client' | 'emulator'>, spec: { timeout?: string } = {}) {
  await client.create(brokerKind, { metadata: inDefault('main') })
  const subscriber = { uri: await aReplier((type) => type === 'question') }
  await client.create(triggerKind, {
    metadata: inDefault('replier'),
    spec: { broker: 'main', filter: { attributes: { type: 'question' } }, subscriber },
  })
  const brokerRef = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'main' }
  await client.create(requestReplyKind, { metadata: inDefault('rr'), spec: { brokerRef, ...spec } })
  await eventually(client, triggerKind, 'replier', { type: 'Ready', status: 'True' })
  const { status } = await eventually(client, requestReplyKind, 'rr', { type: 'Ready', status: 'True' })
  const { host, pathname } = new URL(status!.address!.url!)
  return (id: string, type = 'question') =>
    fetchFrom(`http://127.0.0.1:${emulator.ports.clusterLocal}${pathname}`, {
      method: 'POST',
      body: '{}',
      headers: { host, 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/asker', 'ce-type': type, 'content-type': 'application/json' },
    })
}

test('a question is answered with the event that a subscriber of the Broker replies', async ({ client, emulator }) => {
  const ask = await aRequestReply({ client, emulator })
  const { status, headers, body } = await ask('q')
  expect([status, JSON.parse(body)]).toEqual([200, { to: 'q' }])
  expect(headers).toMatchObject({ 'ce-id': 're-q', 'ce-type': 'answer', 'ce-source': '/replier', 'content-type': 'application/json' })
  expect(headers['ce-replyid']).toMatch(/^q:[A-Za-z0-9_-]+=*:0$/)
  expect(headers['ce-knativebrokerttl']).toBeUndefined()
})

test('of many questions at once each gets its own answer, also when the key is changed meanwhile', async ({ client, emulator }) => {
  const ask = await aRequestReply({ client, emulator })
  const questions = Array.from({ length: 40 }, (_, index) => `q${index}`)
  const first = Promise.all(questions.slice(0, 20).map((id) => ask(id)))
  const keys = await client.get(secretKind, { namespace: 'knative-eventing', name: 'request-reply-keys' })
  await client.update(secretKind, { ...keys, data: { ...keys.data, 'default.rr.key-1': Buffer.alloc(32, 7).toString('base64') } })
  const answers = [...(await first), ...(await Promise.all(questions.slice(20).map((id) => ask(id))))]
  expect(answers.map(({ status }) => status)).toEqual(questions.map(() => 200))
  expect(answers.map(({ body }) => JSON.parse(body).to)).toEqual(questions)
})

test('a question that nobody answers is answered without an event once its time is over', async ({ client, emulator }) => {
  const ask = await aRequestReply({ client, emulator }, { timeout: 'PT0.2S' })
  const { status, body, headers } = await ask('q', 'remark')
  expect([status, body, headers['ce-id']]).toEqual([200, '', undefined])
})

test('a question that waits is answered when its RequestReply is deleted, and one after that', async ({ client, emulator }) => {
  const ask = await aRequestReply({ client, emulator })
  const waiting = ask('q', 'remark')
  // It is held once its event has been through the Broker; a question behind it shows that.
  expect((await ask('next')).status).toBe(200)
  await client.delete(requestReplyKind, inDefault('rr'))
  expect((await waiting).status).toBe(404)
  expect((await ask('late')).status).toBe(404)
})

test('a question that waits is answered when the emulator stops', async () => {
  const emulator = await startTestEmulator()
  const ask = await aRequestReply({ client: emulator.client, emulator })
  const waiting = ask('q', 'remark')
  expect((await ask('next')).status).toBe(200)
  const [{ status }] = await Promise.all([waiting, emulator.close()])
  expect(status).toBe(503)
})
