import { request } from 'node:http'
import type { CloudEvent } from '../cloudevents/event.js'
import { encodeBinary, encodeStructured } from '../cloudevents/http.js'

/** Hosts of this machine, which no proxy is asked for. */
const OWN_HOST = /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/

/**
 * Sends an event, through the proxy that `http_proxy` names: names inside the cluster mean nothing to this machine's resolver.
 * Resolves to the status; rejects when there was no answer.
 */
export function sendEvent(event: CloudEvent, url: URL, { isStructured, proxy }: { isStructured: boolean; proxy: string }): Promise<number> {
  const { headers, body } = isStructured ? encodeStructured(event) : encodeBinary(event)
  const direct = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || 80, path: url.pathname + url.search }
  const via = proxy !== '' && !OWN_HOST.test(url.hostname) ? new URL(proxy) : undefined
  const where = via ? { host: via.hostname, port: via.port, path: url.href, auth: undefined } : direct
  const all = ['Host', url.host, ...headers.flat(), 'Content-Length', String(body.length)]
  if (via?.username) {
    const credential = `${decodeURIComponent(via.username)}:${decodeURIComponent(via.password)}`
    all.push('Proxy-Authorization', `Basic ${Buffer.from(credential).toString('base64')}`)
  }
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...where, method: 'POST', headers: all, agent: false }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode!))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
