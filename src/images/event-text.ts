import { attributeText, type CloudEvent } from '../cloudevents/event.js'
import { isJson } from '../cloudevents/json-scan.js'
import { mediaTypeOf, timestampFrom } from '../cloudevents/values.js'

/** Shown in this order, before the extensions. `version` 0.3 has a `schemaurl` and a `datacontentencoding`. */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  '1.0': ['specversion', 'type', 'source', 'subject', 'id', 'time', 'dataschema', 'datacontenttype'],
  '0.3': ['specversion', 'type', 'source', 'subject', 'id', 'time', 'schemaurl', 'datacontenttype', 'datacontentencoding'],
}
const MARGIN = '  '

/**
 * An event as Knative's SDK prints it: attributes, extensions by name, data; JSON data indented, its numbers and strings as they were
 * written. Ends with a line end. `isBase64`: it came in structured mode with its data as base64.
 *
 * @see cloudevents/sdk-go v2/event Event.String, EventContextV1.String
 */
export function eventText({ attributes, data }: CloudEvent, { isBase64 = false }: { isBase64?: boolean } = {}): Buffer {
  const own = ATTRIBUTES[attributeText(attributes.get('specversion')!)]!
  const lines = ['Context Attributes,']
  const line = (name: string): void => {
    const value = attributes.get(name)
    if (value === undefined) return
    const text = attributeText(value)
    lines.push(`${MARGIN}${name}: ${name === 'time' ? (timestampFrom(text) ?? text) : text}`)
  }
  own.forEach(line)
  const extensions = [...attributes.keys()].filter((name) => !own.includes(name)).toSorted()
  if (extensions.length > 0) lines.push('Extensions,')
  extensions.forEach(line)
  if (data === undefined) return Buffer.from(`${lines.join('\n')}\n`)

  lines.push(isBase64 ? 'Data (binary),' : 'Data,', MARGIN)
  const contentType = attributeText(attributes.get('datacontenttype') ?? '')
  const isIndented = mediaTypeOf(contentType) === 'application/json' && isJson(data)
  return Buffer.concat([Buffer.from(lines.join('\n')), isIndented ? indented(data.toString()) : data, Buffer.from('\n')])
}

/**
 * JSON with a line for each member and item, all but the first behind a margin. Text in, text out: nothing is parsed, so no number
 * loses a digit. White space at the end stays.
 * @see encoding/json Indent
 */
function indented(json: string): Buffer {
  const body = json.trimEnd()
  let text = ''
  let depth = 0
  const newLine = (): string => `\n${MARGIN}${MARGIN.repeat(depth)}`
  for (const [token] of body.matchAll(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === '{' || token === '[') {
      depth++
      text += token + newLine()
    } else if (token === '}' || token === ']') {
      depth--
      text += newLine() + token
    } else if (token === ',') text += `,${newLine()}`
    else if (token === ':') text += ': '
    else if (token.length > 1 && /^[{[]/.test(token)) text += token[0]! + token.at(-1)!
    else text += token
  }
  return Buffer.from(text + json.slice(body.length))
}
