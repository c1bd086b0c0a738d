import type { Schema } from '../../../apimachinery/schema.js'
import { anyObject, described, fields, flag, int32, int64, listOf, objectSchema, text, texts, time } from '../schema-parts.js'

/** Kept until the instances are gone (apiextensions pkg/apis/apiextensions/types.go, CustomResourceCleanupFinalizer). */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io'

/**
 * Marks the definition of a kind that this program serves by itself. Such a definition can be read like any other and is
 * kept in step with the program; nobody else changes or deletes it.
 */
export const OWN_DEFINITION = 'kn-local.dev/built-in'
/** Who keeps them in step. */
export const OWN_DEFINITION_WRITER = 'system:kn-local:definitions'

const anything: Schema = { 'x-kubernetes-preserve-unknown-fields': true, nullable: true }
const number: Schema = { type: 'number' }

/** A schema of schemas refers to itself; it is walked along with the object, which ends. */
function jsonSchemaProps(): Schema {
  const properties: Record<string, Schema> = {}
  const schema: Schema = { type: 'object', properties }
  // Either a schema or a boolean (or, for items, a list that is refused later with a better text).
  const schemaOr: Schema = { properties }
  const schemas: Schema = { type: 'array', items: schema }
  const schemaMap: Schema = { type: 'object', additionalProperties: schema }
  Object.assign(properties, {
    $ref: text,
    $schema: text,
    additionalItems: schemaOr,
    additionalProperties: schemaOr,
    allOf: schemas,
    anyOf: schemas,
    default: anything,
    definitions: schemaMap,
    dependencies: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    description: text,
    enum: { type: 'array', items: anything },
    example: anything,
    exclusiveMaximum: flag,
    exclusiveMinimum: flag,
    externalDocs: fields({ description: text, url: text }),
    format: text,
    id: text,
    items: schemaOr,
    maxItems: int64,
    maxLength: int64,
    maxProperties: int64,
    maximum: number,
    minItems: int64,
    minLength: int64,
    minProperties: int64,
    minimum: number,
    multipleOf: number,
    not: schema,
    nullable: flag,
    oneOf: schemas,
    pattern: text,
    patternProperties: schemaMap,
    properties: schemaMap,
    required: texts,
    title: text,
    type: text,
    uniqueItems: flag,
    'x-kubernetes-embedded-resource': flag,
    'x-kubernetes-int-or-string': flag,
    'x-kubernetes-list-map-keys': texts,
    'x-kubernetes-list-type': text,
    'x-kubernetes-map-type': text,
    'x-kubernetes-preserve-unknown-fields': flag,
    'x-kubernetes-validations': listOf(
      fields({ fieldPath: text, message: text, messageExpression: text, optionalOldSelf: flag, reason: text, rule: text }),
    ),
  } satisfies Record<string, Schema>)
  return schema
}

const names = fields({ categories: texts, kind: text, listKind: text, plural: text, shortNames: texts, singular: text })

function definitionSchema(openApiV3Schema: Schema): Schema {
  return objectSchema(
    'CustomResourceDefinition represents a resource that should be exposed on the API server.',
    {
      spec: fields({
        conversion: fields({
          strategy: text,
          webhook: fields({
            clientConfig: fields({
              caBundle: { type: 'string', format: 'byte' },
              service: fields({ name: text, namespace: text, path: text, port: int32 }),
              url: text,
            }),
            conversionReviewVersions: texts,
          }),
        }),
        group: described('The API group of the defined resource; it is served under /apis/<group>/….', text),
        names: described('The resource and kind names of the defined resource.', names),
        preserveUnknownFields: flag,
        scope: described('Cluster or Namespaced.', text),
        versions: described(
          'All versions of the defined resource; exactly one is the storage version.',
          listOf(
            fields({
              additionalPrinterColumns: listOf(
                fields({ description: text, format: text, jsonPath: text, name: text, priority: int32, type: text }),
              ),
              deprecated: flag,
              deprecationWarning: text,
              name: text,
              schema: fields({ openAPIV3Schema: openApiV3Schema }),
              selectableFields: listOf(fields({ jsonPath: text })),
              served: flag,
              storage: flag,
              subresources: fields({
                scale: fields({ labelSelectorPath: text, specReplicasPath: text, statusReplicasPath: text }),
                status: anyObject,
              }),
            }),
          ),
        ),
      }),
      status: fields({
        acceptedNames: names,
        conditions: {
          type: 'array',
          items: fields({ lastTransitionTime: time, message: text, observedGeneration: int64, reason: text, status: text, type: text }),
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['type'],
        },
        observedGeneration: int64,
        storedVersions: texts,
      }),
    },
    ['spec'],
  )
}

export const customResourceDefinitionSchema: Schema = definitionSchema(jsonSchemaProps())

/** Without the part that refers to itself, for clients. */
export const publishedDefinitionSchema: Schema = definitionSchema(
  described('The OpenAPI v3 schema to use for validation, defaulting and pruning.', anyObject),
)
