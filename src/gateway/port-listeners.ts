import type { Logger } from '../base/logger.js'
import type { Routes } from './routes.js'

/** Something that listens on a port until it is closed. */
export interface Listener {
  readonly port: number
  close(): void
}

/**
 * A listener for each Service's own loopback port, as long as its Ingress asks for one. A port that is in use is a warning:
 * the Service is still reached by its host.
 */
export function startPortListeners(deps: {
  routes: Routes
  /** Listens on a port for one Ingress ("namespace/name"); rejects when it cannot. */
  listen: (port: number, ingress: string) => Promise<Listener>
  log: Logger
}): { stop(): void } {
  const { routes, listen, log } = deps
  /** What is wanted, and what came of it; an entry is replaced when the port changes. */
  const wanted = new Map<string, { port: number; listener: Listener | undefined; isOver: boolean }>()

  const drop = (ingress: string): void => {
    const entry = wanted.get(ingress)
    if (!entry) return
    wanted.delete(ingress)
    entry.isOver = true
    entry.listener?.close()
  }
  let isStopped = false
  routes.onPort((ingress, port) => {
    if (isStopped) return
    drop(ingress)
    if (port === undefined) return
    const entry = { port, listener: undefined as Listener | undefined, isOver: false }
    wanted.set(ingress, entry)
    listen(port, ingress).then(
      (listener) => {
        if (entry.isOver) listener.close()
        else entry.listener = listener
      },
      (error: unknown) => {
        if (!entry.isOver) log.warn('cannot listen on the port of a service', { ingress, port, error: (error as Error).message })
      },
    )
  })
  return {
    stop() {
      isStopped = true
      for (const ingress of [...wanted.keys()]) drop(ingress)
    },
  }
}
