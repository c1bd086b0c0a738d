import type { Column } from '../../apimachinery/kind.js'
import type { LabelSelector } from '../../apimachinery/object.js'
import { formatLabelSelector } from '../../apimachinery/selectors.js'
import type { PodTemplateSpec } from './pod/schema.js'

interface Workload {
  spec: { template?: PodTemplateSpec; selector?: LabelSelector }
}

/** Containers, Images and Selector: the wide columns of everything that makes Pods. */
export const workloadColumns: readonly Column[] = [
  {
    name: 'Containers',
    type: 'string',
    priority: 1,
    description: 'Names of the containers.',
    cell: ({ spec }: Workload) => each(spec.template, 'name'),
  },
  {
    name: 'Images',
    type: 'string',
    priority: 1,
    description: 'Images of the containers.',
    cell: ({ spec }: Workload) => each(spec.template, 'image'),
  },
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    description: 'Which Pods are its own.',
    cell: ({ spec }: Workload) => (spec.selector ? formatLabelSelector(spec.selector) || '<none>' : '<none>'),
  },
]

function each(template: PodTemplateSpec | undefined, field: 'name' | 'image'): string {
  return (template?.spec.containers ?? []).map((container) => container[field]).join(',')
}
