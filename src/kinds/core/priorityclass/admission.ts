import type { AdmissionPlugin } from '../../../apimachinery/admission-plugin.js'
import { refusals } from '../../../apimachinery/status-error.js'
import type { Pod } from '../pod/schema.js'
import { priorityClassKind } from './kind.js'

/**
 * Gives new Pods the priority that their class, or the default one, stands for, and lets there be only one default.
 * @see kubernetes/kubernetes v1.35 plugin/pkg/admission/priority/admission.go
 */
export const priorities: AdmissionPlugin = {
  mutate(object, { kind, resource, context }) {
    if (resource !== 'pods' || context.operation !== 'CREATE' || context.subresource !== '') return
    const { spec, metadata } = object as Pod
    const named = spec['priorityClassName'] as string | undefined
    const found = named
      ? context.find(priorityClassKind, { name: named })
      : context
          .list(priorityClassKind)
          .filter(({ globalDefault }) => globalDefault)
          .sort((a, b) => a.value - b.value)[0]
    if (named && !found)
      throw refusals.forbidden({ group: kind.group, plural: kind.plural }, metadata.name, `no PriorityClass with name ${named} was found`)
    if (!found) return
    spec['priorityClassName'] = found.metadata.name
    spec['priority'] = found.value
    spec['preemptionPolicy'] = found.preemptionPolicy ?? 'PreemptLowerPriority'
  },
  validate(object, { kind, resource, context }) {
    if (resource !== 'priorityclasses.scheduling.k8s.io' || !(object as { globalDefault?: boolean }).globalDefault) return
    const { name } = object.metadata
    const other = context.list(priorityClassKind).find(({ metadata, globalDefault }) => globalDefault && metadata.name !== name)
    if (!other) return
    const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`
    throw refusals.forbidden({ group: kind.group, plural: kind.plural }, name, why)
  },
}
