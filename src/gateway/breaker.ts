import type { Random } from '../base/random.js'
import type { Instance } from './instance.js'

/** Where the round robin of one revision stands. */
export interface Turn {
  next: number
}

/** Up to this containerConcurrency the first free instance is taken, above it they take turns. */
const FIRST_FREE_UP_TO = 3

/** How many requests may wait per slot once the activator is out of the path. @see knative/serving v1.23 pkg/queue/sharedmain */
export const QUEUED_PER_SLOT = 10

/**
 * The instance for the next request, or undefined when all are full. Without a limit: the less busy of two drawn at random;
 * with one of 1 to 3: the first with a free slot, by address; above: in turn.
 *
 * @see knative/serving v1.23 pkg/activator/net/lb_policy.go, throttler.go
 */
export function pickInstance(
  ready: readonly Instance[],
  containerConcurrency: number,
  turn: Turn,
  random: Random,
  except?: Instance,
): Instance | undefined {
  const count = ready.length
  if (count === 0) return undefined
  if (containerConcurrency === 0) {
    if (count === 1) return ready[0] === except ? undefined : ready[0]
    return lessBusyOfTwo(except ? ready.filter((instance) => instance !== except) : ready, random)
  }
  const isFree = (instance: Instance): boolean => instance.inFlight < containerConcurrency && instance !== except
  if (containerConcurrency <= FIRST_FREE_UP_TO) return ready.find(isFree)
  for (let step = 0; step < count; step++) {
    const at = (turn.next + step) % count
    const instance = ready[at]!
    if (!isFree(instance)) continue
    turn.next = (at + 1) % count
    return instance
  }
  return undefined
}

function lessBusyOfTwo(among: readonly Instance[], random: Random): Instance | undefined {
  if (among.length <= 1) return among[0]
  const first = Math.floor(random.float() * among.length)
  const other = (first + 1 + Math.floor(random.float() * (among.length - 1))) % among.length
  // The first is drawn at random, so ties are too.
  return among[other]!.inFlight < among[first]!.inFlight ? among[other] : among[first]
}
