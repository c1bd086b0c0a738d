import type { Kind, ServedKind } from '../apimachinery/kind.js'
import { objectMetaSchema } from '../apimachinery/object-meta-schema.js'
import type { Schema } from '../apimachinery/schema.js'

/** A schema as it is published: with references, and with the extensions that name its kind. */
export type PublishedSchema = Omit<Schema, 'properties' | 'items' | 'additionalProperties' | 'allOf'> & {
  properties?: Readonly<Record<string, PublishedSchema>>
  items?: PublishedSchema
  additionalProperties?: PublishedSchema | true
  $ref?: string
  allOf?: readonly PublishedSchema[]
  'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[]
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
export const OBJECT_META = `${META}.ObjectMeta`
export const LIST_META = `${META}.ListMeta`
export const STATUS = `${META}.Status`

/** Descriptions of the fields every object has, for `kubectl explain`. */
const API_VERSION: Schema = {
  type: 'string',
  description:
    'The versioned schema of this representation of an object. Servers convert recognized schemas to the latest internal value and may reject unrecognized ones.',
}
const KIND: Schema = { type: 'string', description: 'The REST resource this object represents. In CamelCase. Cannot be updated.' }

/**
 * The name of a kind's schema: `io.k8s.api.core.v1.Pod` for built-in kinds, the reversed group for custom resources
 * (`dev.knative.serving.v1.Service`).
 */
export function schemaName({ group, version, kind }: Pick<Kind, 'group' | 'version' | 'kind'>): string {
  const isBuiltIn = !group.includes('.') || group.endsWith('.k8s.io')
  if (isBuiltIn) return `io.k8s.api.${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`
}

/** The schemas of some kinds by name, and those they refer to. `reference` makes the text of a reference from a name. */
export function publishedSchemas(kinds: readonly ServedKind[], reference: (name: string) => string): Record<string, PublishedSchema> {
  const schemas: Record<string, PublishedSchema> = {
    [OBJECT_META]: objectMetaSchema as PublishedSchema,
    [LIST_META]: {
      type: 'object',
      description: 'ListMeta describes metadata that lists have.',
      properties: {
        continue: { type: 'string', description: 'A token for the next page, when there is one.' },
        remainingItemCount: { type: 'integer', format: 'int64', description: 'How many items follow on later pages.' },
        resourceVersion: { type: 'string', description: 'The version of the list, for watches. Read-only.' },
        selfLink: { type: 'string', description: 'Deprecated: no longer set by the server.' },
      },
    },
    [STATUS]: {
      type: 'object',
      description: 'Status is what a call answers that does not answer an object.',
      properties: {
        apiVersion: API_VERSION,
        code: { type: 'integer', format: 'int32', description: 'The suggested HTTP status code; 0 if not set.' },
        details: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, description: 'What the reason is about.' },
        kind: KIND,
        message: { type: 'string', description: 'A description for a person.' },
        metadata: { description: 'Standard list metadata.', allOf: [{ $ref: reference(LIST_META) }] },
        reason: { type: 'string', description: 'A description for a machine.' },
        status: { type: 'string', description: 'Success or Failure.' },
      },
      'x-kubernetes-group-version-kind': [{ group: '', version: 'v1', kind: 'Status' }],
    },
  }
  for (const { kind, schema: evaluated, publishedSchema: schema = evaluated } of kinds) {
    const name = schemaName(kind)
    schemas[name] = objectSchema(kind, schema, reference)
    schemas[`${name}List`] = {
      type: 'object',
      description: `${kind.kind}List is a list of ${kind.kind}`,
      required: ['items'],
      properties: {
        apiVersion: API_VERSION,
        items: { type: 'array', description: `List of ${kind.plural}.`, items: { $ref: reference(name) } },
        kind: KIND,
        metadata: { description: 'Standard list metadata.', allOf: [{ $ref: reference(LIST_META) }] },
      },
      'x-kubernetes-group-version-kind': [{ ...gvk(kind), kind: `${kind.kind}List` }],
    }
  }
  return schemas
}

export function gvk({ group, version, kind }: Pick<Kind, 'group' | 'version' | 'kind'>): { group: string; version: string; kind: string } {
  return { group, version, kind }
}

function objectSchema(kind: Kind, schema: Schema, reference: (name: string) => string): PublishedSchema {
  return {
    type: 'object',
    ...(schema as PublishedSchema),
    properties: {
      apiVersion: API_VERSION,
      kind: KIND,
      metadata: { description: 'Standard object metadata.', allOf: [{ $ref: reference(OBJECT_META) }] },
      ...(without(schema.properties ?? {}, ['apiVersion', 'kind', 'metadata']) as Record<string, PublishedSchema>),
    },
    'x-kubernetes-group-version-kind': [gvk(kind)],
  }
}

function without<T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)))
}

/**
 * Whether every object of the schema says which fields it has. kubectl computes strategic merge patches from a published
 * schema and stumbles over maps and lists in parts that are left open.
 */
export function describesEverything(schema: Schema): boolean {
  if (schema['x-kubernetes-preserve-unknown-fields']) return false
  if (schema.type === 'object' && !schema.properties && !schema.additionalProperties) return false
  const additional = schema.additionalProperties === true ? undefined : schema.additionalProperties
  const children = [...Object.values(schema.properties ?? {}), ...(schema.items ? [schema.items] : []), ...(additional ? [additional] : [])]
  return children.every(describesEverything)
}
