import { type ClientRequest, request as httpRequest } from 'node:http'
import type { RequestOptions as HttpsRequestOptions } from 'node:https'
import { UserError } from '../../base/user-error.js'
import type { Client } from '../../client/client.js'
import type { CloudEvent } from '../../cloudevents/event.js'
import { encodeBinary } from '../../cloudevents/http.js'
import { configMapKind } from '../../kinds/core/configmap/kind.js'
import type { Target } from './sink.js'

/** What a destination answered. */
export interface Answer {
  statusCode: number
  /** The start of it, as text. */
  body: string
}

const SHOWN_BYTES = 1000
/** Silence on the connection; a service that starts from zero may take a while. */
const SILENCE_MS = 120_000

/**
 * Posts an event in binary mode, once. Names of `localhost` are this machine, and names inside of the cluster are reached through the
 * emulator's listener for them. `connect` is asked for a client only for the latter. Throws a UserError when there is no answer.
 */
export async function post(event: CloudEvent, { url, caCerts }: Target, connect: () => Promise<Client>): Promise<Answer> {
  const { protocol, hostname, port, host, pathname, search } = new URL(url)
  const { headers, body } = encodeBinary(event)
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  const isSecure = protocol === 'https:'
  const inside = isInside(hostname) ? await clusterLocalPort(await connect(), url) : undefined
  const options: HttpsRequestOptions = {
    method: 'POST',
    host: inside !== undefined || isLocal ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, ''),
    port: inside ?? (port || (isSecure ? 443 : 80)),
    path: pathname + search,
    headers: { host, ...Object.fromEntries(headers), 'content-length': body.length },
    agent: false,
    timeout: SILENCE_MS,
  }
  if (!isSecure) return exchange(httpRequest(options), body, url)
  const [https, { rootCertificates }] = await Promise.all([import('node:https'), import('node:tls')])
  // The name that the certificate has to be for is that of the Host header.
  return exchange(https.request({ ...options, ...(caCerts && { ca: [...rootCertificates, caCerts] }) }), body, url)
}

function exchange(outgoing: ClientRequest, body: Buffer, url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(
        new UserError({
          code: 'event-not-sent',
          what: `can't sent the event: POST ${url}`,
          why: error.message || (error as NodeJS.ErrnoException).code || 'no connection',
        }),
      )
    outgoing.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', fail)
      response.on('end', () =>
        resolve({ statusCode: response.statusCode!, body: Buffer.concat(parts).subarray(0, SHOWN_BYTES).toString() }),
      )
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${SILENCE_MS / 1000} seconds`)))
    outgoing.on('error', fail)
    outgoing.end(body)
  })
}

/** The same, where anything but a 2xx is a UserError. */
export async function deliver(event: CloudEvent, target: Target, connect: () => Promise<Client>): Promise<Answer> {
  const { url } = target
  const answer = await post(event, target, connect)
  if (answer.statusCode >= 200 && answer.statusCode < 300) return answer
  const said = answer.body.trim()
  throw new UserError({
    code: 'event-refused',
    what: `can't sent the event: ${url} answered ${answer.statusCode}`,
    ...(said && { why: said }),
  })
}

/** Names that only resolve inside of a cluster. */
function isInside(hostname: string): boolean {
  return /\.svc(\.|$)|\.cluster\.local$/.test(hostname)
}

async function clusterLocalPort(client: Client, url: string): Promise<number> {
  const config = await client.find(configMapKind, { namespace: 'knative-serving', name: 'kn-local' })
  const port = Number(config?.data?.[new URL(url).protocol === 'https:' ? 'cluster-local-tls-port' : 'cluster-local-port'])
  if (port > 0) return port
  const [name = '', namespace = ''] = new URL(url).hostname.split('.')
  throw new UserError({
    code: 'inside-cluster',
    what: `can't sent the event: ${url} is an address inside of the cluster`,
    why: 'from here it is reached only through a port that is forwarded',
    remedies: [
      `kubectl port-forward -n ${namespace} service/${name} 8080:80`,
      `then the same command with --to http://localhost:8080${new URL(url).pathname}`,
    ],
  })
}
