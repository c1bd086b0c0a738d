import { controllerReference, type Draft, type KubeObject } from '../../../apimachinery/object.js'
import { asJson } from '../../../controller/same-json.js'
import type { Pod, PodSpec, PodTemplateSpec } from './schema.js'

/**
 * A Pod to be made of an owner's template, with what its controller adds to it.
 * @see kubernetes/kubernetes v1.35 pkg/controller/controller_utils.go GetPodFromTemplate
 */
export function podFromTemplate(
  owner: KubeObject,
  { metadata = {}, spec }: PodTemplateSpec,
  more: {
    /** Its whole name; absent: `generateName` and five more characters, by default the owner's name with a hyphen. */
    name?: string
    generateName?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
    finalizers?: readonly string[]
    spec?: Partial<PodSpec>
  } = {},
): Draft<Pod> {
  const { labels = {}, annotations = {}, finalizers = [] } = metadata
  const naming = more.name ? { name: more.name } : { generateName: more.generateName ?? `${owner.metadata.name}-` }
  const present = <T extends object>(values: T): T | undefined => (Object.keys(values).length > 0 ? values : undefined)
  return asJson({
    metadata: {
      ...naming,
      namespace: owner.metadata.namespace,
      labels: present({ ...labels, ...more.labels }),
      annotations: present({ ...annotations, ...more.annotations }),
      finalizers: present([...new Set([...finalizers, ...(more.finalizers ?? [])])]),
      ownerReferences: [controllerReference(owner)],
    },
    spec: { ...spec, ...more.spec },
  }) as Draft<Pod>
}
