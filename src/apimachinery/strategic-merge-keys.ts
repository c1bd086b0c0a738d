import type { Schema } from './schema.js'

/** How a field is merged: lists by `key` (or, without one, as a set of primitives) when `merges`, else replaced. */
export interface MergeRule {
  merges: boolean
  key?: string
}

const REPLACE: MergeRule = { merges: false }
const PRIMITIVES: MergeRule = { merges: true }
const by = (key: string): MergeRule => ({ merges: true, key })

/** Fields of PodSpec, Container and status that have the same key wherever they stand. */
const BY_FIELD: Readonly<Record<string, MergeRule>> = {
  containers: by('name'),
  initContainers: by('name'),
  ephemeralContainers: by('name'),
  imagePullSecrets: by('name'),
  hostAliases: by('ip'),
  volumes: by('name'),
  topologySpreadConstraints: by('topologyKey'),
  schedulingGates: by('name'),
  env: by('name'),
  volumeMounts: by('mountPath'),
  volumeDevices: by('devicePath'),
  podIPs: by('ip'),
  hostIPs: by('ip'),
  webhooks: by('name'),
}

/** Fields that mean something else in another place, by the field they stand in. */
const BY_PARENT: Readonly<Record<string, MergeRule>> = {
  'metadata.ownerReferences': by('uid'),
  'metadata.finalizers': PRIMITIVES,
  'status.conditions': by('type'),
}

/** Fields that are merged in one resource only. */
const BY_RESOURCE: Readonly<Record<string, MergeRule>> = {
  'services ports': by('port'),
  'endpoints ports': REPLACE,
  'endpointslices ports': REPLACE,
  'serviceaccounts secrets': by('name'),
  'nodes addresses': by('type'),
  'nodes podCIDRs': PRIMITIVES,
}

/**
 * The merge rule of a list: what its schema says, else what Kubernetes' own types say about a field of that name.
 * @see kubernetes/api v0.35, the patchStrategy and patchMergeKey tags
 */
export function mergeRule(schema: Schema | undefined, field: string, parent: string, resource: string): MergeRule {
  const strategy = schema?.['x-kubernetes-patch-strategy']
  if (strategy !== undefined) {
    const key = schema?.['x-kubernetes-patch-merge-key']
    return { merges: strategy.split(',').includes('merge'), ...(key !== undefined && { key }) }
  }
  if (schema?.['x-kubernetes-list-type'] === 'atomic') return REPLACE
  const [plural] = resource.split('.')
  return (
    BY_RESOURCE[`${plural} ${field}`] ??
    BY_PARENT[`${parent}.${field}`] ??
    (field === 'ports' ? by('containerPort') : Object.hasOwn(BY_FIELD, field) ? BY_FIELD[field]! : REPLACE)
  )
}

/** Whether a map is replaced as a whole instead of merged. */
export function isReplaced(schema: Schema | undefined): boolean {
  return schema?.['x-kubernetes-patch-strategy']?.split(',').includes('replace') ?? false
}
