import type { AutoscalerEngine } from '../../src/autoscaler/autoscaler.js'
import { type AutoscalerConfig, autoscalerConfigFrom } from '../../src/autoscaler/config.js'
import { settingsFrom } from '../../src/autoscaler/settings.js'

/** An autoscaler that wants what the test says, whatever the load; by default always one Pod, or the initial scale. */
export function anAutoscaler(
  says: { config?: () => AutoscalerConfig; desiredScale?: () => number | undefined; excessBurstCapacity?: () => number } = {},
): AutoscalerEngine {
  const { config = () => autoscalerConfigFrom({}), desiredScale, excessBurstCapacity = () => 0 } = says
  return {
    config,
    follow: (target) => ({
      desiredScale: desiredScale ? (desiredScale() ?? -1) : Math.max(1, target.initialScale),
      excessBurstCapacity: excessBurstCapacity(),
      isPanicking: false,
      settings: settingsFrom(config(), target),
    }),
    forget() {},
    onDecision: () => () => {},
  }
}
