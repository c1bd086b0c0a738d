import type { ServedKind } from '../apimachinery/kind.js'
import { type Operation, type Parameter, pathsOf } from './openapi-paths.js'
import { type PublishedSchema, publishedSchemas } from './openapi-schemas.js'

/** A schema of Swagger 2.0: no nullable, no alternatives. */
export type SwaggerSchema = Omit<
  PublishedSchema,
  'properties' | 'items' | 'additionalProperties' | 'allOf' | 'anyOf' | 'oneOf' | 'not' | 'nullable' | 'type'
> & {
  type?: string
  properties?: Record<string, SwaggerSchema>
  items?: SwaggerSchema
  additionalProperties?: SwaggerSchema
}

export interface SwaggerParameter {
  name: string
  in: string
  description: string
  type?: string
  required?: boolean
  schema?: SwaggerSchema
}

export interface SwaggerOperation {
  operationId: string
  consumes: readonly string[]
  produces: readonly string[]
  schemes: readonly string[]
  parameters: SwaggerParameter[]
  responses: Record<string, { description: string; schema?: SwaggerSchema }>
  'x-kubernetes-action': string
  'x-kubernetes-group-version-kind': { group: string; version: string; kind: string }
}

export interface SwaggerDocument {
  swagger: '2.0'
  info: { title: string; version: string }
  paths: Record<string, Partial<Record<Operation['method'], SwaggerOperation>> & { parameters: SwaggerParameter[] }>
  definitions: Record<string, SwaggerSchema>
}

const reference = (name: string): string => `#/definitions/${name}`

/** The whole API as one Swagger 2.0 document, for clients that do not know version 3. */
export function swaggerDocument(kinds: readonly ServedKind[], version: string): SwaggerDocument {
  const schemas = publishedSchemas(kinds, reference)
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries(
      pathsOf(kinds).map(({ path, parameters, operations }) => [
        path,
        {
          ...Object.fromEntries(operations.map((operation) => [operation.method, swaggerOperation(operation)])),
          parameters: parameters.map(swaggerParameter),
        },
      ]),
    ),
    definitions: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, swaggerSchema(schema)])),
  }
}

function swaggerParameter({ name, in: place, type, description }: Parameter): SwaggerParameter {
  return { name, in: place, description, type, ...(place === 'path' && { required: true }) }
}

function swaggerOperation({ action, operationId, parameters, consumes, bodySchema, answers, gvk }: Operation): SwaggerOperation {
  const answer = { description: 'OK', schema: { $ref: reference(answers) } }
  const body: SwaggerParameter = {
    name: 'body',
    in: 'body',
    description: '',
    required: true,
    schema: bodySchema ? { $ref: reference(bodySchema) } : { type: 'object' },
  }
  return {
    operationId,
    consumes: consumes ?? ['*/*'],
    produces: ['application/json'],
    schemes: ['https'],
    parameters: [...(consumes ? [body] : []), ...parameters.map(swaggerParameter)],
    responses: {
      '200': answer,
      ...(action === 'post' && { '201': { ...answer, description: 'Created' } }),
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  }
}

/**
 * What of a schema Swagger 2.0 can say. Clients validate against it, so whatever it cannot say is left open rather than
 * said wrongly.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/controller/openapi/v2/conversion.go
 */
function swaggerSchema(schema: PublishedSchema): SwaggerSchema {
  const { properties, items, additionalProperties, allOf, anyOf: _anyOf, oneOf: _oneOf, not: _not, nullable, ...rest } = schema
  const [only] = allOf ?? []
  if (only?.$ref) return { ...(rest.description !== undefined && { description: rest.description }), $ref: only.$ref }
  if (schema['x-kubernetes-int-or-string']) return { ...rest, type: 'string', format: 'int-or-string' }
  // kubectl refuses every field that is not named as soon as one is.
  if (schema['x-kubernetes-preserve-unknown-fields']) return rest
  if (nullable) {
    // A null would be refused wherever a type is named.
    const { type: _type, format: _format, ...open } = rest
    return open
  }
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, child]) => [name, swaggerSchema(child)])) }),
    ...(items && { items: swaggerSchema(items) }),
    ...(additionalProperties && additionalProperties !== true && { additionalProperties: swaggerSchema(additionalProperties) }),
  }
}
