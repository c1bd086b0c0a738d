import type { Random } from '../base/random.js'
import type { Target } from './routes.js'

/**
 * One of the weighted targets, chosen anew for each request: splits are not sticky.
 * `targets` is not empty; each one's `upTo` is the sum of the percents up to and with its own.
 */
export function chooseTarget(targets: readonly Target[], random: Random): Target {
  const last = targets[targets.length - 1]!
  if (targets.length === 1) return last
  const drawn = random.float() * last.upTo
  for (const target of targets) if (drawn < target.upTo) return target
  return last
}
