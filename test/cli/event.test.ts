import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { Client } from '../../src/client/client.js'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { eventRecordKind } from '../../src/kinds/emulator/eventrecord/kind.js'
import type { EventRecord } from '../../src/kinds/emulator/eventrecord/schema.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import type { Trigger } from '../../src/kinds/trigger/schema.js'
import { until } from '../support/daemon.js'
import { type EmulatorFixtures, test } from '../support/emulator.js'

type Kn = EmulatorFixtures['kn']

interface Got {
  headers: IncomingMessage['headers']
  body: Buffer
}

/** A program that takes events on a port of its own, and keeps them. Answers 200 unless told otherwise. */
async function aSink(answer: (response: ServerResponse, got: Got, count: number) => void = (response) => response.end()) {
  const got: Got[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const one = { headers: request.headers, body: Buffer.concat(parts) }
      got.push(one)
      answer(response, one, got.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, got }
}

const isReady = (object: { status?: { conditions?: readonly { type: string; status: string }[] } }): boolean =>
  object.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

async function aBroker(client: Client): Promise<void> {
  await client.create(brokerKind, { metadata: { name: 'default', namespace: 'default' }, spec: {} } as never)
  await until(
    async () => isReady(await client.get(brokerKind, { namespace: 'default', name: 'default' })) || undefined,
    20_000,
    'the broker',
  )
}

/** A Trigger of that Broker, once it is ready; without retries. */
async function aTrigger(client: Client, name: string, uri: string, spec: Partial<Trigger['spec']> = {}): Promise<void> {
  await client.create(triggerKind, {
    metadata: { name, namespace: 'default' },
    spec: { broker: 'default', subscriber: { uri }, delivery: { retry: 0 }, ...spec },
  })
  await until(async () => isReady(await client.get(triggerKind, { namespace: 'default', name })) || undefined, 20_000, `trigger ${name}`)
}

const send = (kn: Kn, id: string, ...words: string[]) =>
  kn(['event', 'send', '--to', 'broker:default', '--id', id, '--source', '/shop', ...words])

/** The record of an event once it is in that state. */
const recordIn = (client: Client, id: string, state: EventRecord['status']['state']): Promise<EventRecord> =>
  until(
    async () =>
      (await client.list(eventRecordKind, 'default', { fieldSelector: `spec.id=${id}` })).find(({ status }) => status.state === state),
    20_000,
    `event ${id} being ${state}`,
  )

test('an event is sent to a broker, and why says which trigger got it and which clause kept it from the other', async ({ kn, client }) => {
  const sink = await aSink()
  await aBroker(client)
  await aTrigger(client, 'mail', sink.url, { filter: { attributes: { type: 'order.paid' } } })
  await aTrigger(client, 'audit', sink.url, { filters: [{ exact: { type: 'order.payd' } }] })
  expect(await send(kn, 'one', '--type', 'order.paid', '--field', 'order.id=42')).toEqual({
    exitCode: 0,
    stdout: 'Event (ID: one) have been sent.\n',
    stderr: '',
  })
  await recordIn(client, 'one', 'Delivered')
  expect(sink.got).toHaveLength(1)
  expect(sink.got[0]!.headers).toMatchObject({ 'ce-id': 'one', 'ce-type': 'order.paid', 'content-type': 'application/json' })
  expect(sink.got[0]!.body.toString()).toBe('{"order":{"id":42}}')

  const why = await kn('event why one')
  expect(why).toMatchObject({ exitCode: 0, stderr: '' })
  expect(why.stdout).toContain("Trigger 'audit': filtered out\n  filters[0].exact.type: expected 'order.payd', got 'order.paid'\n")
  expect(why.stdout).toContain('  hint: one character differs: the event has "i", the filter "y"\n')
  expect(why.stdout).toMatch(new RegExp(`Trigger 'mail': delivered\n  attempt 1 to ${sink.url}: 200 after \\S+\n`))
})

test('why has an exit code for each way it may go', async ({ kn, client }) => {
  const good = await aSink()
  const bad = await aSink((response) => response.writeHead(422).end('no such customer'))
  await aBroker(client)
  await aTrigger(client, 'good', good.url, { filter: { attributes: { type: 'good' } } })
  await aTrigger(client, 'bad', bad.url, { filter: { attributes: { type: 'bad' } } })
  for (const type of ['good', 'bad', 'other']) await send(kn, type, '--type', type)
  await recordIn(client, 'good', 'Delivered')
  await recordIn(client, 'bad', 'Failed')
  await recordIn(client, 'other', 'Filtered')
  expect((await kn('event why good')).exitCode).toBe(0)
  expect((await kn('event why other')).exitCode).toBe(3)
  const failed = await kn('event why bad')
  expect(failed.exitCode).toBe(4)
  expect(failed.stdout).toContain(`attempt 1 to ${bad.url}: 422 after`)
  expect(JSON.parse((await kn('event why bad -o json')).stdout)).toMatchObject({ verdict: 'failed', record: { spec: { id: 'bad' } } })
  expect(await kn('event why ghost')).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: "Error: no event 'ghost' in the journal of namespace 'default'\nRun 'kn --help' for usage\n",
  })
})

test('a reply and its question lead to one another', async ({ kn, client }) => {
  const replier = await aSink((response) =>
    response.writeHead(200, { 'ce-specversion': '1.0', 'ce-id': 'answer', 'ce-source': '/mail', 'ce-type': 'mail.sent' }).end(),
  )
  const logger = await aSink()
  await aBroker(client)
  await aTrigger(client, 'mail', replier.url, { filter: { attributes: { type: 'order.paid' } } })
  await aTrigger(client, 'log', logger.url, { filter: { attributes: { type: 'mail.sent' } } })
  await send(kn, 'question', '--type', 'order.paid')
  const answer = await recordIn(client, 'answer', 'Delivered')
  const question = await recordIn(client, 'question', 'Delivered')
  expect((await kn('event why question')).stdout).toContain(`reply 'answer' of type mail.sent: record ${answer.metadata.name}\n`)
  expect((await kn('event why answer')).stdout).toContain(`the answer of Trigger 'mail' to record ${question.metadata.name}\n`)
})

test('events are listed, filtered, shown and read with JSON', async ({ kn, client }) => {
  await aBroker(client)
  await send(kn, 'one', '--type', 'a', '--field', 'x=1')
  await send(kn, 'two', '--type', 'b')
  const list = await kn('event list')
  expect(list.stdout.replaceAll(/ \ds$/gm, ' 0s')).toBe(
    'ID    TYPE   SOURCE   ORIGIN           STATE      AGE\none   a      /shop    broker/default   Accepted   0s\ntwo   b      /shop    broker/default   Accepted   0s\n',
  )
  expect((await kn('event list --type b --no-headers')).stdout).toMatch(/^two {3}b/)
  expect((await kn('event list --limit 1 --no-headers')).stdout).toMatch(/^two/)
  expect((await kn('event list --state Failed')).stdout).toBe('No events found.\n')
  expect((await kn('event list --state nonsense')).stderr).toContain('must be one of Accepted, Filtered, ')
  expect(JSON.parse((await kn('event list --id one -o json')).stdout)).toMatchObject({
    items: [{ spec: { id: 'one', data: 'eyJ4IjoxfQ==' } }],
  })
  const shown = (await kn('event show one')).stdout
  expect(shown).toContain('  type:                a\n')
  expect(shown).toContain('Data:\n  {\n    "x": 1\n  }\n')
  expect((await kn(['event', 'show', 'e0000000001', '-o', 'jsonpath={.spec.id}'])).stdout).toBe('one')
})

test('an event is replayed byte for byte: to its broker, to one trigger, and elsewhere with changes', async ({ kn, client }) => {
  let isBroken = true
  const flaky = await aSink((response) => response.writeHead(isBroken ? 400 : 200).end())
  const elsewhere = await aSink()
  await aBroker(client)
  await aTrigger(client, 'mail', flaky.url)
  const line = '{"specversion":"1.0","id":"bin","source":"/s","type":"t","region":"eu","data_base64":"AP8NCg=="}\n'
  expect((await kn(['event', 'import', '-'], line)).stdout).toMatch(/^1 event sent to http:\/\/broker-ingress\./)
  await recordIn(client, 'bin', 'Failed')

  isBroken = false
  const once = await kn('event replay bin --trigger mail --if-not-delivered')
  expect(once).toMatchObject({ exitCode: 0, stdout: `Event 'bin' sent to the subscriber of trigger 'mail', ${flaky.url}: 200\n` })
  expect(flaky.got.at(-1)!.body).toEqual(Buffer.from([0, 255, 13, 10]))
  expect(flaky.got.at(-1)!.headers).toMatchObject({ 'ce-id': 'bin', 'ce-region': 'eu' })
  expect(flaky.got.at(-1)!.headers).not.toHaveProperty('ce-knativebrokerttl')

  const again = await kn('event replay bin')
  expect(again.stdout).toBe("Event 'bin' sent to Broker 'default' in namespace 'default': 202\n")
  await recordIn(client, 'bin', 'Delivered')
  expect(flaky.got).toHaveLength(3)
  const refrained = await kn('event replay bin --if-not-delivered')
  expect(refrained.stdout).toBe("Event 'bin' has been delivered already, it is not sent again.\n")
  expect(refrained.stderr).toContain("The id 'bin' came 2 times; this is the newest, e0000000002. The others: e0000000001\n")
  expect(flaky.got).toHaveLength(3)

  await kn(['event', 'replay', 'e0000000001', '--to', elsewhere.url, '--edit', 'type=other', '--edit', 'data=text'])
  expect(elsewhere.got[0]).toMatchObject({ headers: { 'ce-type': 'other', 'ce-id': 'bin' }, body: Buffer.from('text') })
  expect((await kn('event replay bin --trigger ghost')).stderr).toContain('triggers.eventing.knative.dev "ghost" not found')
})

test('an event is changed in an editor before it is replayed', async ({ kn, client, emulator }) => {
  const sink = await aSink()
  await aBroker(client)
  await send(kn, 'one', '--type', 'a')
  const editor = join(emulator.directory, 'editor.sh')
  writeFileSync(editor, '#!/bin/sh\nsed -i s/\\"a\\"/\\"edited\\"/ "$1"\n')
  chmodSync(editor, 0o700)
  emulator.env['EDITOR'] = editor
  expect((await kn(['event', 'replay', 'one', '--to', sink.url, '--editor'])).exitCode).toBe(0)
  expect(sink.got[0]!.headers['ce-type']).toBe('edited')
  emulator.env['EDITOR'] = 'false'
  expect((await kn(['event', 'replay', 'one', '--to', sink.url, '--editor'])).stderr).toContain(
    "Error: the editor 'false' ended with 1: nothing was sent\n",
  )
  expect(sink.got).toHaveLength(1)
})

test('what is exported can be imported, and a line that is no event is told before anything is sent', async ({ kn, client, emulator }) => {
  const sink = await aSink()
  await aBroker(client)
  await send(kn, 'one', '--type', 'a', '--field', 'x=1')
  await send(kn, 'two', '--type', 'b')
  const exported = await kn('event export')
  expect(exported.stdout.split('\n').map((line) => line && (JSON.parse(line) as { id: string }).id)).toEqual(['one', 'two', ''])
  expect(exported.stdout).not.toContain('knative')
  const file = join(emulator.directory, 'events.jsonl')
  writeFileSync(file, exported.stdout)
  expect(await kn(['event', 'import', file, '--to', sink.url])).toEqual({
    exitCode: 0,
    stdout: `2 events sent to ${sink.url}\n`,
    stderr: '',
  })
  expect(sink.got.map(({ headers, body }) => [headers['ce-id'], body.toString()])).toEqual([
    ['one', '{"x":1}'],
    ['two', '{}'],
  ])
  writeFileSync(file, `${exported.stdout}{"id":"x"}\n`)
  expect((await kn(['event', 'import', file, '--to', sink.url])).stderr).toContain(`Error: line 3 of ${file} is no event: `)
  expect(sink.got).toHaveLength(2)
})

test('--to knows the prefixes of the configuration, for send, replay and import', async ({ kn, client, emulator }) => {
  const sink = await aSink()
  await aBroker(client)
  await aTrigger(client, 'all', sink.url)
  const config = join(emulator.directory, 'prefixes.yaml')
  writeFileSync(
    config,
    'eventing:\n  sink-mappings:\n  - prefix: bus\n    group: eventing.knative.dev\n    version: v1\n    resource: brokers\n',
  )
  const bus = ['--to', 'bus:default', '--config', config]
  expect((await kn(['event', 'send', ...bus, '--id', 'sent'])).exitCode).toBe(0)
  expect((await kn(['event', 'replay', 'sent', ...bus, '--edit', 'id=again'])).exitCode).toBe(0)
  const file = join(emulator.directory, 'events.jsonl')
  writeFileSync(file, '{"specversion":"1.0","id":"imported","source":"/s","type":"t"}\n')
  expect((await kn(['event', 'import', file, ...bus])).exitCode).toBe(0)
  await until(async () => sink.got.length === 3 || undefined)
  expect(sink.got.map(({ headers }) => headers['ce-id'])).toEqual(['sent', 'again', 'imported'])
  expect((await kn(['event', 'send', '--to', 'bus:default', '--id', 'x'])).stderr).toContain(
    'Error: --to flag has invalid format: bus:default\n',
  )
})

test('expect ends with 0 once what was expected has come, from before or while it waits', async ({ kn, client }) => {
  const sink = await aSink()
  await aBroker(client)
  await aTrigger(client, 'all', sink.url)
  const waiting = kn([
    'event',
    'expect',
    '--type',
    'late',
    '--data',
    '$.order.id=42',
    '--state',
    'Delivered',
    '--count',
    '2',
    '--within',
    '30s',
  ])
  for (const id of ['one', 'two']) await send(kn, id, '--type', 'late', '--field', 'order.id=42')
  expect(await waiting).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^2 such events after \d+\.\ds\.\n$/), stderr: '' })
  expect((await kn('event expect --id one --within 0s')).exitCode).toBe(0)
  expect(await kn('event expect --state Failed --count 0 --within 100ms')).toMatchObject({
    exitCode: 0,
    stdout: 'No such event within 0.1s.\n',
  })
})

test('expect ends with 1 and tells what came instead, also as a JUnit report', async ({ kn, client, emulator }) => {
  await aBroker(client)
  await send(kn, 'one', '--type', 'order.paid', '--field', 'id=41')
  const report = join(emulator.directory, 'report.xml')
  const { exitCode, stdout, stderr } = await kn([
    'event',
    'expect',
    '--type',
    'order.paid',
    '--data',
    '$.id=42',
    '--within',
    '200ms',
    '--junit',
    report,
  ])
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
  expect(stderr).toContain('Error: expected 1 event with type=order.paid, $.id=42 within 0.2s, got 0\nWhat came:\n- one: type order.paid')
  expect(stderr).toContain("    not $.id=42: it has '41'\n")
  expect(readFileSync(report, 'utf8')).toContain('failures="1"')
  expect((await kn('event expect --type order.paid --count 0 --within 5s')).stderr).toContain(
    'Error: expected no event with type=order.paid within 5s, got 1\n',
  )
})

test('a payload that the journal was told not to keep is not sent again', async ({ kn, client }) => {
  await aBroker(client)
  const ref = { namespace: 'knative-serving', name: 'kn-local' }
  await client.patch(configMapKind, ref, { type: 'application/merge-patch+json', body: { data: { 'event-journal-payload': '3' } } })
  await send(kn, 'one', '--type', 'a', '--field', 'x=1')
  expect((await kn('event show one')).stdout).toContain('(3 of 7 bytes were kept)')
  expect(await kn('event replay one')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("Error: the journal has 3 of the 7 bytes that event 'one' (e0000000001) carried\n"),
  })
})

test('a list that is watched goes on with what comes and what changes', async ({ kn, client, emulator }) => {
  const sink = await aSink()
  await aBroker(client)
  await aTrigger(client, 'all', sink.url)
  await send(kn, 'one', '--type', 'a')
  await recordIn(client, 'one', 'Delivered')
  const { spawn } = await import('node:child_process')
  const { BIN } = await import('../support/emulator.js')
  const watching = spawn(process.execPath, [BIN, 'event', 'list', '--watch'], { env: emulator.env })
  onTestFinished(() => void watching.kill('SIGKILL'))
  let text = ''
  watching.stdout.on('data', (bytes: Buffer) => {
    text += bytes
  })
  await until(() => text.includes('one ') || undefined, 20_000, 'the list')
  await send(kn, 'two', '--type', 'a')
  await until(() => /^two .*Delivered/m.test(text) || undefined, 20_000, 'the line of the second event')
  expect(text).toMatch(/^ID .*AGE\none .*Delivered/)
})

test('addresses that refuse and names that are not there are told', async ({ kn, client }) => {
  const sink = await aSink((response) => response.writeHead(400).end('bad event'))
  expect(await kn(['event', 'send', '--to', sink.url])).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining(`Error: can't sent the event: ${sink.url} answered 400: bad event\n`),
  })
  expect((await kn('event send --to broker:ghost')).stderr).toContain('Error: brokers.eventing.knative.dev "ghost" not found\n')
  expect((await kn('event send --to http://127.0.0.1:1/')).stderr).toContain("Error: can't sent the event: POST http://127.0.0.1:1/: ")
  expect(await client.list(eventRecordKind)).toEqual([])
})
