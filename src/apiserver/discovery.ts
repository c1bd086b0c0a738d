import type { Kind, ServedKind } from '../apimachinery/kind.js'
import { groupResource, groupVersion } from '../apimachinery/kind.js'
import { type DocumentAnswer, documentAnswer, type GeneratedDocument, generatedDocument, mediaRanges } from './generated-document.js'

/** What a kind offers unless it says otherwise. */
export const STANDARD_VERBS: readonly string[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

export interface Discovery {
  /**
   * The discovery document at a path (`/api`, `/apis`, `/api/v1`, `/apis/<group>`, `/apis/<group>/<version>`, a trailing
   * slash is allowed), aggregated where the Accept header asks for it; undefined for any other path.
   */
  answer(path: string, accept: string | undefined, ifNoneMatch: string | undefined): DocumentAnswer | undefined
}

interface Subresource {
  name: string
  group: string
  version: string
  kind: string
  verbs: readonly string[]
}

interface Version {
  version: string
  kinds: readonly ServedKind[]
}

interface Group {
  name: string
  versions: readonly Version[]
}

/** The order in which a cluster lists its own groups; the others follow by name. */
const BUILT_IN_GROUPS = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
]

/** Subresources that only these resources have, beyond status and scale. */
const OWN_SUBRESOURCES: Readonly<Record<string, readonly (Omit<Subresource, 'group' | 'version'> & Partial<Subresource>)[]>> = {
  pods: [
    { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    { name: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
    { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
    { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    { name: 'proxy', kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
  ],
  services: [{ name: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] }],
  namespaces: [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }],
  serviceaccounts: [{ name: 'token', group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] }],
}

/**
 * Says which kinds are served, in both forms that clients ask for. Built from the registry once; documents are made on
 * demand and kept.
 * @see kubernetes/apiserver v0.35 pkg/endpoints/discovery
 */
export function createDiscovery(kinds: readonly ServedKind[]): Discovery {
  const groups = groupsOf(kinds)
  const documents = new Map<string, GeneratedDocument>()
  const document = (key: string, make: () => object): GeneratedDocument => {
    const known = documents.get(key)
    if (known) return known
    const made = generatedDocument(JSON.stringify(make()))
    documents.set(key, made)
    return made
  }

  const plain = (path: string): (() => object) | undefined => {
    const [root, groupName, versionName, ...rest] = path.split('/').slice(1)
    if (rest.length > 0) return undefined
    if (root === 'api') {
      const core = groups.find(({ name }) => name === '')
      if (groupName === undefined) return () => apiVersions(core)
      const version = core?.versions.find(({ version }) => version === groupName)
      return version && versionName === undefined ? () => resourceList('', version) : undefined
    }
    if (root !== 'apis') return undefined
    if (groupName === undefined) return () => groupList(groups)
    const group = groups.find(({ name }) => name === groupName && name !== '')
    if (versionName === undefined) return group && (() => ({ kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) }))
    const version = group?.versions.find(({ version }) => version === versionName)
    return version && (() => resourceList(groupName, version))
  }

  return {
    answer(path, accept, ifNoneMatch) {
      const clean = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
      const makePlain = plain(clean)
      if (!makePlain) return undefined
      const aggregated = clean === '/api' || clean === '/apis' ? aggregatedVersion(accept) : undefined
      if (!aggregated) return documentAnswer(document(clean, makePlain), 'application/json', ifNoneMatch)
      const listed = groups.filter(({ name }) => (name === '') === (clean === '/api'))
      return documentAnswer(
        document(`${clean} ${aggregated}`, () => aggregatedList(listed, aggregated)),
        `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`,
        ifNoneMatch,
        { 'Cache-Control': 'public' },
      )
    },
  }
}

/** Which aggregated form the client would rather have than plain JSON; undefined for none. */
function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const { type, parameters } of mediaRanges(accept)) {
    const isJson = type === 'application/json' || type === '*/*' || type === 'application/*'
    if (!isJson) continue
    if (parameters.as === undefined) return undefined
    // A profile asks for a view that only a cluster of several API servers has; the plain alternative follows it.
    if (parameters.as !== 'APIGroupDiscoveryList' || parameters.g !== 'apidiscovery.k8s.io' || parameters.profile) continue
    if (parameters.v === 'v2' || parameters.v === 'v2beta1') return parameters.v
  }
  return undefined
}

function groupsOf(kinds: readonly ServedKind[]): Group[] {
  const byGroup = new Map<string, Map<string, ServedKind[]>>()
  for (const served of kinds) {
    const { group, version } = served.kind
    const versions = byGroup.get(group) ?? new Map<string, ServedKind[]>()
    byGroup.set(group, versions)
    versions.set(version, [...(versions.get(version) ?? []), served])
  }
  const rank = (name: string): number => {
    const index = BUILT_IN_GROUPS.indexOf(name)
    return index < 0 ? BUILT_IN_GROUPS.length : index
  }
  return [...byGroup]
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(a, b))
        .map(([version, ofVersion]) => ({ version, kinds: [...ofVersion].sort((a, b) => (a.kind.plural < b.kind.plural ? -1 : 1)) })),
    }))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1))
}

/**
 * The preferred version first: stable before beta before alpha, higher numbers first, anything else by name.
 * @see kubernetes/apimachinery v0.35 pkg/version/helpers.go, CompareKubeAwareVersionStrings
 */
export function compareVersions(a: string, b: string): number {
  const left = versionParts(a)
  const right = versionParts(b)
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0
  for (const [index, part] of left.entries()) if (part !== right[index]) return right[index]! - part
  return 0
}

function versionParts(version: string): [stage: number, major: number, minor: number] | undefined {
  const parts = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (!parts) return undefined
  return [parts[2] === 'alpha' ? 0 : parts[2] === 'beta' ? 1 : 2, Number(parts[1]), Number(parts[3] ?? 0)]
}

function subresourcesOf({ kind }: ServedKind): Subresource[] {
  const { group, version } = kind
  const own = (OWN_SUBRESOURCES[groupResource(kind)] ?? []).map((subresource) => ({ group, version, ...subresource }))
  const verbs = ['get', 'patch', 'update']
  return [
    ...own,
    ...(kind.scale ? [{ name: 'scale', group: 'autoscaling', version: 'v1', kind: 'Scale', verbs }] : []),
    ...(kind.status ? [{ name: 'status', group, version, kind: kind.kind, verbs }] : []),
  ].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const shortForms = ({ shortNames, categories }: Kind): object => ({
  ...(shortNames && { shortNames }),
  ...(categories && { categories }),
})

function apiVersions(core: Group | undefined): object {
  return {
    kind: 'APIVersions',
    versions: core?.versions.map(({ version }) => version) ?? [],
    serverAddressByClientCIDRs: [],
  }
}

function groupEntry({ name, versions }: Group): object {
  const entries = versions.map(({ version }) => ({ groupVersion: groupVersion({ group: name, version }), version }))
  return { name, versions: entries, preferredVersion: entries[0] }
}

function groupList(groups: readonly Group[]): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.filter(({ name }) => name !== '').map(groupEntry) }
}

function resourceList(group: string, { version, kinds }: Version): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: groupVersion({ group, version }),
    resources: kinds.flatMap((served) => {
      const { kind } = served
      const { plural, singular, namespaced } = kind
      return [
        { name: plural, singularName: singular, namespaced, kind: kind.kind, verbs: served.verbs ?? STANDARD_VERBS, ...shortForms(kind) },
        ...subresourcesOf(served).map((subresource) => ({
          name: `${plural}/${subresource.name}`,
          singularName: '',
          namespaced,
          ...(subresource.group !== group && { group: subresource.group, version: subresource.version }),
          kind: subresource.kind,
          verbs: subresource.verbs,
        })),
      ]
    }),
  }
}

function aggregatedList(groups: readonly Group[], version: 'v2' | 'v2beta1'): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: { ...(name && { name }), creationTimestamp: null },
      versions: versions.map((entry) => ({
        version: entry.version,
        freshness: 'Current',
        resources: entry.kinds.map((served) => aggregatedResource(served)),
      })),
    })),
  }
}

function aggregatedResource(served: ServedKind): object {
  const { kind } = served
  const subresources = subresourcesOf(served).map(({ name, group, version, kind, verbs }) => ({
    subresource: name,
    responseKind: { group, version, kind },
    verbs,
  }))
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: served.verbs ?? STANDARD_VERBS,
    ...shortForms(kind),
    ...(subresources.length > 0 && { subresources }),
  }
}
