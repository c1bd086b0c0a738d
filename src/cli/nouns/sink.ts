import type { Destination } from '../../apimachinery/destination.js'
import type { Kind } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { UserError } from '../../base/user-error.js'
import type { Client } from '../../client/client.js'
import { usageError } from '../arguments.js'
import { goUrlProblem } from '../go-url.js'
import { attribute, nested, type Rows } from '../print/describe.js'

/** A resource as its URL names it. */
export type ResourceName = Pick<Kind, 'group' | 'version' | 'plural'>

/** Where events are to go: a URI, or an object; without a namespace, one in the namespace the command works in. */
export type Sink = { uri: string } | { resource: ResourceName; name: string; namespace: string | undefined }

const KNATIVE_SERVICE: ResourceName = { group: 'serving.knative.dev', version: 'v1', plural: 'services' }

/** The short name that lists show comes first. */
const PREFIXES: ReadonlyMap<string, ResourceName> = new Map([
  ['ksvc', KNATIVE_SERVICE],
  ['kservice', KNATIVE_SERVICE],
  ['svc', { group: '', version: 'v1', plural: 'services' }],
  ['service', { group: '', version: 'v1', plural: 'services' }],
  ['broker', { group: 'eventing.knative.dev', version: 'v1', plural: 'brokers' }],
  ['channel', { group: 'messaging.knative.dev', version: 'v1', plural: 'channels' }],
])

/**
 * What a sink flag means: a URI, `PREFIX:NAME[:NAMESPACE]`, `GROUP/VERSION/RESOURCE:NAME[:NAMESPACE]`, or the NAME of a Knative service;
 * undefined for ''. `mappings` are the prefixes of the configuration file, which come before the built-in ones. Throws a usage error in
 * kn's words.
 *
 * @see knative/client pkg/flags/sink/sink.go, Parse
 */
export function sinkFrom(text: string, mappings: ReadonlyMap<string, ResourceName> = new Map()): Sink | undefined {
  if (text === '') return undefined
  const [prefix = '', name, ...rest] = text.split(':')
  if (name === undefined) return { resource: mappings.get('ksvc') ?? KNATIVE_SERVICE, name: text, namespace: undefined }
  if (prefix === 'http' || prefix === 'https') {
    const problem = goUrlProblem(text)
    if (problem) throw usageError(`sink has invalid format: ${problem}`)
    return { uri: text }
  }
  return { resource: mappings.get(prefix) ?? PREFIXES.get(prefix) ?? resourceFrom(prefix), name, namespace: rest.join(':') || undefined }
}

/** `special.eventing.dev/v1alpha1/channels`: in lower case, and with the `s` that it may lack. */
function resourceFrom(prefix: string): ResourceName {
  const at = prefix.lastIndexOf('/')
  const isVersioned = at >= 0 && at < prefix.length - 1
  const word = isVersioned ? prefix.slice(at + 1) : prefix
  const plural = (word.endsWith('s') ? word : `${word}s`).toLowerCase()
  const parts = isVersioned ? prefix.slice(0, at).split('/') : ['']
  if (parts.length > 2) throw usageError(`unexpected GroupVersion string: ${parts.join('/')}`)
  const version = parts.pop()!
  return { group: parts[0] ?? '', version, plural }
}

/**
 * The destination that a sink is for the API. The object has to exist: the reference gets the kind that it turns out to have. Throws what the
 * API refuses, and a UserError for what can be no object's name.
 */
export async function destinationOf(client: Client, sink: Sink, currentNamespace: string): Promise<Destination> {
  if ('uri' in sink) return { uri: sink.uri }
  const { resource, name, namespace = currentNamespace } = sink
  if (name === '') throw usageError('name is required')
  checkSegment('resource name', name)
  checkSegment('namespace', namespace)
  if (resource.version === '') throw unknownResource(resource.plural)
  const { kind, apiVersion, metadata } = await client.get(kindOf(resource), { namespace, name })
  return { ref: { kind, apiVersion, name: metadata.name, namespace } }
}

/** Without a version there is nothing to ask for, so a server could only say that it finds none. */
function unknownResource(plural: string): Error {
  const prefixes = [...PREFIXES.keys()].filter((prefix) => prefix.length < 8).join(', ')
  return new UserError({
    code: 'unknown-sink',
    what: 'the server could not find the requested resource',
    remedies: [`a known prefix: ${prefixes}`, `the whole name of '${plural}': GROUP/VERSION/${plural}:NAME`],
  })
}

/** @see k8s.io/client-go dynamic/simple.go; k8s.io/apimachinery pkg/api/validation/path/name.go */
function checkSegment(what: string, text: string): void {
  const isDots = text === '.' || text === '..'
  const problems = isDots
    ? [`may not be '${text}'`]
    : ['/', '%'].filter((sign) => text.includes(sign)).map((sign) => `may not contain '${sign}'`)
  if (problems.length > 0) throw usageError(`invalid ${what} ${JSON.stringify(text)}: [${problems.join(' ')}]`)
}

/** A kind by the names in its URL alone, which is all that getting an object takes. */
export function kindOf<T extends KubeObject>(resource: ResourceName): Kind<T> {
  return { ...resource, kind: '', singular: resource.plural, namespaced: true }
}

/**
 * The SINK cell of a list: `ksvc:hello`, `broker:default`, a resource with its group, or the URI; never a namespace.
 * @see knative/client pkg/flags/sink/sink.go, GvrAsText
 */
export function sinkCell({ ref, uri }: Destination = {}): string {
  if (uri !== undefined) return uri
  if (!ref) return ''
  const [version = '', group = ''] = (ref.apiVersion ?? '').split('/').reverse()
  const plural = guessedPlural(ref.kind.toLowerCase())
  for (const [prefix, known] of PREFIXES) {
    if (known.group === group && known.version === version && known.plural === plural) return `${prefix}:${ref.name}`
  }
  return `${plural}.${group}/${version}:${ref.name}`
}

/** @see k8s.io/apimachinery pkg/api/meta/restmapper.go, UnsafeGuessKindToResource */
function guessedPlural(singular: string): string {
  if (singular === '') return ''
  if (singular.endsWith('endpoints')) return singular
  if (singular.endsWith('s')) return `${singular}es`
  return singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`
}

/** A sink in a describe, below its label. The namespace is shown where it is another one than `namespace`. */
export function sinkRows(label: string, { ref, uri }: Destination, namespace: string | undefined): Rows {
  const rows = [
    ...(ref
      ? [
          attribute('Name', ref.name),
          ...(ref.namespace && ref.namespace !== namespace ? [attribute('Namespace', ref.namespace)] : []),
          attribute('Resource', `${ref.kind} (${ref.apiVersion ?? ''})`),
        ]
      : []),
    ...(uri === undefined ? [] : [attribute('URI', uri)]),
  ]
  return [attribute(label, ''), ...nested(rows)]
}
