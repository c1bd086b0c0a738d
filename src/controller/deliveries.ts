import type { Transport } from '../apimachinery/call.js'
import { onNextTurn } from '../base/clock.js'
import type { Idling } from './settling.js'

/**
 * A transport that knows whether a watch event has come in but may not have reached its informer's listeners yet.
 * Informers hand events on in promise callbacks, which all run before the next turn of the event loop: so the turn is what
 * is counted, not the events.
 */
export function countDeliveries(transport: Transport): { transport: Transport; deliveries: Idling } {
  let isDelivering = false
  let idlers: (() => void)[] = []
  const onArrival = (): void => {
    if (isDelivering) return
    isDelivering = true
    onNextTurn(() => {
      isDelivering = false
      const resolvers = idlers
      idlers = []
      for (const resolve of resolvers) resolve()
    })
  }
  return {
    transport: {
      call: (call) => transport.call(call),
      watch: (call, onEvent, onEnd) =>
        transport.watch(
          call,
          (event) => {
            onArrival()
            onEvent(event)
          },
          onEnd,
        ),
    },
    deliveries: {
      isIdle: () => !isDelivering,
      idle: () => (isDelivering ? new Promise((resolve) => idlers.push(resolve)) : Promise.resolve()),
    },
  }
}
