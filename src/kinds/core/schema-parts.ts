import type { Schema } from '../../apimachinery/schema.js'

/** Pieces from which the structural schemas of the built-in kinds are put together. */

export const text: Schema = { type: 'string' }
export const flag: Schema = { type: 'boolean' }
export const int32: Schema = { type: 'integer', format: 'int32' }
export const int64: Schema = { type: 'integer', format: 'int64' }
export const intOrText: Schema = { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }
export const quantity: Schema = intOrText
export const time: Schema = { type: 'string', format: 'date-time', nullable: true }
export const texts: Schema = { type: 'array', items: text, 'x-kubernetes-list-type': 'atomic' }
export const textMap: Schema = { type: 'object', additionalProperties: text }
export const quantities: Schema = { type: 'object', additionalProperties: quantity }
export const anyObject: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
export const anyList: Schema = { type: 'array', items: anyObject, 'x-kubernetes-list-type': 'atomic' }

/** An object with these fields and no others. */
export function fields(properties: Readonly<Record<string, Schema>>, required: readonly string[] = [], description?: string): Schema {
  return { type: 'object', properties, ...(required.length > 0 && { required }), ...(description && { description }) }
}

/** The same schema with a description for `kubectl explain`. */
export function described(description: string, schema: Schema): Schema {
  return { ...schema, description }
}

/** A list that is replaced as a whole. */
export function listOf(items: Schema): Schema {
  return { type: 'array', items, 'x-kubernetes-list-type': 'atomic' }
}

/** A list whose items are known by `keys`; patches merge them by the first, or by `mergeKey`. */
export function listByKey(items: Schema, keys: readonly string[], mergeKey = keys[0]!): Schema {
  return {
    type: 'array',
    items,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
    'x-kubernetes-patch-merge-key': mergeKey,
    'x-kubernetes-patch-strategy': 'merge',
  }
}

/**
 * A list that patches merge by a key, without the promise that the key is unique. `keys` are those by which a server-side
 * apply knows its items, where they are others.
 */
export function listMergedBy(items: Schema, mergeKey: string, keys?: readonly string[]): Schema {
  return {
    type: 'array',
    items,
    ...(keys && { 'x-kubernetes-list-map-keys': keys }),
    'x-kubernetes-patch-merge-key': mergeKey,
    'x-kubernetes-patch-strategy': 'merge',
  }
}

/** A list of texts in which each stands once; patches and applies add to it. */
export const textSet: Schema = { type: 'array', items: text, 'x-kubernetes-list-type': 'set', 'x-kubernetes-patch-strategy': 'merge' }

export const localReference: Schema = { ...fields({ name: { type: 'string', default: '' } }), 'x-kubernetes-map-type': 'atomic' }

export const objectReference: Schema = {
  ...fields({ apiVersion: text, fieldPath: text, kind: text, name: text, namespace: text, resourceVersion: text, uid: text }),
  'x-kubernetes-map-type': 'atomic',
}

export const labelSelector: Schema = {
  ...fields({
    matchLabels: textMap,
    matchExpressions: listOf(fields({ key: text, operator: text, values: texts }, ['key', 'operator'])),
  }),
  'x-kubernetes-map-type': 'atomic',
}

/** metav1.Condition as status lists of built-in kinds carry it. */
export const conditions: Schema = listByKey(
  fields(
    { type: text, status: text, observedGeneration: int64, lastTransitionTime: time, lastUpdateTime: time, reason: text, message: text },
    ['type', 'status'],
  ),
  ['type'],
)

/** A whole object of a built-in kind. apiVersion, kind and metadata are the same for all and left to the server. */
export function objectSchema(description: string, properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return fields(properties, required, description)
}
