import { describe, expect, vi } from 'vitest'
import { fetchFrom, run, type TestEmulator, test } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

/** What a newcomer does with Eventing, by kubectl and curl, as Knative's own guides tell it. */

const kubectl = findKubectls().at(-1)
const RELEASES = 'gcr.io/knative-releases/knative.dev/eventing/cmd'
const BROKER_URL = 'http://broker-ingress.knative-eventing.svc.cluster.local'

type Env = Record<string, string>

const aService = (name: string, image: string, env: Env = {}) => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name },
  spec: { template: { spec: { containers: [{ image, env: Object.entries(env).map(([key, value]) => ({ name: key, value })) }] } } },
})
const toService = (name: string) => ({ ref: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name } })
const aTrigger = (name: string, subscriber: string, type: string, delivery?: object) => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name },
  spec: { broker: 'default', filter: { attributes: { type } }, subscriber: toService(subscriber), ...(delivery && { delivery }) },
})
const aBroker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'default' } }

describe.skipIf(!kubectl)('Eventing from a newcomer’s side', () => {
  const steps = (emulator: TestEmulator) => {
    const ok = async (args: string[], input?: object): Promise<string> => {
      const ran = await run(kubectl!.path, args, emulator.env, input ? { input: JSON.stringify(input) } : {})
      const { exitCode, stdout, stderr } = ran
      expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
      return stdout
    }
    const line = (text: string, input?: object): Promise<string> => ok(text.split(' '), input)
    return {
      line,
      /** Applies objects, and waits for those that are to become ready. */
      async apply(...items: { kind: string; metadata: { name: string } }[]) {
        await line('apply -f -', { apiVersion: 'v1', kind: 'List', items })
        for (const { kind, metadata } of items)
          await line(`wait --for=condition=Ready ${kind.toLowerCase()}.${groupOf(kind)}/${metadata.name} --timeout=30s`)
      },
      logOf: (service: string) => line(`logs -l serving.knative.dev/service=${service} -c user-container --tail=-1`),
      /** Sends with curl in a Pod, and gives its log. */
      async curl(name: string, image: string, args: string[]) {
        await ok(['run', name, `--image=${image}`, '--restart=Never', '--', ...args])
        await line(`wait --for=jsonpath={.status.phase}=Succeeded pod/${name} --timeout=30s`)
        return line(`logs ${name}`)
      },
    }
  }
  const groupOf = (kind: string): string => (kind === 'Service' ? 'serving.knative.dev' : 'eventing.knative.dev')
  const anEvent = (id: string, type: string, data: string): string[] => [
    ...['-s', '-v', '-X', 'POST', '-H', `Ce-Id: ${id}`, '-H', 'Ce-Specversion: 1.0', '-H', `Ce-Type: ${type}`],
    ...['-H', 'Ce-Source: not-sendoff', '-H', 'Content-Type: application/json', '-d', data],
  ]
  const eventually = (assertion: () => Promise<void>): Promise<void> => vi.waitFor(assertion, { timeout: 20_000, interval: 100 })

  test('two triggers sort events by type, and event_display shows each of them what it asked for', async ({ emulator }) => {
    const { line, apply, logOf, curl } = steps(emulator)
    const display = `${RELEASES}/event_display`
    await apply(aBroker, aService('hello-display', display), aService('goodbye-display', display))
    await apply(aTrigger('hello', 'hello-display', 'greeting'), aTrigger('goodbye', 'goodbye-display', 'sendoff'))
    const url = await line('get broker default -o jsonpath={.status.address.url}')
    expect(url).toBe(`${BROKER_URL}/default/default`)

    const answer = await curl('curl-1', 'kn.local/shell', ['curl', url, ...anEvent('say-hello', 'greeting', '{"msg":"Hello Knative!"}')])
    expect(answer).toMatch(/^< HTTP\/1\.1 202 Accepted\s*$/m)
    await curl('curl-2', 'curlimages/curl', [url, ...anEvent('say-goodbye', 'sendoff', '{"msg":"Goodbye Knative!"}')])
    const shown = (id: string, type: string, msg: string) =>
      new RegExp(
        `^☁️ {2}cloudevents\\.Event\nContext Attributes,\n {2}specversion: 1\\.0\n {2}type: ${type}\n {2}source: not-sendoff\n {2}id: ${id}\n {2}datacontenttype: application/json\nExtensions,\n {2}knativearrivaltime: [-0-9T:.]+Z\nData,\n {2}\\{\n {4}"msg": "${msg}"\n {2}\\}\n$`,
      )
    await eventually(async () => expect(await logOf('hello-display')).toMatch(shown('say-hello', 'greeting', 'Hello Knative!')))
    await eventually(async () => expect(await logOf('goodbye-display')).toMatch(shown('say-goodbye', 'sendoff', 'Goodbye Knative!')))
  })

  test('a reply goes into the Broker again, and on to the next Trigger', async ({ emulator }) => {
    const { apply, logOf, curl } = steps(emulator)
    await apply(
      aBroker,
      aService('first', 'kn.local/transformer', { REPLY_TYPE: 'checked', APPEND: '{"checked":true}' }),
      aService('second', `${RELEASES}/appender`, { MESSAGE: ', and packed', TYPE: 'packed' }),
      aService('display', `${RELEASES}/event_display`),
    )
    await apply(aTrigger('check', 'first', 'ordered'), aTrigger('pack', 'second', 'checked'), aTrigger('show', 'display', 'packed'))
    await curl('curl', 'kn.local/shell', [
      'curl',
      `${BROKER_URL}/default/default`,
      ...anEvent('o1', 'ordered', '{"id":1,"message":"Book"}'),
    ])
    await eventually(async () => {
      const log = await logOf('display')
      expect(log).toMatch(/ {2}type: packed\n {2}source: \/kn\.local\/transformer\n/)
      expect(log).toContain('Data,\n  {\n    "id": 1,\n    "message": "Book, and packed"\n  }\n')
    })
  })

  test('what a subscriber keeps refusing ends in its dead letter sink, with the reason', async ({ emulator }) => {
    const { apply, logOf, curl } = steps(emulator)
    await apply(aBroker, aService('refuses', 'kn.local/failing', { STATUS: '422' }), aService('dead', `${RELEASES}/event_display`))
    await apply(aTrigger('t', 'refuses', 'ordered', { retry: 0, deadLetterSink: toService('dead') }))
    await curl('curl', 'kn.local/shell', ['curl', `${BROKER_URL}/default/default`, ...anEvent('o2', 'ordered', '{}')])
    await eventually(async () => {
      const log = await logOf('dead')
      expect(log).toMatch(/ {2}id: o2\n/)
      expect(log).toMatch(/ {2}knativeerrorcode: 422\n/)
      expect(log).toMatch(/ {2}knativeerrordest: http:\/\/refuses\.default\.svc\.cluster\.local\n/)
    })
    expect(await logOf('refuses')).toContain('failing: 422 for event o2 of type ordered (request 1)\n')
  })

  test('a label on a namespace brings a Broker, which a Pod there reaches', async ({ emulator }) => {
    const { line, curl } = steps(emulator)
    await line('create namespace shop')
    await line('label namespace shop eventing.knative.dev/injection=enabled')
    await line('wait --for=create broker/default -n shop --timeout=30s')
    await line('wait --for=condition=Ready broker/default -n shop --timeout=30s')
    const url = await line('get broker default -n shop -o jsonpath={.status.address.url}')
    expect(url).toBe(`${BROKER_URL}/shop/default`)
    const answer = await curl('curl', 'kn.local/shell', ['curl', url, ...anEvent('s1', 'ordered', '{}')])
    expect(answer).toMatch(/^< HTTP\/1\.1 202 Accepted\s*$/m)
  })

  test('names inside the cluster mean what they mean on a cluster, to curl and to Node’s own fetch', async ({ emulator }) => {
    const { apply, curl } = steps(emulator)
    await apply(aService('hello', 'ghcr.io/knative/helloworld-go', { TARGET: 'Pod' }))
    const local = 'http://hello.default.svc.cluster.local'
    const names = [local, 'http://hello.default.svc', 'http://hello.default', `http://hello.default.localhost:${emulator.ports.external}`]
    expect(await curl('by-curl', 'kn.local/shell', ['curl', '-s', ...names])).toBe('Hello Pod!\n'.repeat(4))
    expect(await curl('by-tunnel', 'curlimages/curl', ['-s', '--proxytunnel', local])).toBe('Hello Pod!\n')
    const script = `for (const name of process.argv.slice(1)) process.stdout.write(await (await fetch(name)).text())`
    const byNode = [process.execPath, '--input-type=module', '-e', script, local, 'http://hello.default.svc', names[3]!]
    expect(await curl('by-node', 'kn.local/shell', byNode)).toBe('Hello Pod!\n'.repeat(3))
  })

  test('a program that is given K_SINK needs no proxy to reach it', async ({ emulator }) => {
    const { line, apply, logOf } = steps(emulator)
    const env = { K_SINK: `${BROKER_URL}/default/default`, http_proxy: 'http://127.0.0.1:1' }
    await apply(aBroker, aService('player', 'quay.io/ruben/cloudevents-player', env), aService('display', `${RELEASES}/event_display`))
    await apply(aTrigger('t', 'display', 'played'))
    const url = await line('get ksvc player -o jsonpath={.status.url}')
    const headers = { 'ce-id': 'p1', 'ce-type': 'played', 'ce-source': '/me', 'ce-specversion': '1.0', 'content-type': 'application/json' }
    expect(await fetchFrom(`${url}/messages`, { method: 'POST', headers, body: '{}' })).toMatchObject({ status: 202 })
    expect(JSON.parse((await fetchFrom(`${url}/messages`)).body)).toMatchObject([{ id: 'p1', type: 'SENT' }])
    await eventually(async () => expect(await logOf('display')).toMatch(/ {2}id: p1\n/))
  })
})
