import type { PodLogs } from '../apiserver/http/pod-log.js'
import { QUEUE_PROXY } from '../kinds/core/pod/schema.js'
import type { Runtime } from '../runtime/runtime.js'

/** Where `pods/log` reads: the runtime's files. A queue-proxy that nobody has written a log for has said nothing. */
export function createPodLogs({ runtime }: { runtime: Runtime }): PodLogs {
  return (ref, options) => {
    const lines = runtime.logs({ podUid: ref.uid, container: ref.container, attempt: ref.attempt }, options)
    return lines ?? (ref.container === QUEUE_PROXY ? nothing() : undefined)
  }
}

async function* nothing(): AsyncGenerator<string> {}
