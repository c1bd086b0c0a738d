import type { CustomResourceDefinition, DefinedVersion } from '../../../apimachinery/custom-resource.js'
import { groupResource, type ServedKind } from '../../../apimachinery/kind.js'
import type { Draft } from '../../../apimachinery/object.js'
import type { Schema } from '../../../apimachinery/schema.js'
import { OWN_DEFINITION } from './schema.js'

/** Which part of Knative a group belongs to; kinds of other groups have no definition on a cluster either. */
const PARTS: readonly (readonly [suffix: RegExp, part: 'serving' | 'eventing'])[] = [
  [/(^|\.)(serving|autoscaling|networking|caching)(\.internal)?\.knative\.dev$/, 'serving'],
  [/(^|\.)(eventing|messaging|sources|flows|sinks)\.knative\.dev$/, 'eventing'],
]

/** Patch hints of built-in types, which mean nothing in a definition. */
const NOT_IN_DEFINITIONS: ReadonlySet<string> = new Set(['x-kubernetes-patch-merge-key', 'x-kubernetes-patch-strategy'])

/** What the definitions of the kinds that the program serves itself are called. */
export function ownDefinitionNames(kinds: readonly ServedKind[]): string[] {
  return [...byDefinition(kinds).keys()]
}

function byDefinition(kinds: readonly ServedKind[]): Map<string, ServedKind[]> {
  const byResource = new Map<string, ServedKind[]>()
  for (const served of kinds) {
    if (served.builtIn || !partOf(served)) continue
    const name = groupResource(served.kind)
    byResource.set(name, [...(byResource.get(name) ?? []), served])
  }
  return byResource
}

/**
 * The CustomResourceDefinitions that a cluster with Knative has, made from the kinds that this program serves itself:
 * kn, Helm and others list them to see what is there. `versions` are those of Knative's releases (`v1.23.0`).
 */
export function ownDefinitions(
  kinds: readonly ServedKind[],
  versions: { serving: string; eventing: string },
): Draft<CustomResourceDefinition>[] {
  return [...byDefinition(kinds)].map(([name, ofResource]) => {
    const { kind } = ofResource[0]!
    const part = partOf(ofResource[0]!)!
    return {
      metadata: {
        name,
        labels: {
          'app.kubernetes.io/name': `knative-${part}`,
          'app.kubernetes.io/version': versions[part].replace(/^v/, ''),
          'knative.dev/crd-install': 'true',
          ...kind.definitionLabels,
        },
        annotations: { [OWN_DEFINITION]: 'true' },
      },
      spec: {
        group: kind.group,
        names: {
          kind: kind.kind,
          listKind: kind.listKind ?? `${kind.kind}List`,
          plural: kind.plural,
          singular: kind.singular,
          ...(kind.shortNames && { shortNames: [...kind.shortNames] }),
          ...(kind.categories && { categories: [...kind.categories] }),
        },
        scope: kind.namespaced ? 'Namespaced' : 'Cluster',
        conversion: { strategy: 'None' },
        versions: ofResource.map(versionFrom),
      },
    }
  })
}

function partOf({ kind }: ServedKind): 'serving' | 'eventing' | undefined {
  return PARTS.find(([suffix]) => suffix.test(kind.group))?.[1]
}

function versionFrom({ kind, schema, storedAs, deprecationWarning }: ServedKind): DefinedVersion {
  const columns = (kind.columns ?? []).flatMap(({ name, type, description, priority, jsonPath }) =>
    jsonPath === undefined
      ? []
      : [{ name, type, jsonPath, ...(description !== undefined && { description }), ...(priority !== undefined && { priority }) }],
  )
  return {
    name: kind.version,
    served: true,
    storage: !storedAs,
    ...(deprecationWarning && { deprecated: true, deprecationWarning }),
    schema: { openAPIV3Schema: plain(schema) },
    subresources: { ...(kind.status && { status: {} }), ...(kind.scale && { scale: kind.scale }) },
    ...(columns.length > 0 && { additionalPrinterColumns: columns }),
  }
}

function plain(schema: Schema): Schema {
  const kept = Object.entries(schema).filter(([key]) => !NOT_IN_DEFINITIONS.has(key))
  return Object.fromEntries(
    kept.map(([key, value]) => {
      if (key === 'properties') {
        const children = Object.entries(value as Record<string, Schema>)
        return [key, Object.fromEntries(children.map(([name, child]) => [name, plain(child)]))]
      }
      if ((key === 'items' || key === 'additionalProperties') && value !== true) return [key, plain(value as Schema)]
      return [key, value]
    }),
  )
}
