import {
  type Addressable,
  type AddressStatus,
  type Destination,
  hostOf,
  isAbsoluteUri,
  type KReference,
  schemeOf,
} from '../apimachinery/destination.js'
import type { KubeObject, ObjectRef } from '../apimachinery/object.js'
import { refusals } from '../apimachinery/status-error.js'
import { groupOf, type Tracker } from './tracker.js'

/** Where a destination is, or why nobody can say, in Knative's words. */
export type Resolution = { address: ResolvedAddress; problem?: undefined } | { address?: undefined; problem: string }

export interface ResolvedAddress extends Addressable {
  url: string
}

export type ResolveUri = (destination: Destination | undefined, referrer: KubeObject) => Promise<Resolution>

const CLUSTER_DOMAIN = 'cluster.local'
const MAPPING_TEMPLATE_FIELDS = new Set(['Name', 'Namespace', 'UID', 'SystemNamespace'])
const SYSTEM_NAMESPACE = 'knative-eventing'

/**
 * Finds the address of a destination as it is now, and remembers who asked: a change of the referenced object reconciles the
 * referrer again. Says nothing about whether anybody answers there, nor whether the object is ready.
 * @see knative.dev/pkg resolver/addressable_resolver.go
 */
export function createUriResolver(options: {
  tracker: Pick<Tracker, 'track'>
  configMap(namespace: string, name: string): Readonly<Record<string, string>>
}): ResolveUri {
  const { tracker, configMap } = options

  return async (destination, referrer) => {
    const { ref, uri, CACerts, audience } = destination ?? {}
    if (ref) {
      const found = await addressOf(ref, destination!, referrer)
      if (!found.address || uri === undefined) return found
      if (schemeOf(uri) !== '') return { problem: 'absolute URI is not allowed when Ref or [apiVersion, kind, name] exists' }
      return { address: { ...found.address, url: resolvedReference(found.address.url, uri) } }
    }
    if (uri === undefined) return { problem: 'destination missing Ref and URI, expected at least one' }
    if (!isAbsoluteUri(uri)) {
      return { problem: `URI is not absolute (both scheme and host should be non-empty): ${JSON.stringify(uri)}` }
    }
    return { address: { url: uri, ...(CACerts && { CACerts }), ...(audience && { audience }) } }
  }

  async function addressOf(ref: KReference, { CACerts, audience }: Destination, referrer: KubeObject): Promise<Resolution> {
    const own = { ...(CACerts && { CACerts }), ...(audience && { audience }) }
    const { apiVersion = '', kind, name } = ref
    const namespace = ref.namespace ?? referrer.metadata.namespace ?? ''
    const mapped = mappedUrl({ apiVersion, kind, namespace, name }, configMap)
    if (mapped) return 'problem' in mapped ? mapped : { address: { url: mapped.url, ...(ref.address && { name: ref.address }), ...own } }

    const by: ObjectRef = referrer.metadata
    const { object, kind: served } = await tracker.track({ apiVersion, kind, namespace, name }, by)
    if (!served)
      return { problem: `failed to get lister for ${guessedResource(apiVersion, kind)}: the server could not find the requested resource` }
    if (!object) return { problem: `failed to get object ${namespace}/${name}: ${refusals.notFound(served, name).message}` }
    if (apiVersion === 'v1' && kind === 'Service') {
      const url = `${CACerts ? 'https' : 'http'}://${name}.${namespace}.svc.${CLUSTER_DOMAIN}`
      return { address: { url, ...(ref.address && { name: ref.address }), ...own } }
    }

    const chosen = chosenAddress(ref, (object as KubeObject & { status?: AddressStatus }).status)
    if ('problem' in chosen) return chosen
    const { url } = chosen.address
    if (!url) return { problem: `URL missing in address of ${printedReference(ref)}` }
    if (!hostOf(url)) return { problem: `hostname missing in address of ${printedReference(ref)}` }
    return { address: { ...chosen.address, url, ...own } }
  }
}

function chosenAddress(ref: KReference, status: AddressStatus | undefined): { address: Addressable } | { problem: string } {
  const { address, addresses = [] } = status ?? {}
  if (addresses.length === 0 && !address) return { problem: `address not set for ${printedReference(ref)}` }
  if (ref.address) {
    const named = addresses.find(({ name }) => name === ref.address)
    return named
      ? { address: named }
      : { problem: `address with name ${JSON.stringify(ref.address)} not found for ${printedReference(ref)}` }
  }
  return { address: addresses[0] ?? address! }
}

/** As Go prints a KReference. A pointer is printed by its place in memory there, which nobody can match on. */
function printedReference({ kind, namespace = '', name, apiVersion = '', group = '', address }: KReference): string {
  return `Kind = ${kind}, Namespace = ${namespace}, Name = ${name}, APIVersion = ${apiVersion}, Group = ${group}, Address = ${address ? JSON.stringify(address) : '<nil>'}`
}

/** `eventing.knative.dev/v1, Resource=brokers`, with a plural made up as client-go makes it up (meta.UnsafeGuessKindToResource). */
function guessedResource(apiVersion: string, kind: string): string {
  const singular = kind.toLowerCase()
  const plural = singular.endsWith('s') ? `${singular}es` : singular.endsWith('y') ? `${singular.slice(0, -1)}ies` : `${singular}s`
  const group = groupOf(apiVersion)
  const version = group ? apiVersion.slice(group.length + 1) : apiVersion
  return `${group}/${version}, Resource=${plural}`
}

/** RFC 3986, section 5: `/path` replaces the path of the base, `name` its last segment, `?query` only its query. */
function resolvedReference(base: string, relative: string): string {
  if (relative === '') return base
  const [, origin = '', path = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/?#]*)([^?#]*)/.exec(base) ?? []
  if (/^[?#]/.test(relative)) return `${origin}${path}${relative}`
  if (relative.startsWith('//')) return `${schemeOf(base)}:${relative}`
  const [, ownPath = '', rest = ''] = /^([^?#]*)(.*)$/s.exec(relative) ?? []
  const merged = ownPath.startsWith('/') ? ownPath : `${path.slice(0, path.lastIndexOf('/') + 1) || '/'}${ownPath}`
  return `${origin}${withoutDots(merged)}${rest}`
}

function withoutDots(path: string): string {
  const segments: string[] = []
  const parts = path.split('/').slice(1)
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1
    if (part === '..') segments.pop()
    else if (part !== '.') segments.push(part)
    if (isLast && (part === '.' || part === '..')) segments.push('')
  }
  return `/${segments.join('/')}`
}

/**
 * The URL that config-kreference-mapping gives a kind, where the flag kreference-mapping is on; the object is not looked at then.
 * @see knative/eventing v1.22 config/core/configmaps/kreference-mapping.yaml
 */
function mappedUrl(
  ref: { apiVersion: string; kind: string; namespace: string; name: string },
  configMap: (namespace: string, name: string) => Readonly<Record<string, string>>,
): { url: string } | { problem: string } | undefined {
  if (configMap(SYSTEM_NAMESPACE, 'config-features')['kreference-mapping']?.toLowerCase() !== 'enabled') return undefined
  const group = groupOf(ref.apiVersion)
  const version = group ? ref.apiVersion.slice(group.length + 1) : ref.apiVersion
  const mapping = configMap(SYSTEM_NAMESPACE, 'config-kreference-mapping')
  const key = group ? `${ref.kind}.${version}.${group}` : `${ref.kind}.${version}`
  const template = Object.hasOwn(mapping, key) ? mapping[key] : undefined
  if (template === undefined) return undefined
  const fields: Readonly<Record<string, string>> = { Name: ref.name, Namespace: ref.namespace, UID: '', SystemNamespace: SYSTEM_NAMESPACE }
  let unknown: string | undefined
  const url = template.replace(/\{\{-?\s*\.(\w+)\s*-?\}\}/g, (whole, field: string) => {
    if (MAPPING_TEMPLATE_FIELDS.has(field)) return fields[field]!
    unknown ??= whole
    return whole
  })
  return unknown ? { problem: `template: cannot evaluate ${unknown}` } : { url }
}
