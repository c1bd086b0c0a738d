import { expect, test } from 'vitest'
import type { WatchEvent } from '../../../../src/apimachinery/call.js'
import type { KubeObject, Unstructured } from '../../../../src/apimachinery/object.js'
import type { CallWebhook } from '../../../../src/apiserver/crd/conversion.js'
import { aDefinedWorld, aDefinition, aGadget, aVersion } from './support.js'

const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const
const clientConfig = { url: 'https://convert.example.com/convert' }
const converted = aDefinition({
  versions: [aVersion(open), aVersion(open, { name: 'v2', storage: false })],
  more: { conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } } },
})

interface Review {
  request: { uid: string; desiredAPIVersion: string; objects: Unstructured[] }
}

/** v2 calls `size` what v1 calls `length`. */
function renaming(object: Unstructured, apiVersion: string): Unstructured {
  const { size, length, ...spec } = object['spec'] as { size?: number; length?: number }
  const value = size ?? length
  return {
    ...object,
    apiVersion,
    spec: { ...spec, ...(value !== undefined && { [apiVersion.endsWith('v2') ? 'size' : 'length']: value }) },
  }
}

function aWebhook(answer?: (review: Review) => object): { callWebhook: CallWebhook; reviews: Review[] } {
  const reviews: Review[] = []
  return {
    reviews,
    async callWebhook(target, body) {
      expect(target).toEqual(clientConfig)
      const review = JSON.parse(body) as Review
      reviews.push(review)
      const { uid, desiredAPIVersion, objects } = review.request
      const response = answer?.(review) ?? {
        uid,
        result: { status: 'Success' },
        convertedObjects: objects.map((object) => renaming(object, desiredAPIVersion)),
      }
      return { status: 200, body: JSON.stringify({ kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', response }) }
    },
  }
}

test('a webhook converts what is written and read in another version, and nothing else asks it', async () => {
  const { callWebhook, reviews } = aWebhook()
  const { define, call, store } = await aDefinedWorld({ callWebhook })
  await define(converted)
  await call({ verb: 'create', object: aGadget('a', { length: 1 }) })
  expect(await call({ verb: 'get', name: 'a' })).toMatchObject({ spec: { length: 1 } })
  expect(reviews).toHaveLength(0)

  expect(await call({ verb: 'get', version: 'v2', name: 'a' })).toMatchObject({ apiVersion: 'example.com/v2', spec: { size: 1 } })
  expect(await call({ verb: 'create', version: 'v2', object: aGadget('b', { size: 2 }) })).toMatchObject({ spec: { size: 2 } })
  expect(store.list('gadgets.example.com').items[1]).toMatchObject({ apiVersion: 'example.com/v1', spec: { length: 2 } })
  const patch = { type: 'application/merge-patch+json' as const, body: { spec: { size: 3 } } }
  expect(await call({ verb: 'patch', version: 'v2', name: 'a', patch })).toMatchObject({ spec: { size: 3 }, metadata: { generation: 2 } })
  expect(await call({ verb: 'get', name: 'a' })).toMatchObject({ spec: { length: 3 } })
})

test('a list asks once for all that is new to it', async () => {
  const { callWebhook, reviews } = aWebhook()
  const { define, call } = await aDefinedWorld({ callWebhook })
  await define(converted)
  for (const name of ['a', 'b', 'c']) await call({ verb: 'create', object: aGadget(name, { length: 1 }) })
  expect(await call({ verb: 'list', version: 'v2' })).toMatchObject({ items: [{ spec: { size: 1 } }, {}, {}] })
  await call({ verb: 'list', version: 'v2' })
  expect(reviews.map(({ request }) => request.objects.length)).toEqual([3])
})

test('a watch in another version keeps the order of changes', async () => {
  const { callWebhook } = aWebhook()
  const { define, call, server } = await aDefinedWorld({ callWebhook })
  await define(converted)
  const seen: string[] = []
  const stop = server.watch(
    { user: { name: 'a', groups: [] }, verb: 'watch', group: 'example.com', version: 'v2', plural: 'gadgets' },
    ({ type, object }: WatchEvent) => seen.push(`${type} ${JSON.stringify((object as KubeObject & { spec: object }).spec)}`),
    () => {},
  )
  await call({ verb: 'create', object: aGadget('a', { length: 1 }) })
  const patch = { type: 'application/merge-patch+json' as const, body: { spec: { length: 2 } } }
  await call({ verb: 'patch', name: 'a', patch })
  await call({ verb: 'delete', name: 'a' })
  await expect.poll(() => seen).toEqual(['ADDED {"size":1}', 'MODIFIED {"size":2}', 'DELETED {"size":2}'])
  stop()
})

test.each([
  ['another uid', () => ({ uid: 'x' }), 'returned an unexpected response.uid: expected "'],
  ['a failure', ({ request }: Review) => ({ uid: request.uid, result: { status: 'Failed', message: 'no idea' } }), 'failed: no idea'],
  [
    'too few objects',
    ({ request }: Review) => ({ uid: request.uid, result: { status: 'Success' }, convertedObjects: [] }),
    'returned 0 objects, expected 1',
  ],
  [
    'another name',
    ({ request }: Review) => ({
      uid: request.uid,
      result: { status: 'Success' },
      convertedObjects: request.objects.map((object) => ({
        ...object,
        apiVersion: 'example.com/v2',
        metadata: { ...object.metadata, name: 'x' },
      })),
    }),
    'returned invalid metadata: metadata.name may not be changed',
  ],
])('a webhook that answers with %s is an error that says so', async (_, answer, message) => {
  const { define, call, refusal } = await aDefinedWorld(aWebhook(answer))
  await define(converted)
  await call({ verb: 'create', object: aGadget('a') })
  const refused = await refusal({ verb: 'get', version: 'v2', name: 'a' })
  expect(refused.code).toBe(500)
  expect(refused.message).toContain(`conversion webhook for example.com/v1, Kind=Gadget ${message}`)
})

test('a webhook that cannot be reached leaves the stored version usable', async () => {
  const callWebhook: CallWebhook = async () => {
    throw new Error('Post "https://convert.example.com:443/convert": connection refused')
  }
  const { define, call, refusal } = await aDefinedWorld({ callWebhook })
  await define(converted)
  await call({ verb: 'create', object: aGadget('a') })
  expect((await refusal({ verb: 'list', version: 'v2' })).message).toBe(
    'conversion webhook for example.com/v1, Kind=Gadget failed: Post "https://convert.example.com:443/convert": connection refused',
  )
  expect(await call({ verb: 'list' })).toMatchObject({ items: [{ metadata: { name: 'a' } }] })
})
