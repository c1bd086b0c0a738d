import type { CallOptions } from '../apimachinery/call.js'
import type { KubeObject } from '../apimachinery/object.js'
import { matchesFields, parseFieldSelector, parseLabelSelector } from '../apimachinery/selectors.js'
import type { Resource } from './resource.js'

/** What a list or watch asked for. */
export interface Selection {
  /** No selector was given: everything matches. */
  all: boolean
  matches(object: KubeObject): boolean
}

const EVERYTHING: Selection = { all: true, matches: () => true }

/** Throws 400 for a selector that cannot be read, or a field that the kind does not offer. */
export function selectionFor(resource: Resource, { labelSelector, fieldSelector }: CallOptions): Selection {
  if (!labelSelector && !fieldSelector) return EVERYTHING
  const byLabels = labelSelector ? parseLabelSelector(labelSelector) : undefined
  const requirements = fieldSelector ? parseFieldSelector(fieldSelector, resource.fieldLabels) : undefined
  return {
    all: false,
    matches(object) {
      if (byLabels && !byLabels(object.metadata.labels)) return false
      return !requirements || matchesFields(requirements, (label) => fieldOf(resource, object, label))
    },
  }
}

function fieldOf(resource: Resource, object: KubeObject, label: string): string {
  if (label === 'metadata.name') return object.metadata.name
  if (label === 'metadata.namespace') return object.metadata.namespace ?? ''
  return resource.served.fieldSelectors?.[label]?.(object) ?? ''
}
