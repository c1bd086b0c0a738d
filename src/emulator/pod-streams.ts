import type { PodStreams } from '../apiserver/streams/pod-streams.js'
import { loopbackPortsOf, type Pod } from '../kinds/core/pod/schema.js'
import type { Runtime } from '../runtime/runtime.js'

/**
 * Where `pods/exec`, `attach` and `portforward` lead: the runtime's processes, and the loopback ports that a Pod's own stand for. Another
 * port of this machine is none of the Pod's, whoever asks.
 */
export function createPodStreams({ runtime }: { runtime: Runtime }): PodStreams {
  return {
    isRunning: ({ uid, container }) => runtime.running(uid, container) !== undefined,
    async open({ uid, container }, command, how) {
      const opened = runtime.running(uid, container)?.open?.(command, how)
      if (!opened) throw new Error('cannot exec in a stopped container')
      return opened
    },
    attach: ({ uid, container }) => runtime.running(uid, container)?.attach?.(),
    // What has ended has left its loopback port to whoever comes next.
    portOf: (pod, port) => ((pod as Pod).status?.phase === 'Running' ? loopbackPortsOf(pod)[port] : undefined),
  }
}
