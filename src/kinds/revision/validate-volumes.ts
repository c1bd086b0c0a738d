import { posix } from 'node:path'
import { also, type FieldError, fieldError, findings, viaField, viaIndex } from '../../apimachinery/field-error.js'
import { dns1123Label } from '../../apimachinery/names.js'
import type { Container, PodSpec } from '../core/pod/schema.js'
import type { ReadConfigMap } from '../serving-config.js'
import { onlyFields, podSpecFlag } from './validate-fields.js'

/**
 * Volumes and their mounts, as Serving's webhook judges them.
 * @see knative/serving v1.23 pkg/apis/serving/k8s_validation.go
 */

export type Volume = NonNullable<PodSpec['volumes']>[number]
type Item = Record<string, unknown>

/** A finding that names no path: the text ends in a colon and a space, as Knative prints it. */
const withoutPath = (message: string): FieldError => fieldError(message, [])

/** Paths are relative to `volumes`. */
export function validateVolumes(
  volumes: readonly Volume[],
  mounted: ReadonlySet<string>,
  configMap: ReadConfigMap,
): FieldError | undefined {
  const seen = new Set<string>()
  return also(
    ...volumes.map((volume, index) => {
      const isDuplicate = seen.has(volume.name)
      seen.add(volume.name)
      return viaIndex(
        index,
        also(
          isDuplicate ? fieldError(`duplicate volume name "${volume.name}"`, 'name') : undefined,
          mounted.has(volume.name) ? undefined : fieldError(`volume with name "${volume.name}" not mounted`, 'name'),
          validateVolume(volume, configMap),
        ),
      )
    }),
  )
}

/** Volume kinds behind a flag, with the word that the refusal uses. */
const GATED_KINDS = [
  { field: 'emptyDir', flag: 'volumes-emptydir', word: 'EmptyDir' },
  { field: 'hostPath', flag: 'volumes-hostpath', word: 'HostPath' },
  { field: 'csi', flag: 'volumes-csi', word: 'CSI' },
  { field: 'ephemeral', flag: 'volumes-ephemeral', word: 'Ephemeral' },
  { field: 'image', flag: 'volumes-image', word: 'Image' },
] as const

const SOURCES = ['secret', 'configMap', 'projected', 'emptyDir', 'hostPath', 'persistentVolumeClaim', 'csi', 'ephemeral', 'image'] as const

function validateVolume(volume: Volume, configMap: ReadConfigMap): FieldError | undefined {
  const isOn = (flag: string): boolean => podSpecFlag(configMap, flag) === 'Enabled'
  const refusals = GATED_KINDS.filter(({ field, flag }) => volume[field] && !isOn(flag)).map(({ word }) =>
    withoutPath(`${word} volume support is disabled, but found ${word} volume ${volume.name}`),
  )
  const specified = SOURCES.filter((field) => volume[field])
  const allowed = SOURCES.filter((field) => {
    const gate = GATED_KINDS.find((kind) => kind.field === field)
    if (field === 'persistentVolumeClaim') return isOn('persistent-volume-claim')
    return !gate || isOn(gate.flag)
  })
  const name = !volume.name
    ? findings.missingField('name')
    : dns1123Label(volume.name).length > 0
      ? findings.invalidValue(volume.name, 'name')
      : undefined
  return also(
    validateClaim(volume['persistentVolumeClaim'] as Item | undefined, isOn),
    ...refusals,
    onlyFields(volume, ['name', ...SOURCES]),
    name,
    ...['secret', 'configMap'].map((field) => validateItems((volume[field] as { items?: Item[] } | undefined)?.items)),
    ...((volume['projected'] as { sources?: Item[] } | undefined)?.sources ?? []).map((source, index) =>
      viaField(`projected[${index}]`, validateProjection(source)),
    ),
    volume['emptyDir'] ? viaField('emptyDir', validateEmptyDir(volume['emptyDir'] as Item)) : undefined,
    specified.length === 0 ? findings.missingOneOf(...allowed) : undefined,
    specified.length > 1 ? findings.multipleOneOf(...specified) : undefined,
  )
}

function validateClaim(claim: Item | undefined, isOn: (flag: string) => boolean): FieldError | undefined {
  if (!claim) return undefined
  const name = String(claim['claimName'] ?? '')
  return also(
    isOn('persistent-volume-claim')
      ? undefined
      : withoutPath(`Persistent volume claim support is disabled, but found persistent volume claim ${name}`),
    claim['readOnly'] || isOn('persistent-volume-write')
      ? undefined
      : withoutPath(`Persistent volume write support is disabled, but found persistent volume claim ${name} that is not read-only`),
  )
}

function validateEmptyDir(dir: Item): FieldError | undefined {
  const { medium, sizeLimit } = dir
  return also(
    medium && medium !== 'Memory' ? findings.invalidValue(medium, 'medium') : undefined,
    sizeLimit !== undefined && String(sizeLimit).startsWith('-') ? findings.invalidValue(sizeLimit, 'sizeLimit') : undefined,
  )
}

function validateItems(items: readonly Item[] | undefined): FieldError | undefined {
  return also(
    ...(items ?? []).map((item, index) =>
      viaField(
        `items[${index}]`,
        also(item['key'] ? undefined : findings.missingField('key'), item['path'] ? undefined : findings.missingField('path')),
      ),
    ),
  )
}

const PROJECTIONS = ['secret', 'configMap', 'serviceAccountToken', 'downwardAPI'] as const

function validateProjection(source: Item): FieldError | undefined {
  const specified = PROJECTIONS.filter((field) => source[field])
  const part = (field: (typeof PROJECTIONS)[number]): (Item & { items?: Item[] }) | undefined =>
    source[field] as (Item & { items?: Item[] }) | undefined
  const named = (['secret', 'configMap'] as const).map((field) => {
    const projection = part(field)
    return projection
      ? viaField(field, also(projection['name'] ? undefined : findings.missingField('name'), validateItems(projection.items)))
      : undefined
  })
  const token = part('serviceAccountToken')
  return also(
    onlyFields(source, PROJECTIONS),
    ...named,
    token && !token['path'] ? viaField('serviceAccountToken', findings.missingField('path')) : undefined,
    viaField(
      'downwardAPI',
      also(...(part('downwardAPI')?.items ?? []).map((item, index) => viaField(`items[${index}]`, validateDownward(item)))),
    ),
    specified.length === 0 ? findings.missingOneOf(...PROJECTIONS) : undefined,
    specified.length > 1 ? findings.multipleOneOf(...specified) : undefined,
  )
}

function validateDownward(item: Item): FieldError | undefined {
  return also(
    !item['fieldRef'] && !item['resourceFieldRef'] ? findings.missingOneOf('fieldRef', 'resourceFieldRef') : undefined,
    item['fieldRef'] && item['resourceFieldRef']
      ? fieldError('Within a single item, cannot set both', ['resourceFieldRef', 'fieldRef'])
      : undefined,
    item['path'] ? undefined : findings.missingField('path'),
  )
}

const RESERVED_PATHS: ReadonlySet<string> = new Set(['/', '/dev', '/dev/log'])

/** Go's path.Clean: no trailing slash, an empty path is a dot. */
const clean = (path: string): string => {
  const normal = posix.normalize(path)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

/** Paths are relative to `volumeMounts`. */
export function validateMounts(
  mounts: NonNullable<Container['volumeMounts']>,
  volumes: readonly Volume[],
  configMap: ReadConfigMap,
): FieldError | undefined {
  const seen = new Set<string>()
  const mayPropagate = podSpecFlag(configMap, 'volumes-mount-propagation') !== 'Disabled'
  const allowed = ['name', 'readOnly', 'mountPath', 'subPath', ...(mayPropagate ? ['mountPropagation'] : [])]
  return also(
    ...mounts.map((mount, index) => {
      const volume = volumes.find((candidate) => candidate.name === mount.name)
      const path = mount.mountPath ? clean(mount.mountPath) : ''
      const isRepeated = seen.has(path)
      seen.add(path)
      const propagation = (mount as Item)['mountPropagation']
      return viaIndex(
        index,
        also(
          onlyFields(mount, allowed),
          mayPropagate && propagation && propagation !== 'None' && propagation !== 'HostToContainer'
            ? findings.invalidValue(propagation, 'mountPropagation')
            : undefined,
          volume ? undefined : fieldError('volumeMount has no matching volume', 'name'),
          validateMountPath(mount.mountPath, path, isRepeated),
          validateReadOnly(mount.readOnly, volume),
        ),
      )
    }),
  )
}

function validateMountPath(mountPath: string, path: string, isRepeated: boolean): FieldError | undefined {
  if (!mountPath) return findings.missingField('mountPath')
  if (RESERVED_PATHS.has(path)) return fieldError(`mountPath "${path}" is a reserved path`, 'mountPath')
  if (!mountPath.startsWith('/')) return findings.invalidValue(mountPath, 'mountPath')
  return isRepeated ? findings.invalidValue(`"${mountPath}" must be unique`, 'mountPath') : undefined
}

function validateReadOnly(readOnly: boolean | undefined, volume: Volume | undefined): FieldError | undefined {
  const claim = volume?.['persistentVolumeClaim'] as Item | undefined
  if (claim) return claim['readOnly'] && !readOnly ? fieldError('volume is readOnly but volume mount is not', 'readOnly') : undefined
  if (readOnly || volume?.['emptyDir'] || volume?.['ephemeral']) return undefined
  return fieldError('volume mount should be readOnly for this type of volume', 'readOnly')
}
