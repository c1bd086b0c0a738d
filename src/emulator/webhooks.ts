import { request } from 'node:https'
import { isIP } from 'node:net'
import type { CallWebhook, WebhookTarget } from '../apiserver/crd/conversion.js'
import type { Clock } from '../base/clock.js'
import type { Client } from '../client/client.js'
import { endpointsKind } from '../kinds/core/endpoints/kind.js'
import { endpointSliceKind } from '../kinds/core/endpointslice/kind.js'
import { SERVICE_NAME_LABEL } from '../kinds/core/endpointslice/schema.js'
import { podKind } from '../kinds/core/pod/kind.js'
import { loopbackPortsOf } from '../kinds/core/pod/schema.js'
import { coreServiceKind } from '../kinds/core/service/kind.js'

/** How long a conversion may take (apiextensions pkg/apiserver/conversion/webhook_converter.go). */
const CONVERSION_SECONDS = 30
/** More than this is no answer to a review, in bytes. */
const LONGEST_ANSWER = 16 * 1024 * 1024

const DEFAULT_PORT = 443

/** Where to connect to. */
interface Endpoint {
  host: string
  port: number
}

/**
 * Calls webhooks: by their URL, or through the endpoints of a Service, which here means the loopback port of one of its ready
 * Pods. The certificate is held against `caBundle`, or against the roots of this machine where there is none.
 */
export function createWebhookCaller({ client, clock }: { client: () => Client; clock: Clock }): CallWebhook {
  return async (target, body, timeoutSeconds = CONVERSION_SECONDS) => {
    const url = urlOf(target, timeoutSeconds)
    const given = new AbortController()
    const timer = clock.after(timeoutSeconds * 1000, () => given.abort(new Error('context deadline exceeded')))
    try {
      const { host, port } = target.service ? await endpointOf(client(), target.service) : { host: bare(url.hostname), port: portOf(url) }
      return await post({ host, port, url }, target.caBundle, body, given.signal)
    } catch (error) {
      const why = given.signal.aborted ? given.signal.reason : error
      throw new Error(`Post ${JSON.stringify(textOf(url, target))}: ${messageOf(why, { host: bare(url.hostname), port: portOf(url) })}`)
    } finally {
      timer()
    }
  }
}

/** What is asked for, by the name that the certificate has to bear: a Service's is the one inside the cluster. */
function urlOf({ url: text, service }: WebhookTarget, timeoutSeconds: number): URL {
  const url = service
    ? new URL(`https://${service.name}.${service.namespace}.svc:${service.port ?? DEFAULT_PORT}${service.path ?? '/'}`)
    : new URL(text ?? '')
  url.searchParams.set('timeout', `${timeoutSeconds}s`)
  return url
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '')
const portOf = ({ port }: URL): number => Number(port || DEFAULT_PORT)

/** A Service's port is always told, a URL's as it was written. */
function textOf(url: URL, { service }: WebhookTarget): string {
  return service && !url.port ? url.href.replace(url.host, `${url.host}:${DEFAULT_PORT}`) : url.href
}

async function endpointOf(client: Client, service: NonNullable<WebhookTarget['service']>): Promise<Endpoint> {
  const { namespace, name, port: wanted = DEFAULT_PORT } = service
  const found = await client.find(coreServiceKind, { namespace, name })
  if (!found) throw new Error(`service ${JSON.stringify(name)} not found`)
  const { externalName, ports = [] } = found.spec
  if (found.spec.type === 'ExternalName' && externalName) return { host: externalName, port: wanted }

  const portName = ports.find(({ port }) => port === wanted)?.name
  if (!ports.some(({ port }) => port === wanted)) throw new Error(`service ${JSON.stringify(name)} has no port ${wanted}`)
  for (const { ports: targets, endpoints } of await endpointsOf(client, namespace, name)) {
    const target = targets.find((port) => (port.name ?? '') === (portName ?? ''))?.port
    if (target === undefined) continue
    for (const { address, pod: podName } of endpoints) {
      if (podName === undefined) return { host: address, port: target }
      const pod = await client.find(podKind, { namespace, name: podName })
      const loopback = loopbackPortsOf(pod)[target]
      if (loopback !== undefined) return { host: '127.0.0.1', port: loopback }
    }
  }
  throw new Error(`no endpoints available for service ${JSON.stringify(name)}`)
}

interface Targets {
  ports: readonly { name?: string; port?: number }[]
  endpoints: readonly { address: string; pod: string | undefined }[]
}

/** From the slices of a Service; one without a selector may have Endpoints that someone wrote by hand. */
async function endpointsOf(client: Client, namespace: string, name: string): Promise<Targets[]> {
  const slices = await client.list(endpointSliceKind, namespace, { labelSelector: `${SERVICE_NAME_LABEL}=${name}` })
  if (slices.length > 0)
    return slices.map(({ ports = [], endpoints }) => ({
      ports,
      endpoints: (endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .map(({ addresses, targetRef }) => ({ address: addresses[0]!, pod: targetRef?.kind === 'Pod' ? targetRef.name : undefined })),
    }))
  const written = await client.find(endpointsKind, { namespace, name })
  return (written?.subsets ?? []).map(({ ports = [], addresses = [] }) => ({
    ports,
    endpoints: addresses.map(({ ip, targetRef }) => ({ address: ip, pod: targetRef?.kind === 'Pod' ? targetRef.name : undefined })),
  }))
}

function post(
  { host, port, url }: Endpoint & { url: URL },
  caBundle: string | undefined,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  const name = bare(url.hostname)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host,
        port,
        path: url.pathname + url.search,
        method: 'POST',
        agent: false,
        signal,
        // An address has no name to ask for.
        ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
        ...(caBundle && { ca: Buffer.from(caBundle, 'base64') }),
        headers: { Host: url.host, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
      },
      (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > LONGEST_ANSWER) outgoing.destroy(new Error('the answer is too long'))
          else chunks.push(chunk)
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }))
        response.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** In the words of Go's client, as far as they are known for what Node tells. */
function messageOf(error: unknown, { host, port }: Endpoint): string {
  if (!(error instanceof Error)) return String(error)
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ECONNREFUSED':
      return `dial tcp ${refusedBy(error) ?? `${host}:${port}`}: connect: connection refused`
    case 'ENOTFOUND':
      return `dial tcp: lookup ${host}: no such host`
    case 'ECONNRESET':
      return 'EOF'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority'
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid'
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: ${otherName(error, host)}`
    default:
      return error.message
  }
}

function otherName(error: Error, host: string): string {
  const names = (error as { cert?: { subjectaltname?: string } }).cert?.subjectaltname?.split(', ') ?? []
  const prefix = isIP(host) ? 'IP Address:' : 'DNS:'
  const valid = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  return valid.length > 0
    ? `certificate is valid for ${valid.join(', ')}, not ${host}`
    : `certificate is not valid for any names, but wanted to match ${host}`
}

/** The address that was dialled, which for a Service is not the one that was asked for. */
function refusedBy(error: Error): string | undefined {
  const { address, port } = error as { address?: string; port?: number }
  return address === undefined || port === undefined ? undefined : `${address}:${port}`
}
