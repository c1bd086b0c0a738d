import type { Random } from '../../base/random.js'
import { uuid } from '../../base/random.js'
import { PROGRAM_VERSION } from '../../base/versions.js'
import { usageError } from '../../cli/arguments.js'
import type { CloudEvent } from '../../cloudevents/event.js'
import { attributesProblem } from '../../cloudevents/validate.js'
import { type DataFields, dataFrom, dataText } from './data-fields.js'
import type { BuildOutput } from './flags.js'

export interface BuildFlags {
  type: string
  id?: string | undefined
  source?: string | undefined
  field?: readonly string[] | undefined
  'raw-field'?: readonly string[] | undefined
}

/** An event from flags, and its data as fields. */
export interface BuiltEvent {
  event: CloudEvent
  data: DataFields
}

/** Throws a usage error for what makes no event. */
export function eventFromFlags(flags: BuildFlags, { nowMs, random }: { nowMs: number; random: Random }): BuiltEvent {
  const data = dataFrom({ fields: flags.field ?? [], rawFields: flags['raw-field'] ?? [] })
  const attributes = new Map<string, string>([
    ['specversion', '1.0'],
    ['id', flags.id ?? uuid(random)],
    ['source', flags.source ?? `kn-event/${PROGRAM_VERSION}`],
    ['type', flags.type],
    ['datacontenttype', 'application/json'],
    ['time', new Date(nowMs).toISOString()],
  ])
  const problem = attributesProblem(attributes)
  if (problem) throw usageError(`these flags make no event: ${problem}`)
  return { event: { attributes, data: Buffer.from(dataText(data)) }, data }
}

/** The attributes as Go's SDK prints them for people, and in JSON. */
const HUMAN_ORDER = ['specversion', 'type', 'source', 'id', 'time', 'datacontenttype']
const JSON_ORDER = ['specversion', 'id', 'source', 'type', 'datacontenttype', 'time']

/** An event as `kn event build` prints it. */
export async function builtText({ event, data }: BuiltEvent, output: BuildOutput): Promise<string> {
  const attribute = (name: string): string => String(event.attributes.get(name) ?? '')
  if (output === 'human') {
    const attributes = HUMAN_ORDER.map((name) => `  ${name}: ${attribute(name)}\n`).join('')
    return `☁️  cloudevents.Event\nValidation: valid\nContext Attributes,\n${attributes}Data,\n  ${dataText(data, '  ', '  ')}\n`
  }
  if (output === 'json') {
    const members = JSON_ORDER.map((name) => `  ${JSON.stringify(name)}: ${JSON.stringify(attribute(name))},\n`).join('')
    return `{\n${members}  "data": ${dataText(data, '  ', '  ')}\n}\n`
  }
  const { yamlText } = await import('../../cli/print/output.js')
  const plain = Object.fromEntries(JSON_ORDER.map((name) => [name, attribute(name)]))
  return yamlText({ ...plain, data: JSON.parse(dataText(data)) as object })
}
