import type { KubeObject } from '../../apimachinery/object.js'
import type { EventAttribute, EventType, EventTypeV1beta3 } from './schema.js'

const GROUP = 'eventing.knative.dev'
const NEWEST = `${GROUP}/v1beta3`

/**
 * An EventType in another version. v1beta3 knows attributes of any name; what it is stored as knows four of them, and the
 * others are lost, as on a cluster.
 * @see knative/eventing v1.22 pkg/apis/eventing/v1beta2/eventtype_conversion.go
 */
export function convertEventType(object: KubeObject, apiVersion: string): KubeObject {
  if (object.apiVersion === apiVersion) return object
  if (object.apiVersion === NEWEST) return { ...fromNewest(object as EventTypeV1beta3), apiVersion }
  return apiVersion === NEWEST ? { ...toNewest(object as EventType), apiVersion } : { ...object, apiVersion }
}

function toNewest({ spec = {}, ...object }: EventType): EventTypeV1beta3 {
  const { type, source, schemaData, reference, description } = spec
  const attributes: EventAttribute[] = [
    { name: 'specversion', required: true },
    { name: 'id', required: true },
    { name: 'type', required: true, ...(type && { value: type }) },
    ...(source ? [{ name: 'source', required: true, value: source }] : []),
    ...(schemaData ? [{ name: 'schemadata', required: false, value: schemaData }] : []),
  ]
  return { ...object, spec: { attributes, ...(reference && { reference }), ...(description && { description }) } }
}

function fromNewest({ spec = {}, ...object }: EventTypeV1beta3): EventType {
  const { attributes = [], reference, description } = spec
  const valueFor = (name: string): string | undefined => attributes.find((attribute) => attribute.name === name)?.value
  const [type, source, schemaData] = [valueFor('type'), valueFor('source'), valueFor('schemadata')]
  return {
    ...object,
    spec: {
      ...(type && { type }),
      ...(source && { source }),
      ...(schemaData && { schemaData }),
      ...(reference && { reference }),
      ...(description && { description }),
    },
  }
}
