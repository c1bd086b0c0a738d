/**
 * The notation in which ./messages/ describes Kubernetes' messages, and what it means.
 *
 *     package core: v1
 *     kind Pod: metadata 1 meta.ObjectMeta, spec 2 PodSpec
 *     Volume: name! 1, ... 2 VolumeSource
 *
 * One message per line; lines that begin with a space go on with the one before. `package` names what follows, for references
 * from elsewhere (`meta.ObjectMeta`), and gives its apiVersion. `kind` marks what may be the whole of a body. A field is its name in
 * JSON, its number, and its type, which is text when none is given: one of SCALARS or a message, `x[]` for a list, `map<x>` for a
 * map by text. `...` stands for a name where JSON shows the message's fields in the place of the message.
 *
 * `!` keeps a field that is there but empty (`""`, 0, false, `{}`): a pointer in Go, or one that Go's JSON always shows. Any other
 * empty field is dropped, since Go writes those whether or not someone set them.
 *
 * `either 1 bool or 2 x` is a message that JSON shows as one of its fields, the later one when both are there.
 */

/** Types that are no message here, though some are one on the wire. */
export const SCALARS = [
  'string',
  'bool',
  'int32',
  'int64',
  'double',
  'bytes',
  'time',
  'microTime',
  'quantity',
  'intOrString',
  'json',
  'object',
] as const

export type Scalar = (typeof SCALARS)[number]

export interface Field {
  /** Name in JSON; undefined where the message's own fields take its place. */
  name: string | undefined
  number: number
  /** Whether an empty value says something. */
  isKept: boolean
  shape: 'one' | 'list' | 'map'
  type: Scalar | Message
}

export interface Message {
  name: string
  fields: ReadonlyMap<number, Field>
  /** JSON shows the one field that is there, not an object. */
  isEither: boolean
}

/** Messages that may be the whole of a body, by apiVersion and kind: `apps/v1/Deployment`. */
export type Kinds = ReadonlyMap<string, Message>

/** Reads the notation. Throws for what is none of it, and for references to nothing. */
export function kindsFrom(text: string): Kinds {
  const messages = new Map<string, { message: Message; scope: string; fields: Map<number, Field>; body: string }>()
  const kinds = new Map<string, Message>()
  let scope = ''
  let apiVersion = ''
  for (const line of text.replace(/\n +/g, ' ').split('\n')) {
    if (line === '') continue
    const [, word, name, body] = /^(?:(package|kind) )?(\w+): ?(.*)$/.exec(line) ?? []
    if (name === undefined || body === undefined) throw new Error(`no message: ${line}`)
    if (word === 'package') {
      scope = name
      apiVersion = body
      continue
    }
    const fields = new Map<number, Field>()
    const message: Message = { name, fields, isEither: body.startsWith('either ') }
    messages.set(`${scope}.${name}`, { message, scope, fields, body })
    if (word === 'kind') kinds.set(`${apiVersion}/${name}`, message)
  }

  for (const { message, scope: own, fields, body } of messages.values()) {
    const typeFrom = (name: string): Scalar | Message => {
      if (isScalar(name)) return name
      const found = messages.get(name.includes('.') ? name : `${own}.${name}`)
      if (!found) throw new Error(`no message ${name}, which ${own}.${message.name} mentions`)
      return found.message
    }
    const parts = message.isEither
      ? body.slice('either '.length).split(' or ').map(eitherField)
      : body.split(', ').filter((part) => part !== '')
    for (const part of parts) {
      const field = fieldFrom(part, typeFrom)
      fields.set(field.number, field)
    }
  }
  return kinds
}

/** A choice has no names; it is kept under its number until one is chosen. */
function eitherField(text: string): string {
  const [number] = text.split(' ', 1)
  return `${number}! ${text}`
}

function fieldFrom(text: string, typeFrom: (name: string) => Scalar | Message): Field {
  const [, name, mark, number, written = 'string'] = /^([\w$.-]+?)(!?) (\d+)(?: (\S+))?$/.exec(text) ?? []
  if (name === undefined || number === undefined) throw new Error(`no field: ${text}`)
  const map = /^map<(.+)>$/.exec(written)
  const shape = map ? 'map' : written.endsWith('[]') ? 'list' : 'one'
  const type = typeFrom(map ? map[1]! : written.replace(/\[\]$/, ''))
  return { name: name === '...' ? undefined : name, number: Number(number), isKept: mark === '!', shape, type }
}

function isScalar(name: string): name is Scalar {
  return SCALARS.some((scalar) => scalar === name)
}
