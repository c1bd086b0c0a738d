import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { isSameJson } from '../../../controller/same-json.js'
import { anyObject, int64, objectSchema } from '../schema-parts.js'
import { controllerRevisionKind } from './kind.js'
import type { ControllerRevision } from './schema.js'

const columns: readonly Column[] = [
  { name: 'Controller', type: 'string', description: 'Controller of the object.', cell: controllerCell },
  { name: 'Revision', type: 'string', description: 'Revision of the data.', cell: ({ revision }: ControllerRevision) => String(revision) },
  { name: 'Age', type: 'string', cell: (revision: ControllerRevision, nowMs) => age(revision.metadata.creationTimestamp, nowMs) },
]

export const controllerRevisionServed: ServedKind<ControllerRevision> = {
  kind: { ...controllerRevisionKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  schema: objectSchema('ControllerRevision keeps a state of a StatefulSet or DaemonSet that it may return to.', {
    data: anyObject,
    revision: { ...int64, default: 0 },
  }),
  validate({ data, revision }, { old }) {
    const found = revision < 0 ? [causes.invalid('revision', revision, 'must be greater than or equal to 0')] : []
    if (data === undefined) found.push(causes.required('data', 'data is mandatory'))
    if (old && !isSameJson(old.data, data)) found.push(causes.invalid('data', data, 'field is immutable'))
    return found
  },
}

function controllerCell({ metadata }: ControllerRevision): string {
  const controller = metadata.ownerReferences?.find((owner) => owner.controller)
  if (!controller) return '<none>'
  const group = controller.apiVersion.includes('/') ? `.${controller.apiVersion.split('/')[0]}` : ''
  return `${controller.kind.toLowerCase()}${group}/${controller.name}`
}
