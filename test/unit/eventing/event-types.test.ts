import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { refusals } from '../../../src/apimachinery/status-error.js'
import { createSilentLogger } from '../../../src/base/logger.js'
import type { Client } from '../../../src/client/client.js'
import type { AttributeValue } from '../../../src/cloudevents/event.js'
import { createEventTypes } from '../../../src/eventing/event-types.js'
import { eventTypeV1beta3Kind } from '../../../src/kinds/eventtype/kind.js'
import type { EventTypeV1beta3 } from '../../../src/kinds/eventtype/schema.js'
import { aBench, aBroker, aChannel, aSink, ask, aTrigger, ceHeaders, eventually, reply } from './support.js'

type Made = Pick<EventTypeV1beta3, 'metadata' | 'spec'>

function aMaker(create: (draft: Made) => Promise<unknown> = () => Promise.resolve()) {
  const made: Made[] = []
  const work: Promise<unknown>[] = []
  const flag = { isEnabled: true }
  const client = {
    create(_: unknown, draft: Made) {
      made.push(draft)
      return create(draft)
    },
  } as unknown as Client
  const note = createEventTypes({
    client,
    isEnabled: () => flag.isEnabled,
    busy: (promise) => void work.push(promise),
    log: createSilentLogger(),
  })
  return { made, flag, note, settled: () => Promise.all(work) }
}

const event = (attributes: Record<string, AttributeValue>) => ({
  attributes: new Map<string, AttributeValue>(Object.entries({ specversion: '1.0', id: '1', source: '/s', type: 't', ...attributes })),
})

test('an event of a new type makes an EventType that refers to the Broker and goes with it', async () => {
  const { made, note, settled } = aMaker()
  note(aBroker('main'), event({ type: 'paid', dataschema: 'http://schema' }))
  note(aBroker('main'), event({ type: 'paid', dataschema: 'http://other', id: '2' }))
  await settled()
  const hash = createHash('md5').update('paid/sdefaultmain').digest('hex')
  const owner = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'main' }
  expect(made).toEqual([
    {
      metadata: { name: `et-main-${hash}`, namespace: 'default', ownerReferences: [{ ...owner, uid: 'uid-main' }] },
      spec: {
        reference: { ...owner, namespace: 'default' },
        description: 'Event Type auto-created by controller',
        attributes: [
          { name: 'type', required: true, value: 'paid' },
          { name: 'source', required: true, value: '/s' },
          { name: 'schemadata', required: true, value: 'http://schema' },
          { name: 'specversion', required: true, value: '1.0' },
          { name: 'id', required: true },
        ],
      },
    },
  ])
})

test('one that is there already stays as it is; after another refusal the next event tries again', async () => {
  const taken = aMaker(() => Promise.reject(refusals.alreadyExists(eventTypeV1beta3Kind, 'et')))
  for (let round = 0; round < 2; round++) {
    taken.note(aBroker('main'), event({}))
    await taken.settled()
  }
  expect(taken.made).toHaveLength(1)

  const refused = aMaker(() => Promise.reject(refusals.forbidden(eventTypeV1beta3Kind, 'et', 'no')))
  for (let round = 0; round < 2; round++) {
    refused.note(aBroker('main'), event({}))
    await refused.settled()
  }
  expect(refused.made).toHaveLength(2)
})

test('nothing is made while the flag is off', () => {
  const { made, flag, note } = aMaker()
  flag.isEnabled = false
  note(aBroker('main'), event({}))
  expect(made).toEqual([])
})

test('what a subscriber answers is told of its Trigger or Subscription, what a channel takes of the channel, unless that is a Broker’s', async () => {
  const told: string[] = []
  const bench = await aBench({
    noteEventType: ({ kind, metadata }, { attributes }) => void told.push(`${kind} ${metadata.name} ${attributes.get('type')}`),
  })
  const answering = await aSink((_, response) => reply(response, { id: 'r', type: 'answer' }))
  const { brokers, triggers, channels } = bench.informers
  brokers.put(aBroker('main'))
  triggers.put(aTrigger('asks', answering.url, { spec: { filter: { attributes: { type: 'question' } } } }))
  channels.put(aChannel('orders', [{ uid: 's', name: 'sub', namespace: 'default', subscriberUri: answering.url }]))
  await bench.send('default/main', { type: 'question' })
  await ask(bench.eventing, 'orders-kn-channel.default.svc', 'POST', '/', ceHeaders({ type: 'order' }), '{}')
  await eventually(() => told.length === 5)
  expect(told.sort()).toEqual([
    'Broker main answer',
    'Broker main question',
    'InMemoryChannel orders order',
    'Subscription sub answer',
    'Trigger asks answer',
  ])
})
