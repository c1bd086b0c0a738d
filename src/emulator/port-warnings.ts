import type { ReconcilerDeps } from '../controller/reconcile.js'
import type { CoreService } from '../kinds/core/service/schema.js'
import { portHolder } from './ports.js'

/**
 * Says on a core Service, as a Warning Event, that its node port cannot be listened on and who has it. A cluster has no such
 * Event: its nodes' ports are nobody else's.
 */
export function createPortWarnings(deps: {
  event: ReconcilerDeps['event']
  busy(work: Promise<unknown>): void
}): (service: CoreService, nodePort: number, error: Error) => void {
  const warn = async (service: CoreService, nodePort: number, error: Error): Promise<void> => {
    const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    const holder = isTaken ? await portHolder(nodePort) : undefined
    const why = isTaken ? `${holder ?? 'another process'} listens on it` : error.message
    deps.event(service, 'Warning', 'NodePortUnavailable', `Cannot listen on node port ${nodePort}: ${why}; trying again until it is free`)
  }
  return (service, nodePort, error) => deps.busy(warn(service, nodePort, error))
}
