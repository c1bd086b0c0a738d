import { expect } from 'vitest'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { eventRecordKind } from '../../src/kinds/emulator/eventrecord/kind.js'
import { until } from '../support/daemon.js'
import { type EmulatorFixtures, fetchFrom, run, test } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

const newest = findKubectls().at(-1)

/** Sends an event to Broker `default`, which is made where there is none. */
async function sendTo(
  { client, emulator }: Pick<EmulatorFixtures, 'client' | 'emulator'>,
  id: string,
  headers: Record<string, string> = {},
) {
  const ref = { namespace: 'default', name: 'default' }
  if (!(await client.find(brokerKind, ref))) await client.create(brokerKind, { metadata: ref, spec: {} } as never)
  await until(async () => {
    const { status } = await fetchFrom(
      `http://broker-ingress.knative-eventing.svc.cluster.local:${emulator.ports.clusterLocal}/default/default`,
      {
        method: 'POST',
        headers: { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/shop', 'ce-type': 'order.paid', ...headers },
        body: 'x',
      },
    )
    return status === 202 || undefined
  })
}

test.skipIf(!newest)('kubectl gets records with their columns, selects them, and may not write them', async ({ emulator, client }) => {
  await sendTo({ emulator, client }, 'one')
  await sendTo({ emulator, client }, 'two', { 'ce-type': 'order.made', 'ce-subject': 's' })
  const kubectl = (line: string) => run(newest!.path, line.split(' '), emulator.env)
  const { stdout } = await kubectl('get eventrecords')
  expect(stdout.replaceAll(/ \ds$/gm, ' 0s')).toBe(
    `NAME          ID    TYPE         SOURCE   ORIGIN           STATE      AGE
e0000000002   two   order.made   /shop    broker/default   Accepted   0s
e0000000001   one   order.paid   /shop    broker/default   Accepted   0s
`,
  )
  expect((await kubectl('get er -o name --field-selector spec.type=order.made,status.state=Accepted')).stdout).toBe(
    'eventrecord.emulator.kn-local.dev/e0000000002\n',
  )
  expect((await kubectl('get er -o name -l eventing.knative.dev/broker=other')).stdout).toBe('')
  expect((await kubectl('get er -o name --chunk-size=1')).stdout.split('\n')).toHaveLength(3)
  expect((await kubectl('delete er e0000000001')).stderr).toContain('(MethodNotAllowed)')
  expect((await kubectl('annotate er e0000000001 a=b')).stderr).toContain('(MethodNotAllowed)')
  expect((await kubectl('auth can-i list eventrecords --as system:serviceaccount:default:default')).stdout).toBe('no\n')
  expect((await kubectl('get er --as system:serviceaccount:default:default')).stderr).toContain(
    'eventrecords.emulator.kn-local.dev is forbidden: User "system:serviceaccount:default:default" cannot list resource "eventrecords"',
  )
})

test('a watch that goes on from a list sees each record once, and nothing twice', async ({ emulator, client }) => {
  await sendTo({ emulator, client }, 'one')
  const { items, resourceVersion } = await client.listWithVersion(eventRecordKind, 'default')
  expect(items.map(({ spec }) => spec.id)).toEqual(['one'])
  const stop = new AbortController()
  const seen: string[] = []
  const watching = (async () => {
    for await (const { object } of client.watch(eventRecordKind, { namespace: 'default', resourceVersion, signal: stop.signal }))
      seen.push((object as unknown as (typeof items)[number]).spec.id)
  })()
  await sendTo({ emulator, client }, 'two')
  await sendTo({ emulator, client }, 'three')
  await until(() => seen.length >= 2 || undefined)
  stop.abort()
  await watching
  expect(seen).toEqual(['two', 'three'])
})

test('deleting a namespace leaves the journal alone, and ends', async ({ emulator, client }) => {
  const { namespaceKind } = await import('../../src/kinds/core/namespace/kind.js')
  await client.create(namespaceKind, { metadata: { name: 'shop' } })
  await client.create(brokerKind, { metadata: { name: 'b', namespace: 'shop' }, spec: {} } as never)
  await until(async () => {
    const { status } = await fetchFrom(`http://broker-ingress.knative-eventing.svc.cluster.local:${emulator.ports.clusterLocal}/shop/b`, {
      method: 'POST',
      headers: { 'ce-specversion': '1.0', 'ce-id': 'x', 'ce-source': '/shop', 'ce-type': 't' },
    })
    return status === 202 || undefined
  })
  await client.delete(namespaceKind, { name: 'shop' })
  await until(async () => (await client.find(namespaceKind, { name: 'shop' })) === undefined || undefined)
  expect((await client.list(eventRecordKind, 'shop')).map(({ spec }) => spec.id)).toEqual(['x'])
})
