import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { anyList, fields, int32, listOf, objectSchema, text, texts } from '../schema-parts.js'
import { type Ingress, ingressKind } from './kind.js'

const columns: readonly Column[] = [
  { name: 'Class', type: 'string', cell: ({ spec }: Ingress) => spec?.ingressClassName ?? '<none>' },
  { name: 'Hosts', type: 'string', cell: hostsText },
  { name: 'Address', type: 'string', cell: addressText },
  { name: 'Ports', type: 'string', cell: ({ spec }: Ingress) => (spec?.tls?.length ? '80, 443' : '80') },
  { name: 'Age', type: 'string', cell: ({ metadata }: Ingress, nowMs) => age(metadata.creationTimestamp, nowMs) },
]

const backend = fields({
  resource: { ...fields({ apiGroup: text, kind: text, name: text }, ['kind', 'name']), 'x-kubernetes-map-type': 'atomic' },
  service: fields({ name: text, port: { ...fields({ name: text, number: int32 }), 'x-kubernetes-map-type': 'atomic' } }, ['name']),
})
const path = fields({ backend, path: text, pathType: text }, ['backend', 'pathType'])

/** Stored and shown: like a cluster without an ingress controller, nothing here acts on it. */
export const ingressServed: ServedKind<Ingress> = {
  kind: { ...ingressKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema('Ingress says how requests from outside reach services. It needs a controller that acts on it.', {
    spec: fields({
      defaultBackend: backend,
      ingressClassName: text,
      rules: listOf(fields({ host: text, http: fields({ paths: listOf(path) }, ['paths']) })),
      tls: listOf(fields({ hosts: texts, secretName: text })),
    }),
    status: fields({ loadBalancer: fields({ ingress: listOf(fields({ hostname: text, ip: text, ipMode: text, ports: anyList })) }) }),
  }),
  validate: ({ spec = {} }) => [
    ...(!spec.rules?.length && !spec.defaultBackend
      ? [causes.invalid('spec', spec, 'either `defaultBackend` or `rules` must be specified')]
      : []),
    ...(spec.rules ?? []).flatMap(({ http }, index) =>
      (http?.paths ?? []).flatMap((entry, at) => pathCauses(entry, `spec.rules[${index}].http.paths[${at}]`)),
    ),
  ],
}

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']

function pathCauses({ path: text = '', pathType = '' }: { path?: string; pathType?: string }, field: string): Cause[] {
  if (!PATH_TYPES.includes(pathType)) return [causes.notSupported(`${field}.pathType`, pathType, PATH_TYPES)]
  return pathType !== 'ImplementationSpecific' && !text.startsWith('/')
    ? [causes.invalid(`${field}.path`, text, 'must be an absolute path')]
    : []
}

/** How many hosts are shown before the rest is only counted. */
const SHOWN_HOSTS = 3

function hostsText({ spec }: Ingress): string {
  const hosts = (spec?.rules ?? []).flatMap(({ host }) => host || [])
  if (hosts.length === 0) return '*'
  const shown = hosts.slice(0, SHOWN_HOSTS).join(',')
  return hosts.length > SHOWN_HOSTS ? `${shown} + ${hosts.length - SHOWN_HOSTS} more...` : shown
}

function addressText({ status }: Ingress): string {
  return (status?.loadBalancer?.ingress ?? [])
    .map(({ ip, hostname }) => ip || hostname || '')
    .filter(Boolean)
    .join(',')
}
