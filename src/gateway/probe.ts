import type { ProbeFields, Refusal } from './passage.js'

export interface ProbeAnswer extends Refusal {
  /** Sent back as K-Network-Hash. */
  hash?: string
}

const QUEUE_PROXY_AGENTS = ['kube-probe/', 'Knative-Activator-Probe', 'Knative-Autoscaling-Probe']

/** Kubelet probes are never counted, wherever they turn up. */
export function isKubeletProbe(userAgent: string): boolean {
  // One comparison for nearly every request: curl, Go and browsers begin with another letter.
  return userAgent.charCodeAt(0) === 0x6b && userAgent.startsWith('kube-probe/')
}

/**
 * What Knative's own probes get from a gateway that is ingress, activator and queue-proxy in one; undefined for a request that
 * goes to the application after all. An unknown probe value is refused as the activator refuses it.
 *
 * @see knative/networking pkg/http/probe/handler.go
 * @see knative/serving v1.23 pkg/activator/handler/probe_handler.go, healthz_handler.go, pkg/queue/health/probe.go
 */
export function answerToProbe({ probe, probeHash, userAgent }: ProbeFields, hasInstance: boolean): ProbeAnswer | undefined {
  if (probe === 'probe') {
    if (probeHash !== '') return { status: 200, body: '', isError: false, hash: probeHash }
    return { status: 400, body: 'a probe request must contain a non-empty "K-Network-Hash" header', isError: true }
  }
  if (probe === 'activator') return { status: 200, body: 'activator', isError: false }
  if (probe === 'queue' && QUEUE_PROXY_AGENTS.some((agent) => userAgent.startsWith(agent))) {
    return hasInstance ? { status: 200, body: 'queue', isError: false } : { status: 503, body: '', isError: false }
  }
  if (probe !== '') return { status: 400, body: `unexpected probe header value: ${JSON.stringify(probe)}`, isError: true }
  // Without an instance the activator answers a kubelet by itself; waking one up for a probe would keep it up for ever.
  return hasInstance ? undefined : { status: 200, body: '', isError: false }
}
