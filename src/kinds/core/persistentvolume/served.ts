import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { timestamp } from '../../../apimachinery/object.js'
import { canonicalQuantity, compareQuantities } from '../../../apimachinery/quantity.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { anyObject, fields, objectReference, objectSchema, quantities, text, texts, time } from '../schema-parts.js'
import { persistentVolumeKind } from './kind.js'
import { ACCESS_MODES, accessModesText, VOLUME_MODES } from './modes.js'
import { type PersistentVolume, PV_PROTECTION_FINALIZER } from './schema.js'

/** Where a volume can come from: exactly one of these is given. */
const SOURCES = [
  'awsElasticBlockStore',
  'azureDisk',
  'azureFile',
  'cephfs',
  'cinder',
  'csi',
  'fc',
  'flexVolume',
  'flocker',
  'gcePersistentDisk',
  'glusterfs',
  'hostPath',
  'iscsi',
  'local',
  'nfs',
  'photonPersistentDisk',
  'portworxVolume',
  'quobyte',
  'rbd',
  'scaleIO',
  'storageos',
  'vsphereVolume',
]
const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain']

const columns: readonly Column[] = [
  {
    name: 'Capacity',
    type: 'string',
    description: 'What it holds.',
    cell: ({ spec }: PersistentVolume) => spec.capacity?.['storage'] ?? '',
  },
  {
    name: 'Access Modes',
    type: 'string',
    description: 'How it can be mounted.',
    cell: ({ spec }: PersistentVolume) => accessModesText(spec.accessModes),
  },
  {
    name: 'Reclaim Policy',
    type: 'string',
    description: 'What becomes of it once it is released.',
    cell: ({ spec }: PersistentVolume) => spec.persistentVolumeReclaimPolicy ?? '',
  },
  {
    name: 'Status',
    type: 'string',
    description: 'Available, Bound, Released or Failed.',
    cell: ({ status, metadata }: PersistentVolume) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
  },
  {
    name: 'Claim',
    type: 'string',
    description: 'The claim it is bound to.',
    cell: ({ spec: { claimRef } }: PersistentVolume) => (claimRef ? `${claimRef.namespace}/${claimRef.name}` : ''),
  },
  { name: 'StorageClass', type: 'string', description: 'Its class.', cell: ({ spec }: PersistentVolume) => spec.storageClassName ?? '' },
  {
    name: 'VolumeAttributesClass',
    type: 'string',
    description: 'Its class of attributes.',
    cell: ({ spec }: PersistentVolume) => spec.volumeAttributesClassName ?? '<unset>',
  },
  { name: 'Reason', type: 'string', description: 'Why it is as it is.', cell: ({ status }: PersistentVolume) => status?.reason ?? '' },
  { name: 'Age', type: 'string', cell: (volume: PersistentVolume, nowMs) => age(volume.metadata.creationTimestamp, nowMs) },
  {
    name: 'VolumeMode',
    type: 'string',
    priority: 1,
    description: 'Filesystem or Block.',
    cell: ({ spec }: PersistentVolume) => spec.volumeMode ?? '<unset>',
  },
]

export const persistentVolumeServed: ServedKind<PersistentVolume> = {
  kind: { ...persistentVolumeKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  deleteReturnsObject: true,
  generation: false,
  schema: objectSchema(
    'PersistentVolume is a piece of storage that an administrator provides.',
    {
      spec: fields({
        accessModes: texts,
        capacity: quantities,
        claimRef: objectReference,
        mountOptions: texts,
        nodeAffinity: anyObject,
        persistentVolumeReclaimPolicy: text,
        storageClassName: text,
        volumeAttributesClassName: text,
        volumeMode: text,
        ...Object.fromEntries(SOURCES.map((source) => [source, anyObject])),
      }),
      status: fields({ lastPhaseTransitionTime: time, message: text, phase: text, reason: text }),
    },
    ['spec'],
  ),
  defaults({ spec, metadata }, { operation }) {
    spec.persistentVolumeReclaimPolicy ||= 'Retain'
    spec.volumeMode ??= 'Filesystem'
    for (const [name, amount] of Object.entries(spec.capacity ?? {})) spec.capacity![name] = canonicalQuantity(String(amount)) ?? amount
    const hostPath = spec['hostPath'] as { type?: string } | undefined
    if (hostPath) hostPath.type ??= ''
    if (operation === 'CREATE') metadata.finalizers = [...new Set([...(metadata.finalizers ?? []), PV_PROTECTION_FINALIZER])]
  },
  validate: ({ spec }, { old }) => {
    const found = specCauses(spec)
    const source = SOURCES.find((name) => spec[name] !== undefined)
    if (old && source && !isSameJson(spec[source], old.spec[source]))
      found.push(causes.forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'))
    if (old && spec.volumeMode !== old.spec.volumeMode) found.push(causes.invalid('spec.volumeMode', spec.volumeMode, 'field is immutable'))
    return found
  },
  prepare(volume, { operation, nowMs }) {
    if (operation === 'CREATE') volume.status = { phase: 'Pending', lastPhaseTransitionTime: timestamp(nowMs) }
  },
}

function specCauses(spec: PersistentVolume['spec']): Cause[] {
  const found: Cause[] = []
  const { accessModes = [], capacity = {}, persistentVolumeReclaimPolicy: policy, volumeMode } = spec
  if (accessModes.length === 0) found.push(causes.required('spec.accessModes'))
  for (const mode of accessModes)
    if (!ACCESS_MODES.includes(mode)) found.push(causes.notSupported('spec.accessModes', mode, [...ACCESS_MODES].sort()))
  if (Object.keys(capacity).length === 0) found.push(causes.required('spec.capacity'))
  else if (capacity['storage'] === undefined || Object.keys(capacity).length > 1)
    found.push(causes.notSupported('spec.capacity', capacity, ['storage']))
  else if (!(compareQuantities(capacity['storage'], '0') > 0))
    found.push(causes.invalid('spec.capacity[storage]', capacity['storage'], 'must be greater than zero'))
  if (!RECLAIM_POLICIES.includes(policy ?? ''))
    found.push(causes.notSupported('spec.persistentVolumeReclaimPolicy', policy, RECLAIM_POLICIES))
  const sources = SOURCES.filter((name) => spec[name] !== undefined)
  if (sources.length === 0) found.push(causes.required('spec', 'must specify a volume type'))
  for (const extra of sources.slice(1)) found.push(causes.forbidden(`spec.${extra}`, 'may not specify more than 1 volume type'))
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    found.push(causes.notSupported('spec.volumeMode', volumeMode, VOLUME_MODES))
  return found
}
