import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { groupVersion, type ServedKind } from '../../src/apimachinery/kind.js'
import type { KubeObject } from '../../src/apimachinery/object.js'
import { createSystemClock, createVirtualClock, type VirtualClock } from '../../src/base/clock.js'
import { createLogger } from '../../src/base/logger.js'
import { createSeededRandom } from '../../src/base/random.js'
import { servedKinds } from '../../src/kinds/index.js'
import { createApi } from '../support/api.js'
import { startTestEmulator } from '../support/emulator.js'
import { collectionPath, createRequestMaker, type FuzzRequest, type FuzzSubject } from '../support/request-mutations.js'
import { fixtures } from '../unit/apiserver/protobuf/support.js'

const REQUESTS = process.env['KN_SOAK'] === 'full' ? 10_000 : 1_000
/** One in so many is written byte by byte to a socket. */
const RAW_EVERY = 10
/** After so many requests everything that is stored is looked at. */
const LOOK_EVERY = REQUESTS / 4
const ANSWER_MS = 10_000

const IMAGE = 'example.com/none'
const template = {
  metadata: { labels: { app: 'f0' } },
  spec: { containers: [{ name: 'main', image: IMAGE, ports: [{ containerPort: 80 }] }] },
}
const selected = { selector: { matchLabels: { app: 'f0' } }, template }
const made = (apiVersion: string, kind: string, rest: object): object => ({ apiVersion, kind, metadata: { name: 'f0' }, ...rest })
const withSpec = (apiVersion: string, kind: string, spec: object): object => made(apiVersion, kind, { spec })
/** As people write them; none of their images runs here. */
const WRITTEN: readonly object[] = [
  made('v1', 'ConfigMap', { data: { a: '1' }, binaryData: { b: 'AAE=' } }),
  made('v1', 'Secret', { type: 'Opaque', stringData: { a: '1' } }),
  made('v1', 'ServiceAccount', { imagePullSecrets: [{ name: 'a' }] }),
  made('v1', 'Endpoints', { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }),
  made('v1', 'Event', { involvedObject: { kind: 'Pod', namespace: 'fuzz', name: 'f0' }, reason: 'Made', type: 'Normal', message: 'hello' }),
  made('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }),
  withSpec('v1', 'Pod', { ...template.spec, volumes: [{ name: 'v', emptyDir: {} }], tolerations: [{ operator: 'Exists' }] }),
  withSpec('v1', 'Service', { selector: { app: 'f0' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] }),
  withSpec('v1', 'LimitRange', { limits: [{ type: 'Pod', max: { cpu: '64' } }] }),
  withSpec('v1', 'PersistentVolumeClaim', { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }),
  withSpec('apps/v1', 'Deployment', { ...selected, replicas: 2 }),
  withSpec('apps/v1', 'ReplicaSet', selected),
  withSpec('apps/v1', 'StatefulSet', { ...selected, serviceName: 'f0' }),
  withSpec('apps/v1', 'DaemonSet', selected),
  withSpec('batch/v1', 'Job', { template: { spec: { ...template.spec, restartPolicy: 'Never' } } }),
  withSpec('coordination.k8s.io/v1', 'Lease', { holderIdentity: 'me', leaseDurationSeconds: 15, renewTime: '2026-01-02T03:04:05.000000Z' }),
  withSpec('networking.k8s.io/v1', 'NetworkPolicy', { podSelector: {}, policyTypes: ['Ingress'] }),
  withSpec('policy/v1', 'PodDisruptionBudget', { minAvailable: '50%', selector: { matchLabels: { app: 'f0' } } }),
  withSpec('serving.knative.dev/v1', 'Service', {
    template: { spec: { containers: [{ image: IMAGE, env: [{ name: 'A', value: 'b' }] }] } },
    traffic: [{ latestRevision: true, percent: 100, tag: 'now' }],
  }),
  withSpec('serving.knative.dev/v1', 'Configuration', { template: { spec: { containers: [{ image: IMAGE }] } } }),
  withSpec('eventing.knative.dev/v1', 'Broker', { delivery: { retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT1S' } }),
  withSpec('eventing.knative.dev/v1', 'Trigger', {
    broker: 'f0',
    filters: [{ cesql: "type = 'a' OR EXISTS b" }, { any: [{ prefix: { source: 'x' } }] }],
    subscriber: { ref: { apiVersion: 'v1', kind: 'Service', name: 'f0' }, uri: '/in' },
  }),
  withSpec('messaging.knative.dev/v1', 'Channel', {}),
  withSpec('messaging.knative.dev/v1', 'Subscription', {
    channel: { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'f0' },
    subscriber: { uri: 'http://example.com' },
  }),
  withSpec('flows.knative.dev/v1', 'Sequence', { steps: [{ uri: 'http://example.com' }] }),
  withSpec('flows.knative.dev/v1', 'Parallel', { branches: [{ subscriber: { uri: 'http://example.com' } }] }),
  withSpec('shop.example.com/v1', 'Widget', { color: 'red', parts: [{ name: 'a' }], port: 'http', extras: { any: 1 } }),
]
const DEFINITION = parse(readFileSync(join(process.cwd(), 'test/fixtures/crd/widgets.yaml'), 'utf8')) as object
/** A webhook that cannot be reached stops every write, as it should: nothing would be left to test. */
const LEFT_OUT = new Set(['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'])

let emulator: Awaited<ReturnType<typeof startTestEmulator>>
let clock: VirtualClock
/** What the log says of bugs: requests that failed, and controllers that stumble over an object again and again. */
const errors: string[] = []
beforeAll(async () => {
  clock = createVirtualClock({ startMs: createSystemClock().now() })
  const write = (line: string): void => {
    if (/^\S+ error |(Type|Range|Reference|Syntax)Error/.test(line)) errors.push(line)
  }
  const log = createLogger({ clock, write, level: 'warn', format: 'text' })
  emulator = await startTestEmulator({ clock, log })
})
afterAll(() => emulator.close())

test(`${REQUESTS} requests with things wrong in them: each is answered or refused properly, and what is stored stays whole`, async () => {
  const seed = Number(process.env['KN_TEST_SEED'] ?? createSystemClock().now())
  console.log(`${REQUESTS} requests: KN_TEST_SEED=${seed}`)
  const random = createSeededRandom(seed)
  const api = createApi(emulator)
  expect((await api('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'fuzz' } } })).status).toBe(201)
  const { plain, full } = subjects(DEFINITION)
  await createAll(plain)
  const maker = createRequestMaker(random, plain, full)

  const codes = new Map<number, number>()
  const problems: string[] = []
  const seen = new Map<string, string>()
  for (let count = 1; count <= REQUESTS; count++) {
    const what = `request ${count} of seed ${seed}`
    if (count % RAW_EVERY === 0) {
      const bytes = maker.raw(api.host, emulator.token)
      const answer = await rawAnswer(bytes)
      const isProper = answer === '' || /^HTTP\/1\.1 [1-4]\d\d /.test(answer)
      if (!isProper) problems.push(`${what}: ${shown(bytes)} is answered ${JSON.stringify(answer.slice(0, 300))}`)
    } else {
      const asked = maker.next()
      const { status, problem, object } = await answerTo(asked)
      if (problem) problems.push(`${what}: ${JSON.stringify({ ...asked, body: asked.body && shown(asked.body) })}: ${problem}`)
      codes.set(status, (codes.get(status) ?? 0) + 1)
      if (object) maker.sawObject(object)
    }
    problems.push(...errors.splice(0).map((line) => `${what} leads to: ${line}`))
    if (count % LOOK_EVERY === 0) {
      await clock.advance(30_000)
      problems.push(...(await problemsWithStored(seen)).map((problem) => `after ${what}: ${problem}`))
    }
    // One is enough to look into; a few show whether they are the same.
    if (problems.length > 20) break
  }
  expect(problems).toEqual([])

  console.log(
    [...codes]
      .sort(([a], [b]) => a - b)
      .map(([code, count]) => `${code}: ${count}`)
      .join(', '),
  )
  // A fuzzer whose requests are all refused at the door would find nothing.
  const share = (code: number): number => (codes.get(code) ?? 0) / REQUESTS
  expect(share(200) + share(201)).toBeGreaterThan(0.2)
  expect(share(422)).toBeGreaterThan(0.02)
  expect(share(400)).toBeGreaterThan(0.02)
  expect((await api('/readyz')).body).toBe('ok')
})

const widgetServed = {
  kind: { group: 'shop.example.com', version: 'v1', kind: 'Widget', plural: 'widgets', singular: 'widget', namespaced: true },
  builtIn: false,
} as ServedKind

function subjectFrom(object: object): FuzzSubject[] {
  const { apiVersion, kind } = object as { apiVersion: string; kind: string }
  const served = [...servedKinds, widgetServed].find(({ kind: one }) => one.kind === kind && groupVersion(one) === apiVersion)
  return served && !LEFT_OUT.has(kind) ? [{ served, object }] : []
}

/** What people write and kubectl sends; and what has every field there is, or none: most of those are refused. */
function subjects(definition: object): { plain: FuzzSubject[]; full: FuzzSubject[] } {
  const inProtobuf = fixtures().map((fixture) => ({
    ...fixture,
    subjects: subjectFrom(fixture.object).map((subject) => ({ ...subject, bytes: fixture.body })),
  }))
  return {
    plain: [
      ...[definition, ...WRITTEN].flatMap(subjectFrom),
      ...inProtobuf.filter(({ name }) => name.includes('kubectl')).flatMap(({ subjects }) => subjects),
    ],
    full: inProtobuf.filter(({ name }) => !name.includes('kubectl')).flatMap(({ subjects }) => subjects),
  }
}

/** So that requests about them find something. */
async function createAll(all: readonly FuzzSubject[]): Promise<void> {
  for (const { served, object } of all) {
    const path = collectionPath(served, 'fuzz')
    const { status, text } = await send({ method: 'POST', path, query: '', headers: {}, body: Buffer.from(JSON.stringify(object)) })
    // Two kinds have one from people and one from kubectl.
    expect([201, 409], text).toContain(status)
  }
}

test('whatever part of an object is left out or is something else, the answer is proper', async () => {
  const { plain } = subjects(DEFINITION)
  const problems: string[] = []
  for (const { served, object } of plain) {
    for (const { place, broken } of brokenIn(object)) {
      const path = collectionPath(served, 'default')
      const asked = { method: 'POST', path, query: 'dryRun=All', headers: {}, body: Buffer.from(JSON.stringify(broken)) }
      const { problem } = await answerTo(asked)
      if (problem) problems.push(`${served.kind.kind}, ${place}: ${problem}`)
    }
  }
  expect([problems, errors.splice(0)]).toEqual([[], []])
})

/** Copies of an object, each with one place left out or with something else in it. */
function* brokenIn(object: object): Generator<{ place: string; broken: object }> {
  const paths = placesIn(object)
  for (const path of paths) {
    for (const value of [undefined, null, 'x', 7, true, [], {}, [null], [[]], [{}], { '': null }]) {
      const broken = structuredClone(object)
      const parent = path.slice(0, -1).reduce((at: never, key) => at[key as never], broken as never) as Record<string, unknown>
      if (value === undefined) delete parent[path.at(-1)!]
      else parent[path.at(-1)!] = value
      yield { place: `${path.join('.')} = ${JSON.stringify(value) ?? 'nothing'}`, broken }
    }
  }
}

function placesIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, child]) => [[...path, key], ...placesIn(child, [...path, key])])
}

interface Answer {
  status: number
  /** What is wrong with the answer itself. */
  problem: string | undefined
  /** The object that came back, if it was one. */
  object: object | undefined
}

/** Upstream's own answers of 500 to what a client sent. */
const KNOWN_500 = [/resourceVersion should not be set on objects to be created/, /failed to create typed patch object/]

const agent = new Agent({ keepAlive: true })
interface Response {
  /** 0 when there was none. */
  status: number
  type: string
  text: string
}

function send({ method, path, query, headers, body }: FuzzRequest): Promise<Response> {
  return new Promise((resolve) => {
    const given = (status: number, type: string, text: string): void => {
      clearTimeout(timer)
      resolve({ status, type, text })
    }
    const timer = setTimeout(() => given(0, '', `no answer within ${ANSWER_MS} ms`), ANSWER_MS)
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: emulator.ports.control,
        ca: emulator.certificates.caCertificate,
        agent,
        method,
        path: query ? `${path}?${query}` : path,
        headers: { Authorization: `Bearer ${emulator.token}`, ...(body && { 'Content-Length': body.length }), ...headers },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('close', () => given(response.statusCode!, String(response.headers['content-type'] ?? ''), text))
        response.on('error', () => {})
        // What goes on has no end to wait for; its beginning will do.
        if (response.headers['transfer-encoding'] === 'chunked') setTimeout(() => response.destroy(), 10)
      },
    )
    outgoing.on('upgrade', (_response, socket) => {
      socket.destroy()
      given(101, '', '')
    })
    outgoing.on('error', (error) => given(0, '', error.message))
    outgoing.end(body)
  })
}

async function answerTo(asked: FuzzRequest): Promise<Answer> {
  const { status, type, text } = await send(asked)
  const parsed = parsedFrom(text, type)
  if (status === 0) return { status, problem: text, object: undefined }
  if (status < 400) return { status, problem: undefined, object: parsed }
  return { status, problem: problemWithRefusal({ method: asked.method, status, parsed, text }), object: undefined }
}

function parsedFrom(text: string, type: string): object | undefined {
  try {
    const value: unknown = type.startsWith('application/yaml') ? parse(text) : JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function problemWithRefusal(answer: { method: string; status: number; parsed: object | undefined; text: string }): string | undefined {
  const { method, status, parsed, text } = answer
  const { kind, message, code, status: outcome } = (parsed ?? {}) as { kind?: string; message?: string; code?: number; status?: string }
  // Node's own parser answers what is no HTTP, and OpenAPI has a 406 of its own, as upstream.
  if (method === 'HEAD' || (status === 400 && text === '') || text === '406 Not Acceptable\n') return undefined
  if (kind !== 'Status' || code !== status || outcome !== 'Failure' || !message) return `not a Status: ${status} ${text.slice(0, 300)}`
  if (status >= 500 && !KNOWN_500.some((known) => known.test(message)) && status !== 504) return text.slice(0, 600)
  return undefined
}

/** What comes back until either side ends the connection. */
function rawAnswer(bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const { certificates, ports } = emulator
    const socket = connect({ host: '127.0.0.1', port: ports.control, ca: certificates.caCertificate, servername: 'localhost' }, () =>
      socket.end(bytes),
    )
    const timer = setTimeout(() => {
      text = 'with nothing, and is not cut off'
      socket.destroy()
    }, ANSWER_MS)
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
  })
}

const shown = (bytes: Buffer): string => JSON.stringify(bytes.toString('latin1').slice(0, 1500))

const read = (path: string): Promise<Response> => send({ method: 'GET', path, query: '', headers: {}, body: undefined })

/**
 * Everything that is stored and was not `seen` in this version before is read, then written as it is, on trial: it would pass its own
 * admission, to the last field.
 */
async function problemsWithStored(seen: Map<string, string>): Promise<string[]> {
  const problems: string[] = []
  const { groups } = JSON.parse((await read('/apis')).text) as { groups: { versions: { groupVersion: string }[] }[] }
  for (const root of ['/api/v1', ...groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => `/apis/${groupVersion}`))]) {
    const { resources = [] } = JSON.parse((await read(root)).text) as {
      resources?: { name: string; namespaced: boolean; verbs: string[] }[]
    }
    for (const { name: plural, namespaced, verbs } of resources.filter(
      ({ name, verbs }) => !name.includes('/') && verbs.includes('list'),
    )) {
      const list = await read(`${root}/${plural}`)
      if (list.status !== 200) problems.push(`GET ${root}/${plural}: ${list.status} ${list.text.slice(0, 300)}`)
      const { items = [] } = JSON.parse(list.text) as { items?: KubeObject[] }
      for (const { metadata } of items) {
        const { namespace = '', name, resourceVersion = '' } = metadata
        const path = `${root}/${namespaced ? `namespaces/${encodeURIComponent(namespace)}/` : ''}${plural}/${encodeURIComponent(name)}`
        if (seen.get(path) === resourceVersion) continue
        seen.set(path, resourceVersion)
        const isProtected = plural === 'customresourcedefinitions' && name.endsWith('knative.dev')
        const problem = await problemWithObject(path, { mayUpdate: verbs.includes('update') && !isProtected })
        if (problem) problems.push(problem)
      }
    }
  }
  return problems
}

async function problemWithObject(path: string, { mayUpdate }: { mayUpdate: boolean }): Promise<string | undefined> {
  for (let attempt = 0; ; attempt++) {
    const got = await read(path)
    // Controllers are at work: what they took away is no loss, and what they changed is looked at again.
    if (got.status === 404) return undefined
    if (got.status !== 200) return `GET ${path}: ${got.status} ${got.text.slice(0, 300)}`
    if (!mayUpdate) return undefined
    const headers = { 'Content-Type': 'application/json' }
    const put = await send({ method: 'PUT', path, query: 'dryRun=All&fieldValidation=Strict', headers, body: Buffer.from(got.text) })
    if (put.status === 200 || put.status === 404) return undefined
    if (put.status !== 409 || attempt === 5) return `PUT ${path}: ${put.status} ${put.text.slice(0, 600)} of ${got.text.slice(0, 1500)}`
  }
}
