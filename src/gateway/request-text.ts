import type { Destination } from './destination.js'
import { forwardedLines } from './forwarded.js'
import { withoutFields } from './http1-fields.js'
import type { RequestHead } from './http1-heads.js'
import type { Target } from './routes.js'

/** The head of a request as an application gets it, but for its last lines. One writer per connection. */
export interface RequestWriter {
  /** `isRepeated`: the head is the same as that of the request before. */
  write(head: RequestHead, isRepeated: boolean, destination: Destination, upgrades: boolean): string
}

/** Said once a request has waited for its instance. @see knative/serving v1.23 pkg/activator/activator.go */
export const HELD_LINE = 'K-Proxy-Request: activator\r\n'

export function createRequestWriter(clientAddress: string): RequestWriter {
  let lastHost = ''
  let lastForwarded = ''
  let lastTarget: Target | undefined
  let lastText = ''

  /** Nearly all requests of a connection come without such headers and for the same host. */
  const forwardedFor = (head: RequestHead): string => {
    const isPlain = head.forwardedFor === '' && head.forwarded === '' && head.forwardedProto === '' && head.forwardedHost === ''
    if (!isPlain) return forwardedLines(head, clientAddress, head.host)
    if (head.host !== lastHost || lastForwarded === '') {
      lastHost = head.host
      lastForwarded = forwardedLines(head, clientAddress, head.host)
    }
    return lastForwarded
  }

  const textOf = (head: RequestHead, { target, headers, host }: Destination, upgrades: boolean): string => {
    let { fields } = head
    if (headers.size > 0) {
      fields = withoutFields(fields, headers)
      for (const [name, value] of headers) fields += `${name}: ${value}\r\n`
    }
    if (head.isChunked) fields += 'Transfer-Encoding: chunked\r\n'
    if (upgrades) fields += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`
    if (head.takesTrailers) fields += 'TE: trailers\r\n'
    return `${head.method} ${head.target} HTTP/1.1\r\nHost: ${host}\r\n${fields}${target.service ? asSent(head) : forwardedFor(head)}`
  }

  return {
    write(head, isRepeated, destination, upgrades) {
      const { target, headers } = destination
      if (isRepeated && target === lastTarget && headers === target.headers) return lastText
      // Where its host is rewritten, what the target alone says is not all.
      lastTarget = headers === target.headers ? target : undefined
      lastText = textOf(head, destination, upgrades)
      return lastText
    },
  }
}

/** What the reader took out because a gateway sets it anew, put back: nothing stands between a core Service and its Pods. */
function asSent({ forwardedFor, forwardedProto, forwardedHost, forwarded, originalHost, probeHash }: RequestHead): string {
  let lines = ''
  if (forwardedFor !== '') lines += `X-Forwarded-For: ${forwardedFor}\r\n`
  if (forwardedProto !== '') lines += `X-Forwarded-Proto: ${forwardedProto}\r\n`
  if (forwardedHost !== '') lines += `X-Forwarded-Host: ${forwardedHost}\r\n`
  if (forwarded !== '') lines += `Forwarded: ${forwarded}\r\n`
  if (originalHost !== '') lines += `K-Original-Host: ${originalHost}\r\n`
  if (probeHash !== '') lines += `K-Network-Hash: ${probeHash}\r\n`
  return lines
}
