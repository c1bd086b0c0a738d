import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { anyList, flag, objectSchema, text, textMap, texts } from '../schema-parts.js'
import { storageClassKind } from './kind.js'
import { isDefaultClass, type StorageClass } from './schema.js'

const RECLAIM_POLICIES = ['Delete', 'Retain']
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer']

/** The default class says so beside its name. */
const name: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  cell: ({ metadata }: StorageClass) => (isDefaultClass(metadata) ? `${metadata.name} (default)` : metadata.name),
}

const columns: readonly Column[] = [
  { name: 'Provisioner', type: 'string', description: 'Who makes its volumes.', cell: ({ provisioner }: StorageClass) => provisioner },
  {
    name: 'ReclaimPolicy',
    type: 'string',
    description: 'What becomes of released volumes.',
    cell: ({ reclaimPolicy }: StorageClass) => reclaimPolicy ?? 'Delete',
  },
  {
    name: 'VolumeBindingMode',
    type: 'string',
    description: 'When claims are bound.',
    cell: ({ volumeBindingMode }: StorageClass) => volumeBindingMode ?? 'Immediate',
  },
  {
    name: 'AllowVolumeExpansion',
    type: 'string',
    description: 'Whether volumes can grow.',
    cell: ({ allowVolumeExpansion }: StorageClass) => String(allowVolumeExpansion ?? false),
  },
  { name: 'Age', type: 'string', cell: (one: StorageClass, nowMs) => age(one.metadata.creationTimestamp, nowMs) },
]

export const storageClassServed: ServedKind<StorageClass> = {
  kind: { ...storageClassKind, columns: [name, ...columns] },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  schema: objectSchema(
    'StorageClass describes a way in which volumes are made.',
    {
      allowVolumeExpansion: flag,
      allowedTopologies: anyList,
      mountOptions: texts,
      parameters: textMap,
      provisioner: { type: 'string', default: '' },
      reclaimPolicy: text,
      volumeBindingMode: text,
    },
    ['provisioner'],
  ),
  defaults(one) {
    one.reclaimPolicy ??= 'Delete'
    one.volumeBindingMode ??= 'Immediate'
  },
  validate(one, { old }) {
    const found: Cause[] = one.provisioner ? [] : [causes.required('provisioner')]
    if (!RECLAIM_POLICIES.includes(one.reclaimPolicy ?? ''))
      found.push(causes.notSupported('reclaimPolicy', one.reclaimPolicy, RECLAIM_POLICIES))
    if (!BINDING_MODES.includes(one.volumeBindingMode ?? ''))
      found.push(causes.notSupported('volumeBindingMode', one.volumeBindingMode, BINDING_MODES))
    if (!old) return found
    if (!isSameJson(one.parameters, old.parameters)) found.push(causes.forbidden('parameters', 'updates to parameters are forbidden.'))
    if (one.provisioner !== old.provisioner) found.push(causes.forbidden('provisioner', 'updates to provisioner are forbidden.'))
    if (one.reclaimPolicy !== old.reclaimPolicy) found.push(causes.forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'))
    if (one.volumeBindingMode !== old.volumeBindingMode)
      found.push(causes.invalid('volumeBindingMode', one.volumeBindingMode, 'field is immutable'))
    return found
  },
}
