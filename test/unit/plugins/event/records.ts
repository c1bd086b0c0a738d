import type { EventRecord, RecordHop } from '../../../../src/kinds/emulator/eventrecord/schema.js'

/** A record of the event `a1` that Broker `default` took at noon. */
export function aRecord(
  spec: Partial<EventRecord['spec']> = {},
  status: Partial<EventRecord['status']> = {},
  name = 'e0000000001',
): EventRecord {
  const id = spec.id ?? 'a1'
  const source = spec.source ?? '/shop'
  const type = spec.type ?? 'order.paid'
  return {
    apiVersion: 'emulator.kn-local.dev/v1alpha1',
    kind: 'EventRecord',
    metadata: { name, namespace: 'default', resourceVersion: '2', creationTimestamp: '2026-01-01T12:00:00Z' },
    spec: {
      id,
      source,
      type,
      attributes: { specversion: '1.0', id, source, type },
      acceptedAt: '2026-01-01T12:00:00.250Z',
      origin: { kind: 'Broker', namespace: 'default', name: 'default', offset: 0 },
      ...spec,
    },
    status: { state: 'Accepted', hops: [], ...status },
  }
}

/** What happened at Trigger `name`. */
export function aHop(name: string, outcome: RecordHop['outcome'], rest: Partial<RecordHop> = {}): RecordHop {
  return { at: { kind: 'Trigger', namespace: 'default', name }, outcome, ...rest }
}

export const TIME = '2026-01-01T12:00:00.300Z'
