import type { PodLogs } from '../apiserver/http/pod-log.js'
import { QUEUE_PROXY } from '../kinds/core/pod/schema.js'
import type { Runtime } from '../runtime/runtime.js'

/** Where `pods/log` reads: the runtime's files. The queue-proxy is no process and has written nothing. */
export function createPodLogs({ runtime }: { runtime: Runtime }): PodLogs {
  return (ref, options) => {
    if (ref.container === QUEUE_PROXY) return nothing()
    return runtime.logs({ podUid: ref.uid, container: ref.container, attempt: ref.attempt }, options)
  }
}

async function* nothing(): AsyncGenerator<string> {}
