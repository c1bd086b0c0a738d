import { usageError } from '../../cli/arguments.js'

/** A JSON value with its members in the order of their names, as Go writes them. */
export type DataValue = string | number | boolean | DataFields
export type DataFields = Map<string, DataValue>

/**
 * The data of an event from `--field` and then `--raw-field` words, each `path.to.it=value`. Throws usage errors: for a word without `=`,
 * and where a path leads through what holds a value already.
 * @see knative-extensions/kn-plugin-event pkg/event
 */
export function dataFrom({ fields, rawFields }: { fields: readonly string[]; rawFields: readonly string[] }): DataFields {
  const data: DataFields = new Map()
  for (const word of fields) {
    const [path, value] = cut(word, 'field')
    set(data, path, valueFrom(value))
  }
  for (const word of rawFields) {
    const [path, value] = cut(word, 'raw-field')
    set(data, path, value)
  }
  return data
}

function cut(word: string, flag: string): [path: string, value: string] {
  const at = word.indexOf('=')
  if (at < 0) throw usageError(`--${flag} takes PATH=VALUE, given ${word}`)
  return [word.slice(0, at), word.slice(at + 1)]
}

function set(data: DataFields, path: string, value: DataValue): void {
  const names = path.split('.')
  const last = names.pop()!
  let at = data
  for (const name of names) {
    const next = at.get(name) ?? new Map<string, DataValue>()
    if (!(next instanceof Map)) throw usageError(`can't set field: "${path}" path in conflict with value ${next}`)
    at.set(name, next)
    at = next
  }
  at.set(last, value)
}

/** Only what prints again as it was written is more than a text: `2345.40` is none of Go's numbers. */
function valueFrom(text: string): DataValue {
  if (text === 'true' || text === 'false') return text === 'true'
  if (/^(0|-?[1-9]\d*)$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  if (/^-?(0|[1-9]\d*)\.\d{6}$/.test(text) && Number(text).toFixed(6) === text) return Number(text)
  return text
}

/** JSON as Go's encoder writes it: members sorted, `<`, `>` and `&` escaped. With `indent`, spread over lines as MarshalIndent does. */
export function dataText(value: DataValue, indent = '', prefix = ''): string {
  if (!(value instanceof Map)) return escapedText(JSON.stringify(value))
  if (value.size === 0) return '{}'
  const inner = prefix + indent
  const members = [...value]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => {
      const text = dataText(member, indent, inner)
      return indent === '' ? `${escapedText(JSON.stringify(name))}:${text}` : `${inner}${escapedText(JSON.stringify(name))}: ${text}`
    })
  return indent === '' ? `{${members.join(',')}}` : `{\n${members.join(',\n')}\n${prefix}}`
}

function escapedText(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
