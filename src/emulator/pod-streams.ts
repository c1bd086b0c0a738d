import type { PodStreams } from '../apiserver/streams/pod-streams.js'
import type { Clock } from '../base/clock.js'
import { PORTS_ANNOTATION, type Pod } from '../kinds/core/pod/schema.js'
import type { Runtime } from '../runtime/runtime.js'

/**
 * Where `pods/exec`, `attach` and `portforward` lead: the runtime's processes, and the loopback ports that a Pod's own stand for. Another
 * port of this machine is none of the Pod's, whoever asks.
 */
export function createPodStreams({ runtime, realClock }: { runtime: Runtime; realClock: Pick<Clock, 'now'> }): PodStreams {
  return {
    isRunning: ({ uid, container }) => runtime.running(uid, container) !== undefined,
    async open({ uid, container }, command, how) {
      const opened = runtime.running(uid, container)?.container.open?.(command, how)
      if (!opened) throw new Error('cannot exec in a stopped container')
      return opened
    },
    output({ uid, container }, signal) {
      const found = runtime.running(uid, container)
      const which = { podUid: uid, container, attempt: found?.attempt ?? 0 }
      return found && runtime.logs(which, { follow: true, sinceMs: realClock.now(), signal })
    },
    portOf(pod, port) {
      const { metadata, status } = pod as Pod
      // What has ended has left its loopback port to whoever comes next.
      if (status?.phase !== 'Running') return undefined
      const annotation = metadata.annotations?.[PORTS_ANNOTATION]
      const loopback = annotation === undefined ? undefined : (JSON.parse(annotation) as Record<string, unknown>)[port]
      return typeof loopback === 'number' ? loopback : undefined
    },
  }
}
