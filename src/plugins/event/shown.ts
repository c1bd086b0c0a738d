import { isUtf8 } from 'node:buffer'
import { attribute, block } from '../../cli/print/describe.js'
import { isJsonContent } from '../../cloudevents/values.js'
import type { EventRecord } from '../../kinds/emulator/eventrecord/schema.js'

const FIRST = ['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema']

/** An event with its attributes, its data, and a line for each place it went to. */
export function shownText({ metadata, spec, status }: EventRecord, age: string): string {
  const { origin, attributes = {}, replyOf } = spec
  const names = Object.keys(attributes)
  const ordered = [...FIRST.filter((name) => names.includes(name)), ...names.filter((name) => !FIRST.includes(name)).sort()]
  const rows = [
    attribute('Record', metadata.name),
    attribute('Origin', `${origin.kind} ${origin.namespace}/${origin.name}, offset ${origin.offset}`),
    attribute('Accepted', `${spec.acceptedAt} (${age} ago)`),
    attribute('State', status.state),
    ...(replyOf ? [attribute('Reply of', `${replyOf.at.kind} ${replyOf.at.name}${replyOf.record ? `, to ${replyOf.record}` : ''}`)] : []),
  ]
  const parts = [block(rows), section('Attributes', block(ordered.map((name) => attribute(name, String(attributes[name])))))]
  parts.push(section('Data', dataText(spec)))
  if (status.hops.length > 0)
    parts.push(section('Hops', block(status.hops.map(({ at, outcome }) => attribute(`${at.kind} ${at.name}`, outcome)))))
  return parts.filter((text) => text !== '').join('\n')
}

function section(title: string, text: string): string {
  if (text === '') return ''
  return `${title}:\n${text.replace(/^(?=.)/gm, '  ')}`
}

function dataText({ data, dataBytes = 0, attributes }: EventRecord['spec']): string {
  if (dataBytes === 0) return ''
  const bytes = Buffer.from(data ?? '', 'base64')
  const lack = bytes.length < dataBytes ? `(${bytes.length} of ${dataBytes} bytes were kept)\n` : ''
  if (bytes.length === 0) return lack
  if (!isUtf8(bytes)) return `${bytes.toString('base64')}\n(base64 of ${bytes.length} bytes)\n${lack}`
  const text = bytes.toString()
  const type = attributes?.['datacontenttype']
  return `${lack === '' && isJsonContent(type === undefined ? undefined : String(type)) ? spread(text) : text}\n${lack}`
}

/** JSON over several lines; as it is where it is none. */
function spread(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
