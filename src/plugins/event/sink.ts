import { posix } from 'node:path'
import type { Kind } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { UserError } from '../../base/user-error.js'
import { usageError } from '../../cli/arguments.js'
import type { Client } from '../../client/client.js'

/** Where an event goes: to an address, or to an object that has one. */
export type Sink = { url: string } | { resource: Pick<Kind, 'group' | 'version' | 'plural'>; name: string; namespace: string | undefined }

const PREFIXES: ReadonlyMap<string, Pick<Kind, 'group' | 'version' | 'plural'>> = new Map([
  ['ksvc', { group: 'serving.knative.dev', version: 'v1', plural: 'services' }],
  ['kservice', { group: 'serving.knative.dev', version: 'v1', plural: 'services' }],
  ['svc', { group: '', version: 'v1', plural: 'services' }],
  ['service', { group: '', version: 'v1', plural: 'services' }],
  ['broker', { group: 'eventing.knative.dev', version: 'v1', plural: 'brokers' }],
  ['channel', { group: 'messaging.knative.dev', version: 'v1', plural: 'channels' }],
] as const)

/**
 * What `--to` means: NAME of a Knative service, PREFIX:NAME[:NAMESPACE], GROUP/VERSION/RESOURCE:NAME[:NAMESPACE], or a URL. Throws usage
 * errors in the words of kn-plugin-event.
 * @see knative/client pkg/flags/sink
 */
export function sinkFrom(text: string): Sink {
  if (text === '') throw usageError('use --to flag is required')
  if (/^https?:/.test(text)) return { url: checkedUrl(text) }
  if (!text.includes(':')) return { resource: PREFIXES.get('ksvc')!, name: text, namespace: undefined }
  const [prefix = '', name = '', ...rest] = text.split(':')
  const resource = PREFIXES.get(prefix) ?? resourceFrom(prefix)
  if (name === '' || !resource) throw usageError(`--to flag has invalid format: ${text}`)
  const namespace = rest.join(':')
  return { resource, name, namespace: namespace === '' ? undefined : namespace }
}

function checkedUrl(text: string): string {
  try {
    const { hostname } = new URL(text)
    // URL takes `http:name` for `http://name`, which is no host that anybody gave.
    if (hostname !== '' && /^https?:\/\//.test(text)) return text
  } catch {
    // Told below.
  }
  throw usageError(`invalid URL format: ${text}`)
}

/** `eventing.knative.dev/v1/broker`: the resource in lower case, with the `s` that it may lack. */
function resourceFrom(prefix: string): Pick<Kind, 'group' | 'version' | 'plural'> | undefined {
  const parts = prefix.split('/')
  const resource = parts.pop()!.toLowerCase()
  const version = parts.pop()
  if (resource === '' || !version || parts.length > 1) return undefined
  return { group: parts[0] ?? '', version, plural: resource.endsWith('s') ? resource : `${resource}s` }
}

/** A kind by the names in its URL alone: all it takes to get an object. */
function kindOf({ group, version, plural }: Pick<Kind, 'group' | 'version' | 'plural'>): Kind<AddressableObject> {
  return { group, version, plural, kind: '', singular: plural, namespaced: true }
}

interface AddressableObject extends KubeObject {
  status?: { address?: { url?: string } }
}

/** The address of an object. Throws what the API refuses, and a UserError for one that has no address (yet). */
export async function addressOf(client: Client, sink: Exclude<Sink, { url: string }>, namespace: string): Promise<string> {
  const { resource, name } = sink
  const ref = { namespace: sink.namespace ?? namespace, name }
  const object = await client.get(kindOf(resource), ref)
  if (resource.group === '' && resource.plural === 'services') return `http://${ref.name}.${ref.namespace}.svc.cluster.local`
  const url = object.status?.address?.url
  if (url) return url
  throw new UserError({
    code: 'no-address',
    what: `${resource.plural} '${name}' in namespace '${ref.namespace}' has no address`,
    why: 'it is not ready, or nothing that takes events',
    remedies: [`kubectl get ${resource.plural}${resource.group && `.${resource.group}`} ${name} -n ${ref.namespace}`],
  })
}

/** An address with a path behind its own, as kn-plugin-event joins them: cleaned, without a slash at the end. */
export function joined(url: string, path: string | undefined): string {
  if (!path) return url
  const whole = new URL(url)
  const clean = posix.join('/', whole.pathname, path)
  whole.pathname = clean.length > 1 ? clean.replace(/\/$/, '') : clean
  return whole.href
}
