import type { EventIdentity, Hop, HopPlace } from '../../../src/journal/hop.js'

/** Makers of hops: the event `id` of Broker `default` in namespace `default`, at offset `offset`. */

export const START_MS = 1_767_225_600_000
export const broker: HopPlace = { kind: 'Broker', namespace: 'default', name: 'default' }
export const trigger = (name: string): HopPlace => ({ kind: 'Trigger', namespace: 'default', name })
export const identity = (id: string): EventIdentity => ({ id, source: '/shop', type: 'order.paid' })

/** Any hop: told apart by what it says, over what all of them have. */
export function aHop<H extends Hop['hop']>(
  hop: H,
  id: string,
  offset: number,
  rest: Omit<Extract<Hop, { hop: H }>, 'hop' | 'atMs' | 'event' | 'origin' | 'offset'> & Partial<Pick<Hop, 'atMs' | 'event' | 'origin'>>,
): Hop {
  return { hop, atMs: START_MS, event: identity(id), origin: broker, offset, ...rest } as unknown as Hop
}

export function accepted(id: string, offset: number, rest: Partial<Extract<Hop, { hop: 'accepted' }>> = {}): Hop {
  const event = rest.event ?? identity(id)
  return aHop('accepted', id, offset, { attributes: { specversion: '1.0', ...event }, ...rest } as never)
}

export const delivered = (id: string, offset: number, name = 'paid', statusCode = 200): Hop[] => [
  aHop('attempted', id, offset, { at: trigger(name), destination: 'http://sink', attempt: 1, statusCode, tookMs: 3 }),
  aHop('delivered', id, offset, { at: trigger(name), destination: 'http://sink', attempts: 1, statusCode }),
]
