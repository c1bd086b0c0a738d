/** A structural OpenAPI v3 schema as CustomResourceDefinitions carry it (the subset of JSONSchemaProps that is evaluated). */
export interface Schema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  format?: string
  description?: string
  properties?: { readonly [name: string]: Schema }
  additionalProperties?: Schema | true
  items?: Schema
  required?: readonly string[]
  enum?: readonly unknown[]
  default?: unknown
  nullable?: boolean
  pattern?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: boolean
  exclusiveMaximum?: boolean
  multipleOf?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minProperties?: number
  maxProperties?: number
  anyOf?: readonly Schema[]
  allOf?: readonly Schema[]
  oneOf?: readonly Schema[]
  not?: Schema
  'x-kubernetes-preserve-unknown-fields'?: boolean
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map'
  'x-kubernetes-list-map-keys'?: readonly string[]
  'x-kubernetes-map-type'?: 'atomic' | 'granular'
  'x-kubernetes-validations'?: readonly ValidationRule[]
  /** Strategic merge of built-in kinds: the key by which items of this list are matched, and the strategy. */
  'x-kubernetes-patch-merge-key'?: string
  'x-kubernetes-patch-strategy'?: string
}

/** A rule in CEL (x-kubernetes-validations), evaluated by ./cel. */
export interface ValidationRule {
  rule: string
  message?: string
  messageExpression?: string
  reason?: string
  /** Where a finding is filed, relative to the schema that carries the rule: `.replicas`. */
  fieldPath?: string
  optionalOldSelf?: boolean
}
