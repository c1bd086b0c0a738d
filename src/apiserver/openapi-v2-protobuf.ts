import type { SwaggerDocument, SwaggerOperation, SwaggerParameter, SwaggerSchema } from './openapi-v2.js'

/**
 * A Swagger document in the protobuf encoding of gnostic, which is the only one kubectl up to 1.28 accepts.
 * Written by hand, since a handful of its messages is all that is needed.
 * @see google/gnostic openapiv2/OpenAPIv2.proto
 */
export function swaggerProtobuf(document: SwaggerDocument): Uint8Array {
  return concat([
    text(1, document.swagger),
    message(2, concat([text(1, document.info.title), text(2, document.info.version)])),
    message(8, named(2, document.paths, pathItem)),
    message(9, named(1, document.definitions, schema)),
  ])
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let left = value
  while (left > 0x7f) {
    bytes.push((left & 0x7f) | 0x80)
    left = Math.floor(left / 128)
  }
  bytes.push(left)
  return Uint8Array.from(bytes)
}

const LENGTH_DELIMITED = 2

function message(field: number, bytes: Uint8Array): Uint8Array {
  return concat([varint(field * 8 + LENGTH_DELIMITED), varint(bytes.length), bytes])
}

const text = (field: number, value: string | undefined): Uint8Array => (value ? message(field, Buffer.from(value)) : new Uint8Array())
const texts = (field: number, values: readonly string[] | undefined): Uint8Array =>
  concat((values ?? []).map((value) => message(field, Buffer.from(value))))
const flag = (field: number, value: boolean | undefined): Uint8Array => (value ? Uint8Array.from([field * 8, 1]) : new Uint8Array())

/** Repeated NamedX { name#1, value#2 }. */
function named<T>(field: number, entries: Readonly<Record<string, T>>, encode: (value: T) => Uint8Array): Uint8Array {
  return concat(Object.entries(entries).map(([name, value]) => message(field, concat([text(1, name), message(2, encode(value))]))))
}

/** Values of extensions, defaults and enums travel as YAML, of which JSON is a part. */
const any = (value: unknown): Uint8Array => text(2, JSON.stringify(value))

function extensions(field: number, object: object): Uint8Array {
  const entries = Object.entries(object).filter(([name, value]) => name.startsWith('x-') && value !== undefined)
  return named(field, Object.fromEntries(entries), any)
}

function pathItem(item: SwaggerDocument['paths'][string]): Uint8Array {
  const at = (field: number, operation: SwaggerOperation | undefined): Uint8Array =>
    operation ? message(field, operationMessage(operation)) : new Uint8Array()
  return concat([
    at(2, item.get),
    at(3, item.put),
    at(4, item.post),
    at(5, item.delete),
    at(8, item.patch),
    ...item.parameters.map((each) => message(9, message(1, parameter(each)))),
  ])
}

function operationMessage(operation: SwaggerOperation): Uint8Array {
  const responses = Object.entries(operation.responses).map(([code, { description, schema: body }]) =>
    message(
      1,
      concat([
        text(1, code),
        // ResponseValue{response#1}, Response{description#1, schema#2}, SchemaItem{schema#1}
        message(2, message(1, concat([text(1, description), body ? message(2, message(1, schema(body))) : new Uint8Array()]))),
      ]),
    ),
  )
  return concat([
    text(5, operation.operationId),
    texts(6, operation.produces),
    texts(7, operation.consumes),
    ...operation.parameters.map((each) => message(8, message(1, parameter(each)))),
    message(9, concat(responses)),
    texts(10, operation.schemes),
    extensions(13, operation),
  ])
}

/** Parameter is one of body#1 and non_body#2; of the latter, query is #3 and path #4. */
function parameter({ name, in: place, description, type, required, schema: body }: SwaggerParameter): Uint8Array {
  if (place === 'body') {
    return message(
      1,
      concat([text(1, description), text(2, name), text(3, place), flag(4, required), message(5, body ? schema(body) : new Uint8Array())]),
    )
  }
  const isPath = place === 'path'
  const common = concat([flag(1, required), text(2, place), text(3, description), text(4, name)])
  // The fields of a path parameter are numbered like those of a query parameter up to name; then type is 5 instead of 6.
  return message(2, message(isPath ? 4 : 3, concat([common, text(isPath ? 5 : 6, type)])))
}

function schema(of: SwaggerSchema): Uint8Array {
  return concat([
    text(1, of.$ref),
    text(2, of.format),
    text(4, of.description),
    of.default === undefined ? new Uint8Array() : message(5, any(of.default)),
    texts(19, of.required),
    ...(of.enum ?? []).map((value) => message(20, any(value))),
    of.additionalProperties ? message(21, message(1, schema(of.additionalProperties))) : new Uint8Array(),
    of.type ? message(22, text(1, of.type)) : new Uint8Array(),
    of.items ? message(23, message(1, schema(of.items))) : new Uint8Array(),
    of.properties ? message(25, named(1, of.properties, schema)) : new Uint8Array(),
    extensions(31, of),
  ])
}
