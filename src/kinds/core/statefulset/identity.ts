import type { Draft } from '../../../apimachinery/object.js'
import { podFromTemplate } from '../pod/from-template.js'
import type { Pod, PodSpec, PodTemplateSpec } from '../pod/schema.js'
import { type ClaimTemplate, POD_INDEX_LABEL, POD_NAME_LABEL, REVISION_LABEL, type StatefulSet } from './schema.js'

/** The ordinal in a Pod's name; undefined where the name is not one that this set gives. */
export function ordinalOf({ metadata: { name: setName } }: StatefulSet, { metadata: { name } }: Pod): number | undefined {
  const ordinal = name.startsWith(`${setName}-`) ? name.slice(setName.length + 1) : ''
  return /^\d+$/.test(ordinal) ? Number(ordinal) : undefined
}

/** `www-web-0`: one claim for each template and ordinal, which outlives the Pod. */
export function claimName(set: StatefulSet, { metadata }: ClaimTemplate, ordinal: number): string {
  return `${metadata.name}-${set.metadata.name}-${ordinal}`
}

/** @see kubernetes/kubernetes v1.35 pkg/controller/statefulset/stateful_set_utils.go newStatefulSetPod */
export function statefulPod(set: StatefulSet, template: PodTemplateSpec, revisionName: string, ordinal: number): Draft<Pod> {
  const name = `${set.metadata.name}-${ordinal}`
  return podFromTemplate(set, template, {
    name,
    labels: { [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: String(ordinal), [REVISION_LABEL]: revisionName },
    spec: { hostname: name, subdomain: set.spec.serviceName ?? '', volumes: volumesOf(set, template.spec, ordinal) as never },
  })
}

function volumesOf(set: StatefulSet, spec: PodSpec, ordinal: number): PodSpec['volumes'] {
  const claims = set.spec.volumeClaimTemplates ?? []
  if (claims.length === 0) return spec.volumes
  const names = new Set(claims.map(({ metadata }) => metadata.name))
  return [
    ...claims.map((claim) => ({ name: claim.metadata.name, persistentVolumeClaim: { claimName: claimName(set, claim, ordinal) } })),
    ...(spec.volumes ?? []).filter(({ name }) => !names.has(name)),
  ]
}
