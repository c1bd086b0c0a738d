import type { AttributeValue } from './event.js'
import { isAbsoluteUri, isMediaType, timestampFrom, uriProblem } from './values.js'

/** The versions of the specification that Knative's SDK reads. */
const VERSIONS: readonly AttributeValue[] = ['1.0', '0.3']

export function isKnownVersion(version: AttributeValue | undefined): boolean {
  return version !== undefined && VERSIONS.includes(version)
}

/**
 * The name under which an attribute is kept, or undefined for what names none: lower-case letters and digits, capitals taken as theirs.
 * `data` is the payload's, not an attribute's.
 */
export function attributeName(text: string): string | undefined {
  if (!/^[A-Za-z0-9]+$/.test(text)) return undefined
  const name = text.toLowerCase()
  return name === 'data' ? undefined : name
}

/**
 * What keeps these attributes from making a CloudEvent, as a sentence, or undefined.
 * @see cloudevents/sdk-go v2/event EventContextV1.Validate, EventContextV03.Validate
 */
export function attributesProblem(attributes: ReadonlyMap<string, AttributeValue>): string | undefined {
  const version = attributes.get('specversion')
  if (!isKnownVersion(version)) return version === undefined ? 'specversion is missing' : `specversion "${version}" is neither 1.0 nor 0.3`
  for (const name of ['id', 'source', 'type']) {
    if (!attributes.get(name)) return `${name} is missing or empty`
  }
  const source = uriProblem(String(attributes.get('source')))
  if (source) return `source ${source}, so it is no URI reference`
  const time = attributes.get('time')
  if (time !== undefined && timestampFrom(String(time)) === undefined) return `time "${time}" is no RFC 3339 timestamp`
  const contentType = attributes.get('datacontenttype')
  if (contentType !== undefined && !isMediaType(String(contentType))) return `datacontenttype "${contentType}" is no media type`
  const schema = attributes.get(version === '1.0' ? 'dataschema' : 'schemaurl')
  if (schema === undefined) return undefined
  const schemaName = version === '1.0' ? 'dataschema' : 'schemaurl'
  const problem = uriProblem(String(schema))
  if (problem) return `${schemaName} ${problem}, so it is no URI`
  return version === '1.0' && !isAbsoluteUri(String(schema)) ? `dataschema "${schema}" is no absolute URI` : undefined
}
