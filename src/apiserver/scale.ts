import { causes } from '../apimachinery/causes.js'
import { isJsonObject, type JsonObject, ownValue, setValue } from '../apimachinery/json.js'
import type { Kind } from '../apimachinery/kind.js'
import type { KubeObject, LabelSelector, Unstructured } from '../apimachinery/object.js'
import { formatLabelSelector } from '../apimachinery/selectors.js'
import { refusals } from '../apimachinery/status-error.js'
import type { Resource } from './resource.js'

/** autoscaling/v1 Scale: how many replicas an object of any scalable kind has and should have. */
export interface Scale extends KubeObject {
  spec: { replicas?: number }
  status: { replicas: number; selector?: string }
}

/** The Scale of an object; throws 404 for a kind that has none. */
export function scaleOf({ kind }: Resource, object: KubeObject): Scale {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scalePaths(kind)
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = valueAt(object, specReplicasPath)
  const actual = valueAt(object, statusReplicasPath)
  const selector = labelSelectorPath === undefined ? undefined : selectorText(valueAt(object, labelSelectorPath))
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(uid && { uid }),
      ...(resourceVersion && { resourceVersion }),
      ...(creationTimestamp && { creationTimestamp }),
    },
    spec: typeof replicas === 'number' && replicas !== 0 ? { replicas } : {},
    status: { replicas: typeof actual === 'number' ? actual : 0, ...(selector && { selector }) },
  }
}

/** The object as a Scale that a caller sent wants it. Throws 400 or 422 for a Scale that makes no sense. */
export function scaledObject({ kind }: Resource, object: KubeObject, sent: unknown): Unstructured {
  const { specReplicasPath } = scalePaths(kind)
  if (!isJsonObject(sent) || (sent['kind'] !== undefined && sent['kind'] !== 'Scale'))
    throw refusals.badRequest('the object provided is unrecognized (must be of type Scale)')
  const metadata = isJsonObject(sent['metadata']) ? sent['metadata'] : {}
  const { name, namespace, resourceVersion } = object.metadata
  if (metadata['name'] && metadata['name'] !== name)
    throw refusals.badRequest(`the name of the object (${String(metadata['name'])}) does not match the name on the URL (${name})`)
  if (metadata['namespace'] && metadata['namespace'] !== namespace)
    throw refusals.badRequest('the namespace of the provided object does not match the namespace sent on the request')
  const replicas = (isJsonObject(sent['spec']) ? sent['spec']['replicas'] : undefined) ?? 0
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    throw refusals.badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be an integer')
  if (replicas < 0)
    throw refusals.invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      causes.invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ])
  const scaled = withValueAt(object, pathOf(specReplicasPath), replicas) as Unstructured
  const version =
    typeof metadata['resourceVersion'] === 'string' && metadata['resourceVersion'] ? metadata['resourceVersion'] : resourceVersion
  return { ...scaled, metadata: { ...scaled.metadata, ...(version && { resourceVersion: version }) } }
}

function scalePaths(kind: Kind): NonNullable<Kind['scale']> {
  if (!kind.scale) throw refusals.noSuchResource()
  return kind.scale
}

/** `.spec.replicas`, as CustomResourceDefinitions write it. */
const pathOf = (path: string): string[] => path.split('.').filter((part) => part !== '')

function valueAt(object: object, path: string): unknown {
  return pathOf(path).reduce<unknown>((value, key) => (isJsonObject(value) ? ownValue(value, key) : undefined), object)
}

function withValueAt(object: object, [key, ...rest]: readonly string[], value: unknown): JsonObject {
  const copy = { ...object } as JsonObject
  if (key === undefined) return copy
  const inner = ownValue(copy, key)
  setValue(copy, key, rest.length === 0 ? value : withValueAt(isJsonObject(inner) ? inner : {}, rest, value))
  return copy
}

/** Custom resources keep a text, built-in kinds a LabelSelector. */
function selectorText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (!isJsonObject(value)) return undefined
  // A ReplicationController's is the labels alone.
  const isPlain = Object.values(value).every((member) => typeof member === 'string')
  return formatLabelSelector(isPlain ? { matchLabels: value as Record<string, string> } : (value as LabelSelector))
}
