import type { Verb } from '../apimachinery/call.js'
import { groupResource, groupVersion, type Kind, type ServedKind } from '../apimachinery/kind.js'
import type { ResourceName } from '../apimachinery/status-error.js'
import { createReading, type Reading } from './crd/reading.js'

/** A served kind with everything the verbs ask for on every call worked out once. */
export interface Resource {
  served: ServedKind
  kind: Kind
  /** Under which name the store keeps it: `services.serving.knative.dev`. */
  stored: string
  /** `serving.knative.dev/v1`. */
  apiVersion: string
  name: ResourceName
  listKind: string
  verbs: ReadonlySet<string>
  /** Labels that a field selector may use. */
  fieldLabels: ReadonlySet<string>
  /** Of user-defined kinds, and of versions that are not stored: how their objects are read from and written to the store. */
  reading?: Reading
  /** Stored, but not served to callers from outside: a version that a definition has switched off. */
  isHidden?: boolean
  /** Its definition is being deleted: nothing new may be made. */
  isTerminating?: boolean
  /** What ends the watches that are open now. */
  watches?: Set<() => void>
}

const USUAL_VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

export function resourceOf(served: ServedKind): Resource {
  const { kind, storedAs, schema } = served
  const apiVersion = groupVersion(kind)
  return {
    served,
    kind,
    stored: storedAs?.resource ?? groupResource(kind),
    apiVersion,
    name: { group: kind.group, plural: kind.plural },
    listKind: kind.listKind ?? `${kind.kind}List`,
    verbs: new Set(served.verbs ?? USUAL_VERBS),
    fieldLabels: new Set(['metadata.name', 'metadata.namespace', ...Object.keys(served.fieldSelectors ?? {})]),
    ...(storedAs && {
      reading: createReading({
        apiVersion,
        storageApiVersion: storedAs.apiVersion,
        schema,
        convert: (objects, wanted) => objects.map((object) => (object.apiVersion === wanted ? object : storedAs.convert(object, wanted))),
        isRemote: false,
      }),
    }),
  }
}

/** The kind whose objects other objects live in. */
export const NAMESPACES = 'namespaces'
