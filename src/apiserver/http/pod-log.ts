import type { ServerResponse } from 'node:http'
import { causes } from '../../apimachinery/causes.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { type Cause, refusals } from '../../apimachinery/status-error.js'
import { flag } from './options.js'

/** Whose log: one run of one container. */
export interface PodLogRef {
  namespace: string
  name: string
  uid: string
  container: string
  /** 0 for the first run, then one more per restart. */
  attempt: number
}

export interface PodLogOptions {
  follow: boolean
  tailLines?: number
  /** Only lines written at or after this time, in milliseconds since 1970 on the real clock. */
  sinceMs?: number
  limitBytes?: number
  timestamps: boolean
  /** Aborted when the reader is gone. */
  signal: AbortSignal
}

/** Lines of a container's log, without their line ends; undefined when there is no such log (any more). */
export type PodLogs = (
  which: PodLogRef,
  options: PodLogOptions,
) => AsyncIterable<string> | undefined | Promise<AsyncIterable<string> | undefined>

interface ContainerState {
  waiting?: { reason?: string }
  running?: object
  terminated?: { containerID?: string }
}

interface ContainerStatus {
  name: string
  restartCount?: number
  state?: ContainerState
  lastState?: ContainerState
}

interface Pod extends KubeObject {
  spec?: { nodeName?: string; containers?: { name: string }[]; initContainers?: { name: string }[] }
  status?: { containerStatuses?: ContainerStatus[]; initContainerStatuses?: ContainerStatus[] }
}

/** Which log a request means. Undefined for a Pod that no node has taken yet: its log is empty. Throws 400 as a kubelet refuses. */
export function podLogRef(object: KubeObject, query: URLSearchParams): PodLogRef | undefined {
  const pod = object as Pod
  const { name, namespace = '', uid = '' } = pod.metadata
  const names = (pod.spec?.containers ?? []).map((container) => container.name)
  const initNames = (pod.spec?.initContainers ?? []).map((container) => container.name)
  const asked = query.get('container') || undefined
  if (asked === undefined && names.length !== 1) {
    const init = initNames.length > 0 ? ` or one of the init containers: [${initNames.join(' ')}]` : ''
    throw refusals.badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]${init}`)
  }
  const container = asked ?? names[0]!
  if (!names.includes(container) && !initNames.includes(container))
    throw refusals.badRequest(`container ${container} is not valid for pod ${name}`)
  if (!pod.spec?.nodeName) return undefined

  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]
  const status = statuses.find((candidate) => candidate.name === container)
  const attempt = attemptOf(status, { container, pod: name, previous: flag(query, 'previous') === true })
  return { namespace, name, uid, container, attempt }
}

/** @see kubernetes/kubernetes v1.35 pkg/kubelet/kubelet_pods.go, validateContainerLogStatus */
function attemptOf(
  status: ContainerStatus | undefined,
  { container, pod, previous }: { container: string; pod: string; previous: boolean },
): number {
  const about = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod)}`
  if (!status) throw refusals.badRequest(`${about} is not available`)
  const { restartCount = 0, state = {}, lastState = {} } = status
  // A container that waits for its restart has not been counted up yet: its last run is the one of that number.
  const last = state.waiting ? restartCount : restartCount - 1
  if (previous) {
    if (!lastState.terminated) throw refusals.badRequest(`previous terminated ${about} not found`)
    return Math.max(0, last)
  }
  if (state.running || state.terminated) return restartCount
  if (lastState.terminated) return Math.max(0, last)
  switch (state.waiting?.reason) {
    case undefined:
      throw refusals.badRequest(`${about} is waiting to start - no logs yet`)
    case 'ErrImagePull':
      throw refusals.badRequest(`${about} is waiting to start: image can't be pulled`)
    case 'ImagePullBackOff':
      throw refusals.badRequest(`${about} is waiting to start: trying and failing to pull image`)
    default:
      throw refusals.badRequest(`${about} is waiting to start: ${state.waiting?.reason}`)
  }
}

/** Reads the parameters of a log request. Throws 422 for values that make no sense. `nowMs` is on the real clock. */
export function podLogOptions(pod: string, query: URLSearchParams, nowMs: number): Omit<PodLogOptions, 'signal'> {
  const found: Cause[] = []
  const number = (name: string, least: number, text: string): number | undefined => {
    const value = query.get(name)
    if (!value) return undefined
    const parsed = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (parsed >= least) return parsed
    found.push(causes.invalid(name, Number.isNaN(parsed) ? value : parsed, text))
    return undefined
  }
  const tailLines = number('tailLines', 0, 'must be greater than or equal to 0')
  const limitBytes = number('limitBytes', 1, 'must be greater than 0')
  const sinceSeconds = number('sinceSeconds', 1, 'must be greater than 0')
  const sinceTime = query.get('sinceTime') || undefined
  const sinceTimeMs = sinceTime === undefined ? undefined : Date.parse(sinceTime)
  if (sinceTimeMs !== undefined && Number.isNaN(sinceTimeMs))
    found.push(causes.invalid('sinceTime', sinceTime, 'must be a time in RFC 3339'))
  if (sinceTime !== undefined && sinceSeconds !== undefined)
    found.push(causes.forbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'))
  if (found.length > 0) throw refusals.invalid({ group: '', kind: 'PodLogOptions' }, pod, found)

  const sinceMs = sinceSeconds === undefined ? sinceTimeMs : nowMs - sinceSeconds * 1000
  return {
    follow: flag(query, 'follow') === true,
    timestamps: flag(query, 'timestamps') === true,
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceMs !== undefined && { sinceMs }),
  }
}

/** Sends lines as they come, no faster than they are read and at most `limitBytes` of them. A reader that leaves ends it. */
export async function streamLines(
  lines: AsyncIterable<string>,
  response: ServerResponse,
  limitBytes = Number.POSITIVE_INFINITY,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/plain' })
  response.flushHeaders()
  let bytesLeft = limitBytes
  for await (const line of lines) {
    if (response.destroyed) return
    const whole = Buffer.from(line.endsWith('\n') ? line : `${line}\n`)
    const sent = whole.length > bytesLeft ? whole.subarray(0, bytesLeft) : whole
    bytesLeft -= sent.length
    if (!response.write(sent)) await drained(response)
    if (bytesLeft === 0) break
  }
  response.end()
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
    if (response.destroyed) done()
  })
}
