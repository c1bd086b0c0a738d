import { expect, test } from 'vitest'
import { type KubeObject, timestamp } from '../../../../src/apimachinery/object.js'
import { refusals } from '../../../../src/apimachinery/status-error.js'
import { createVirtualClock } from '../../../../src/base/clock.js'
import { updateObject } from '../../../../src/cli/nouns/update.js'
import type { Client } from '../../../../src/client/client.js'
import { brokerKind } from '../../../../src/kinds/broker/kind.js'

const ref = { namespace: 'default', name: 'b' }

/** A server on which so many writes meet another one. */
function setUp({ conflicts, deleting = false }: { conflicts: number; deleting?: boolean }) {
  const clock = createVirtualClock()
  const triedAtMs: number[] = []
  let version = 0
  const client = {
    get: async (): Promise<KubeObject> => ({
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { ...ref, resourceVersion: String(++version), ...(deleting && { deletionTimestamp: timestamp(0) }) },
    }),
    update: async (_: unknown, object: KubeObject) => {
      triedAtMs.push(clock.now())
      if (triedAtMs.length <= conflicts) throw refusals.conflict({ group: 'eventing.knative.dev', plural: 'brokers' }, 'b', 'too late')
      return object
    },
  } as unknown as Client
  const update = () => updateObject(client, brokerKind, ref, (broker) => ({ ...broker, spec: {} }), { clock, random: () => 0 })
  return { clock, triedAtMs, update }
}

test('an update that meets others is made again of what they left, after 20, 30 and 45 ms', async () => {
  const { clock, triedAtMs, update } = setUp({ conflicts: 3 })
  const startMs = clock.now()
  const updating = update()
  await clock.advance(1000)
  expect((await updating).after.metadata.resourceVersion).toBe('4')
  expect(triedAtMs.map((ms) => ms - startMs)).toEqual([0, 20, 50, 95])
})

test('after five times it gives up with what the server said', async () => {
  const { clock, triedAtMs, update } = setUp({ conflicts: 9 })
  const updating = expect(update()).rejects.toThrow('too late')
  await clock.advance(1000)
  await updating
  expect(triedAtMs).toHaveLength(5)
})

test('an object that is being deleted is not updated', async () => {
  const { triedAtMs, update } = setUp({ conflicts: 0, deleting: true })
  await expect(update()).rejects.toThrow("can't update broker b because it has been marked for deletion")
  expect(triedAtMs).toEqual([])
})
