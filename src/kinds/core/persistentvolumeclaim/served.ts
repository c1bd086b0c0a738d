import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { compareQuantities } from '../../../apimachinery/quantity.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { ACCESS_MODES, accessModesText, VOLUME_MODES } from '../persistentvolume/modes.js'
import { objectSchema } from '../schema-parts.js'
import { storageClassKind } from '../storageclass/kind.js'
import { isDefaultClass } from '../storageclass/schema.js'
import { claimSpecSchema, claimStatusSchema } from './claim-schema.js'
import { defaultClaimSpec } from './defaults.js'
import { persistentVolumeClaimKind } from './kind.js'
import { type PersistentVolumeClaim, PROTECTION_FINALIZER } from './schema.js'

const IMMUTABLE = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

const columns: readonly Column[] = [
  { name: 'Status', type: 'string', description: 'Pending, Bound or Lost.', cell: statusCell },
  {
    name: 'Volume',
    type: 'string',
    description: 'The volume it is bound to.',
    cell: ({ spec }: PersistentVolumeClaim) => spec.volumeName ?? '',
  },
  {
    name: 'Capacity',
    type: 'string',
    description: 'What the volume holds.',
    cell: ({ spec, status }: PersistentVolumeClaim) => (spec.volumeName ? (status?.capacity?.['storage'] ?? '0') : ''),
  },
  {
    name: 'Access Modes',
    type: 'string',
    description: 'How the volume can be mounted.',
    cell: ({ spec, status }: PersistentVolumeClaim) => (spec.volumeName ? accessModesText(status?.accessModes) : ''),
  },
  {
    name: 'StorageClass',
    type: 'string',
    description: 'The class it asks for.',
    cell: ({ spec, metadata }: PersistentVolumeClaim) =>
      metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '',
  },
  {
    name: 'VolumeAttributesClass',
    type: 'string',
    description: 'The class of attributes it asks for.',
    cell: ({ spec }: PersistentVolumeClaim) => spec.volumeAttributesClassName ?? '<unset>',
  },
  { name: 'Age', type: 'string', cell: (claim: PersistentVolumeClaim, nowMs) => age(claim.metadata.creationTimestamp, nowMs) },
  {
    name: 'VolumeMode',
    type: 'string',
    priority: 1,
    description: 'Filesystem or Block.',
    cell: ({ spec }: PersistentVolumeClaim) => spec.volumeMode ?? '<unset>',
  },
]

export const persistentVolumeClaimServed: ServedKind<PersistentVolumeClaim> = {
  kind: { ...persistentVolumeClaimKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  deleteReturnsObject: true,
  generation: false,
  schema: objectSchema('PersistentVolumeClaim asks for a persistent volume.', { spec: claimSpecSchema, status: claimStatusSchema }, [
    'spec',
  ]),
  defaults({ spec, metadata }, { operation, list }) {
    defaultClaimSpec(spec)
    if (operation !== 'CREATE') return
    // What the admission plugins StorageObjectInUseProtection and DefaultStorageClass do.
    metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), PROTECTION_FINALIZER])]
    const defaults = list(storageClassKind)
      .filter((one) => isDefaultClass(one.metadata))
      .sort((a, b) => Date.parse(b.metadata.creationTimestamp ?? '') - Date.parse(a.metadata.creationTimestamp ?? ''))
    if (spec.storageClassName === undefined && defaults[0]) spec.storageClassName = defaults[0].metadata.name
  },
  validate: (claim, { old }) => [...specCauses(claim), ...(old ? updateCauses(claim, old) : [])],
  prepare(claim, { operation }) {
    if (operation === 'CREATE') claim.status = { phase: 'Pending' }
  },
}

function specCauses({ spec }: PersistentVolumeClaim): Cause[] {
  const found: Cause[] = []
  const { accessModes = [], resources, volumeMode } = spec
  if (accessModes.length === 0) found.push(causes.required('spec.accessModes', 'at least 1 access mode is required'))
  for (const mode of accessModes)
    if (!ACCESS_MODES.includes(mode)) found.push(causes.notSupported('spec.accessModes', mode, [...ACCESS_MODES].sort()))
  if (accessModes.includes('ReadWriteOncePod') && accessModes.length > 1)
    found.push(causes.forbidden('spec.accessModes', 'may not use ReadWriteOncePod with other access modes'))
  const storage = resources?.requests?.['storage']
  if (storage === undefined) found.push(causes.required('spec.resources[storage]'))
  else if (!(compareQuantities(storage, '0') > 0))
    found.push(causes.invalid('spec.resources[storage]', storage, 'must be greater than zero'))
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    found.push(causes.notSupported('spec.volumeMode', volumeMode, VOLUME_MODES))
  return found
}

/** A bound claim may ask for more; the volume it is bound to is the binder's to write, once. */
function updateCauses({ spec, status }: PersistentVolumeClaim, { spec: old }: PersistentVolumeClaim): Cause[] {
  const isBound = status?.phase === 'Bound'
  const next = {
    ...spec,
    ...(!old.volumeName && { volumeName: undefined }),
    ...(old.storageClassName === undefined && { storageClassName: undefined }),
    ...(isBound && {
      resources: { ...spec.resources, requests: old.resources?.requests },
      volumeAttributesClassName: old.volumeAttributesClassName,
    }),
  }
  if (!isSameJson(next, old)) return [causes.forbidden('spec', IMMUTABLE)]
  const [before, after] = [old.resources?.requests?.['storage'], spec.resources?.requests?.['storage']]
  return isBound && compareQuantities(after ?? '0', before ?? '0') < 0
    ? [causes.forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity')]
    : []
}

function statusCell({ status, metadata }: PersistentVolumeClaim): string {
  return metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')
}
