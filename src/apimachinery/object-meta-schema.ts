import type { Schema } from './schema.js'

const text = (description: string): Schema => ({ type: 'string', description })
const time = (description: string): Schema => ({ type: 'string', format: 'date-time', nullable: true, description })
const texts = (description: string): Schema => ({ type: 'object', additionalProperties: { type: 'string', default: '' }, description })

/**
 * ObjectMeta of every object, for pruning, OpenAPI, and templates inside specs (`spec.template.metadata`).
 * It carries no rules: those of metadata are in names.ts.
 */
export const objectMetaSchema: Schema = {
  type: 'object',
  description: 'ObjectMeta is metadata that all persisted resources must have.',
  properties: {
    annotations: texts('Unstructured key-value pairs that tools may set; they are not queryable.'),
    creationTimestamp: time('When this object was created, set by the server. Read-only.'),
    deletionGracePeriodSeconds: {
      type: 'integer',
      format: 'int64',
      description: 'Seconds this object may take to terminate gracefully. Only set together with deletionTimestamp. Read-only.',
    },
    deletionTimestamp: time('When this object will be gone, set by the server once its deletion was requested. Read-only.'),
    finalizers: {
      type: 'array',
      items: { type: 'string', default: '' },
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-patch-strategy': 'merge',
      description: 'Must be empty before the object is removed; each entry names the component that will remove it.',
    },
    generateName: text('A prefix from which the server makes a unique name when no name is given.'),
    generation: { type: 'integer', format: 'int64', description: 'Counts generations of the desired state. Read-only.' },
    labels: texts('Key-value pairs to organise and select objects by.'),
    managedFields: {
      type: 'array',
      'x-kubernetes-list-type': 'atomic',
      description: 'Which manager owns which fields.',
      items: {
        type: 'object',
        properties: {
          apiVersion: text('The version of this resource that the field set applies to.'),
          fieldsType: text('The format of the field set: FieldsV1.'),
          fieldsV1: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, description: 'The field set.' },
          manager: text('Who manages these fields.'),
          operation: text('Apply or Update.'),
          subresource: text('The subresource used to change the object; empty for the object itself.'),
          time: time('When this entry was added or last changed.'),
        },
      },
    },
    name: text('Unique within a namespace. Cannot be updated.'),
    namespace: text('The space within which the name must be unique. Empty for cluster-scoped objects. Cannot be updated.'),
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-patch-merge-key': 'uid',
      'x-kubernetes-patch-strategy': 'merge',
      description: 'Objects this object depends on. When all of them are gone, it is garbage collected.',
      items: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        required: ['apiVersion', 'kind', 'name', 'uid'],
        properties: {
          apiVersion: text('API version of the referent.'),
          blockOwnerDeletion: { type: 'boolean', description: 'Whether foreground deletion of the owner waits for this object.' },
          controller: { type: 'boolean', description: 'Whether the referent is the managing controller.' },
          kind: text('Kind of the referent.'),
          name: text('Name of the referent.'),
          uid: text('UID of the referent.'),
        },
      },
    },
    resourceVersion: text('Opaque version of this object, for optimistic locking and watches. Read-only.'),
    selfLink: text('Deprecated: no longer set by the server.'),
    uid: text('Unique in time and space, set by the server. Read-only.'),
  },
}
