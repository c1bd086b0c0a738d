import { posix } from 'node:path'
import type { KubeObject } from '../../apimachinery/object.js'
import { UserError } from '../../base/user-error.js'
import { usageError } from '../../cli/arguments.js'
import { kindOf, type ResourceName, type Sink, sinkFrom } from '../../cli/nouns/sink.js'
import type { Client } from '../../client/client.js'

/**
 * What `--to` means: as a sink flag (src/cli/nouns/sink.ts), the prefixes of the configuration file included. Throws usage errors in the words
 * of kn-plugin-event.
 * @see knative-extensions/kn-plugin-event pkg/cli, ValidateTarget
 */
export function targetFrom(text: string, mappings?: ReadonlyMap<string, ResourceName>): Sink {
  if (text === '') throw usageError('use --to flag is required')
  if (/^https?:/.test(text)) return { uri: checkedUrl(text) }
  const sink = parsed(text, mappings)
  if (!sink || 'uri' in sink || sink.name === '' || sink.resource.version === '') throw invalidFormat(text)
  return sink
}

function parsed(text: string, mappings: ReadonlyMap<string, ResourceName> | undefined): Sink | undefined {
  try {
    return sinkFrom(text, mappings)
  } catch {
    throw invalidFormat(text)
  }
}

function invalidFormat(text: string): Error {
  return usageError(`--to flag has invalid format: ${text}`)
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

interface AddressableObject extends KubeObject {
  status?: { address?: { url?: string; CACerts?: string } }
}

/** Where an event is posted to. */
export interface Target {
  url: string
  /** Authorities in PEM that are trusted there besides the usual ones. */
  caCerts?: string | undefined
}

/** The address of an object that takes events. Throws what the API refuses, and a UserError for one that has no address (yet). */
export async function addressOf(client: Client, sink: Exclude<Sink, { uri: string }>, namespace: string): Promise<Target> {
  const { resource, name } = sink
  const ref = { namespace: sink.namespace ?? namespace, name }
  const object = await client.get(kindOf<AddressableObject>(resource), ref)
  if (resource.group === '' && resource.plural === 'services') return { url: `http://${ref.name}.${ref.namespace}.svc.cluster.local` }
  const { url, CACerts: caCerts } = object.status?.address ?? {}
  if (url) return { url, caCerts }
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
