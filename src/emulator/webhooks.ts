import { request } from 'node:https'
import type { CallWebhook, WebhookTarget } from '../apiserver/crd/conversion.js'
import type { Clock } from '../base/clock.js'
import type { Client } from '../client/client.js'
import { endpointsKind } from '../kinds/core/endpoints/kind.js'
import { endpointSliceKind } from '../kinds/core/endpointslice/kind.js'
import { SERVICE_NAME_LABEL } from '../kinds/core/endpointslice/schema.js'
import { podKind } from '../kinds/core/pod/kind.js'
import { PORTS_ANNOTATION } from '../kinds/core/pod/schema.js'
import { coreServiceKind } from '../kinds/core/service/kind.js'

/** How long a conversion may take (apiextensions pkg/apiserver/conversion/webhook_converter.go). */
const TIMEOUT_MS = 30_000
/** More than this is no answer to a ConversionReview, in bytes. */
const LONGEST_ANSWER = 16 * 1024 * 1024

interface Address {
  host: string
  port: number
  /** The name that the certificate has to bear, and the Host that is asked for. */
  name: string
  path: string
}

/**
 * Calls webhooks: by their URL, or through the endpoints of a Service, which here means the loopback port of one of its ready
 * Pods. The certificate is held against `caBundle`, or against the roots of this machine where there is none.
 */
export function createWebhookCaller({ client, clock }: { client: () => Client; clock: Clock }): CallWebhook {
  return async (target, body) => {
    const address = target.service ? await serviceAddress(client(), target.service) : urlAddress(target.url ?? '')
    const given = new AbortController()
    const timer = clock.after(TIMEOUT_MS, () => given.abort(new Error('context deadline exceeded')))
    try {
      return await post(address, target.caBundle, body, given.signal)
    } catch (error) {
      const why = given.signal.aborted ? given.signal.reason : error
      throw new Error(`Post ${JSON.stringify(`https://${address.name}:${address.port}${address.path}`)}: ${messageOf(why)}`)
    } finally {
      timer()
    }
  }
}

function urlAddress(text: string): Address {
  const url = new URL(text)
  const name = url.hostname.replace(/^\[|\]$/g, '')
  return { host: name, port: Number(url.port || 443), name, path: `${url.pathname}?timeout=${TIMEOUT_MS / 1000}s` }
}

async function serviceAddress(client: Client, service: NonNullable<WebhookTarget['service']>): Promise<Address> {
  const { namespace, name, port: wanted = 443, path = '/' } = service
  const found = await client.find(coreServiceKind, { namespace, name })
  if (!found) throw new Error(`service ${JSON.stringify(name)} not found`)
  const base = { name: `${name}.${namespace}.svc`, path: `${path}?timeout=${TIMEOUT_MS / 1000}s` }
  const { externalName, ports = [] } = found.spec
  if (found.spec.type === 'ExternalName' && externalName) return { ...base, host: externalName, port: wanted }

  const portName = ports.find(({ port }) => port === wanted)?.name
  if (!ports.some(({ port }) => port === wanted)) throw new Error(`service ${JSON.stringify(name)} has no port ${wanted}`)
  for (const { ports: targets, endpoints } of await endpointsOf(client, namespace, name)) {
    const target = targets.find((port) => (port.name ?? '') === (portName ?? ''))?.port
    if (target === undefined) continue
    for (const { address, pod: podName } of endpoints) {
      if (podName === undefined) return { ...base, host: address, port: target }
      const pod = await client.find(podKind, { namespace, name: podName })
      const loopback = portBehind(pod?.metadata.annotations?.[PORTS_ANNOTATION], target)
      if (loopback !== undefined) return { ...base, host: '127.0.0.1', port: loopback }
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

function portBehind(annotation: string | undefined, containerPort: number): number | undefined {
  if (annotation === undefined) return undefined
  const ports: unknown = JSON.parse(annotation)
  const port = (ports as Record<string, unknown>)[containerPort]
  return typeof port === 'number' ? port : undefined
}

function post(
  { host, port, name, path }: Address,
  caBundle: string | undefined,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host,
        port,
        path,
        method: 'POST',
        agent: false,
        signal,
        // An address has no name to ask for.
        ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
        ...(caBundle && { ca: Buffer.from(caBundle, 'base64') }),
        headers: { Host: `${name}:${port}`, 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
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

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNREFUSED' ? `dial tcp: connect: connection refused (${error.message})` : error.message
}
