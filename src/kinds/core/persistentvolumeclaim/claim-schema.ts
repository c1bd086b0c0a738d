import type { Schema } from '../../../apimachinery/schema.js'
import { anyObject, conditions, fields, labelSelector, listOf, quantities, text, textMap, texts } from '../schema-parts.js'

const typedReference: Schema = {
  ...fields({ apiGroup: text, kind: text, name: text }, ['kind', 'name']),
  'x-kubernetes-map-type': 'atomic',
}

/** What a PersistentVolumeClaim asks for; StatefulSets hold it as a template. */
export const claimSpecSchema: Schema = fields({
  accessModes: texts,
  dataSource: typedReference,
  dataSourceRef: fields({ apiGroup: text, kind: text, name: text, namespace: text }, ['kind', 'name']),
  resources: fields({ claims: listOf(anyObject), limits: quantities, requests: quantities }),
  selector: labelSelector,
  storageClassName: text,
  volumeAttributesClassName: text,
  volumeMode: text,
  volumeName: text,
})

export const claimStatusSchema: Schema = fields({
  accessModes: texts,
  allocatedResourceStatuses: textMap,
  allocatedResources: quantities,
  capacity: quantities,
  conditions,
  currentVolumeAttributesClassName: text,
  modifyVolumeStatus: anyObject,
  phase: text,
})
