import { describe, expect, test } from 'vitest'
import type { ServedKind } from '../../../../src/apimachinery/kind.js'
import type { KubeObject } from '../../../../src/apimachinery/object.js'
import { StatusError } from '../../../../src/apimachinery/status-error.js'
import type { AdmissionWebhook } from '../../../../src/apimachinery/webhook-configuration.js'
import { createApiServer } from '../../../../src/apiserver/server.js'
import { createVirtualClock } from '../../../../src/base/clock.js'
import { createSilentLogger } from '../../../../src/base/logger.js'
import { createSeededRandom } from '../../../../src/base/random.js'
import { mutatingWebhookConfigurationServed } from '../../../../src/kinds/core/mutatingwebhookconfiguration/served.js'
import { validatingWebhookConfigurationServed } from '../../../../src/kinds/core/validatingwebhookconfiguration/served.js'
import { createMemoryStore } from '../../../../src/store/memory.js'
import { alice, testKinds, widgetKind } from '../support.js'

type Review = {
  uid: string
  operation: string
  object: (KubeObject & { spec?: object }) | null
  oldObject: KubeObject | null
  name?: string
}
type Answer = (request: Review) => object | Promise<object>

/** An API server whose webhooks are functions, by the path of their URL. */
async function aReviewedWorld(answers: Record<string, Answer>) {
  const asked: string[] = []
  const reviews: Review[] = []
  const clock = createVirtualClock()
  const server = createApiServer({
    store: createMemoryStore({ freeze: true }),
    kinds: [...testKinds, mutatingWebhookConfigurationServed, validatingWebhookConfigurationServed] as unknown as ServedKind[],
    clock,
    realClock: createVirtualClock(),
    random: createSeededRandom(7),
    log: createSilentLogger(),
    async callWebhook({ url }, body) {
      const path = new URL(url!).pathname
      const { apiVersion, kind, request } = JSON.parse(body) as { apiVersion: string; kind: string; request: Review }
      asked.push(path)
      reviews.push(request)
      const response = { uid: request.uid, allowed: true, ...(await answers[path]!(request)) }
      return { status: 200, body: JSON.stringify({ apiVersion, kind, response }) }
    },
  })
  const call = (verb: 'create' | 'update' | 'delete' | 'get', name: string, object?: object) =>
    server.call({
      user: alice,
      verb,
      group: widgetKind.group,
      version: 'v1',
      plural: 'widgets',
      namespace: 'shop',
      ...(verb === 'create' ? {} : { name }),
      ...(object && { object }),
    })
  const namespaces = { user: alice, verb: 'create', group: '', version: 'v1', plural: 'namespaces' } as const
  await server.call({ ...namespaces, object: { metadata: { name: 'shop' } } })
  const configure = (kind: 'mutating' | 'validating', ...webhooks: Partial<AdmissionWebhook>[]) =>
    server.call({
      user: alice,
      verb: 'create',
      group: 'admissionregistration.k8s.io',
      version: 'v1',
      plural: `${kind}webhookconfigurations`,
      object: {
        metadata: { name: kind },
        webhooks: webhooks.map((webhook) => ({
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          rules: [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['widgets'] }],
          clientConfig: { url: `https://hooks/${webhook.name!.split('.')[0]}` },
          ...webhook,
        })),
      },
    })
  return { server, call, configure, asked, reviews, clock }
}

const base64 = (operations: readonly object[]): string => Buffer.from(JSON.stringify(operations)).toString('base64')
const patch = (...operations: object[]): object => ({ patchType: 'JSONPatch', patch: base64(operations) })
const refusalOf = async (work: Promise<unknown>): Promise<StatusError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof StatusError)) throw error ?? new Error('it was not refused')
  return error
}

test('what a webhook fills in is defaulted, pruned and checked like what anyone sends', async () => {
  const { call, configure } = await aReviewedWorld({
    '/fill': () => patch({ op: 'add', path: '/spec', value: { size: 3, unknown: true } }),
    '/spoil': () => patch({ op: 'replace', path: '/spec/size', value: -1 }),
  })
  await configure('mutating', { name: 'fill.example.com' })
  const { object } = await call('create', 'a', { metadata: { name: 'a' } })
  expect((object as { spec?: object }).spec).toEqual({ size: 3, color: 'red' })
})

test('a patch that makes the object invalid is refused as the object would be', async () => {
  const { call, configure } = await aReviewedWorld({ '/spoil': () => patch({ op: 'add', path: '/spec', value: { size: -1 } }) })
  await configure('mutating', { name: 'spoil.example.com' })
  expect((await refusalOf(call('create', 'a', { metadata: { name: 'a' } }))).message).toContain('spec.size')
})

test('a webhook may not change what the server sets', async () => {
  const { call, configure } = await aReviewedWorld({
    '/rename': () => patch({ op: 'replace', path: '/metadata/name', value: 'b' }, { op: 'add', path: '/metadata/uid', value: 'mine' }),
  })
  await configure('mutating', { name: 'rename.example.com' })
  const { object } = await call('create', 'a', { metadata: { name: 'a' } })
  const { metadata } = object as KubeObject
  expect(metadata.name).toBe('a')
  expect(metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
})

test('a generated name stays the same from the question to what is stored, and is told to validating webhooks only', async () => {
  const { call, configure, reviews } = await aReviewedWorld({ '/change': () => ({}), '/check': () => ({}) })
  await configure('mutating', { name: 'change.example.com' })
  await configure('validating', { name: 'check.example.com' })
  const { object } = await call('create', '', { metadata: { generateName: 'w-' } })
  const { name, uid } = (object as KubeObject).metadata
  expect(reviews.map((review) => review.object!.metadata.name)).toEqual([undefined, name])
  expect(reviews.map((review) => review.object!.metadata.uid)).toEqual([undefined, uid])
})

test('each webhook is asked once about an object that nobody else touches, in the order of their names', async () => {
  const { call, configure, asked, clock } = await aReviewedWorld({
    '/a': async () => {
      await clock.advance(5000)
      return {}
    },
    '/b': () => ({}),
    '/c': () => ({}),
  })
  await configure('validating', { name: 'c.example.com' })
  await configure('mutating', { name: 'a.example.com' }, { name: 'b.example.com' })
  await call('create', 'w', { metadata: { name: 'w' } })
  expect(asked).toEqual(['/a', '/b', '/c'])
})

test('a webhook whose writer is always overtaken ends in a Conflict, not in an endless loop', async () => {
  let count = 0
  const { call, configure, asked } = await aReviewedWorld({
    '/meddle': async ({ object }) => {
      const meddling = object!.metadata.annotations?.['by'] === 'meddler'
      if (!meddling)
        await call('update', 'w', {
          metadata: { name: 'w', annotations: { by: 'meddler' }, resourceVersion: await version() },
          spec: { size: ++count },
        })
      return {}
    },
  })
  const version = async (): Promise<string> => ((await call('get', 'w')).object as KubeObject).metadata.resourceVersion!
  await call('create', 'w', { metadata: { name: 'w' } })
  await configure('validating', { name: 'meddle.example.com' })
  const stale = await version()
  const { reason } = await refusalOf(call('update', 'w', { metadata: { name: 'w', resourceVersion: stale }, spec: { color: 'blue' } }))
  expect(reason).toBe('Conflict')
  expect(asked.length).toBeLessThan(20)
})

describe('an answer that is none', () => {
  test.each([
    ['uid', { uid: 'other' }, 'expected response.uid='],
    ['a patch without a type', { patch: base64([]) }, 'webhook returned response.patch but not response.patchType'],
    ['a type without a patch', { patchType: 'JSONPatch' }, 'webhook returned response.patchType but not response.patch'],
    ['another type of patch', { patch: base64([]), patchType: 'Merge' }, 'webhook returned invalid response.patchType of "Merge"'],
  ])('%s', async (_what, answer, text) => {
    const { call, configure } = await aReviewedWorld({ '/odd': () => answer })
    await configure('mutating', { name: 'odd.example.com' })
    const { code, message } = await refusalOf(call('create', 'a', { metadata: { name: 'a' } }))
    expect(code).toBe(500)
    expect(message).toMatch(/^Internal error occurred: failed calling webhook "odd\.example\.com": received invalid webhook response: /)
    expect(message).toContain(text)
  })

  test('a validating webhook may not patch', async () => {
    const { call, configure } = await aReviewedWorld({ '/odd': () => patch({ op: 'add', path: '/spec', value: {} }) })
    await configure('validating', { name: 'odd.example.com' })
    expect((await refusalOf(call('create', 'a', { metadata: { name: 'a' } }))).message).toContain(
      'validating webhook may not return response.patch',
    )
  })
})

test('a condition that fails refuses the request where failures count, and skips the webhook where they do not', async () => {
  const expression = 'object.spec.missing.field == 1'
  for (const failurePolicy of ['Fail', 'Ignore']) {
    const { call, configure, asked } = await aReviewedWorld({ '/x': () => ({}) })
    await configure('validating', { name: 'x.example.com', failurePolicy, matchConditions: [{ name: 'odd', expression }] })
    const create = call('create', 'a', { metadata: { name: 'a' } })
    if (failurePolicy === 'Fail')
      expect((await refusalOf(create)).message).toMatch(/^widgets\.shop\.example\.dev "a" is forbidden: no such key/)
    else await create
    expect(asked).toEqual([])
  }
})
