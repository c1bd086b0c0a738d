interface Line {
  indent: number
  text: string
}

/** Thrown inside only: what is outside of the subset is left to a real YAML parser. */
class NotPlain extends Error {}

/**
 * Reads the plain YAML that kubeconfigs are written in: block mappings and sequences of one-line scalars. Undefined for
 * anything else (flow collections, block scalars, anchors, tags, several documents, continued lines, numbers that are not simple): that takes
 * the whole library, which costs as much time as the rest of a small command.
 */
export function parsePlainYaml(text: string): unknown {
  try {
    const lines = linesOf(text)
    if (lines.length === 0) return null
    const reader = { lines, at: 0 }
    const value = readNode(reader, lines[0]!.indent)
    return reader.at === lines.length ? value : undefined
  } catch (error) {
    if (error instanceof NotPlain) return undefined
    throw error
  }
}

interface Reader {
  lines: Line[]
  at: number
}

function linesOf(text: string): Line[] {
  const lines: Line[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd()
    const body = line.trimStart()
    if (body === '' || body.startsWith('#') || (index === 0 && line === '---')) continue
    const indent = line.length - body.length
    // Tabs and other white space that is no space, directives, document marks.
    if (line.slice(0, indent).trim() !== '' || !/^ *$/.test(line.slice(0, indent)) || body.includes('\t') || /^(?:---|\.\.\.|%)/.test(line))
      throw new NotPlain()
    lines.push({ indent, text: body })
  }
  return lines
}

function readNode(reader: Reader, indent: number): unknown {
  const line = reader.lines[reader.at]!
  if (line.indent !== indent) throw new NotPlain()
  return isItem(line.text) ? readSequence(reader, indent) : readMapping(reader, indent)
}

const isItem = (text: string): boolean => text === '-' || text.startsWith('- ')

function readSequence(reader: Reader, indent: number): unknown[] {
  const items: unknown[] = []
  for (let line = reader.lines[reader.at]; line && line.indent === indent && isItem(line.text); line = reader.lines[reader.at]) {
    const rest = line.text.slice(1).trimStart()
    if (rest === '') {
      reader.at++
      items.push(readNested(reader, indent, false))
    } else if (entryOf(rest)) {
      // A mapping that begins on the item's own line goes on at the column of its first key.
      const inner = indent + line.text.length - rest.length
      reader.lines[reader.at] = { indent: inner, text: rest }
      items.push(readMapping(reader, inner))
    } else {
      reader.at++
      items.push(scalar(rest))
    }
  }
  return items
}

function readMapping(reader: Reader, indent: number): Record<string, unknown> {
  const mapping: Record<string, unknown> = {}
  for (let line = reader.lines[reader.at]; line && line.indent === indent && !isItem(line.text); line = reader.lines[reader.at]) {
    const entry = entryOf(line.text)
    if (!entry || Object.hasOwn(mapping, entry.key) || entry.key === '__proto__') throw new NotPlain()
    reader.at++
    mapping[entry.key] = entry.value === '' ? readNested(reader, indent, true) : scalar(entry.value)
  }
  const next = reader.lines[reader.at]
  if (next && next.indent > indent) throw new NotPlain()
  return mapping
}

/** What stands below a key or a dash: deeper lines; for a key also a sequence at its own column, as kubectl writes it. */
function readNested(reader: Reader, indent: number, isKey: boolean): unknown {
  const next = reader.lines[reader.at]
  if (next && next.indent > indent) return readNode(reader, next.indent)
  if (next && isKey && next.indent === indent && isItem(next.text)) return readSequence(reader, indent)
  return null
}

function entryOf(text: string): { key: string; value: string } | undefined {
  const found = /^([A-Za-z_][\w./-]*):(?: +(.*))?$/.exec(text)
  return found ? { key: found[1]!, value: found[2] ?? '' } : undefined
}

function scalar(text: string): unknown {
  if (text === '{}') return {}
  if (text === '[]') return []
  if (text.startsWith('"')) return doubleQuoted(text)
  if (text.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(text)) throw new NotPlain()
    return text.slice(1, -1).replaceAll("''", "'")
  }
  if (/^[&*!|>%@`{}[\],?#]/.test(text) || isItem(text) || / #|: |:$/.test(text)) throw new NotPlain()
  switch (text) {
    case 'true':
    case 'True':
    case 'TRUE':
      return true
    case 'false':
    case 'False':
    case 'FALSE':
      return false
    case 'null':
    case 'Null':
    case 'NULL':
    case '~':
      return null
  }
  if (/^(?:0|-?[1-9]\d{0,14})$/.test(text)) return Number(text)
  // Other spellings of numbers (0x1f, 1e3, .5, .inf) follow rules of their own.
  if (/^[-+]?\.?\d/.test(text) && !Number.isNaN(Number(text.replace(/^[-+]/, '')))) throw new NotPlain()
  if (/^[-+]?(?:0o\d|\.(?:inf|nan))/i.test(text)) throw new NotPlain()
  return text
}

function doubleQuoted(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new NotPlain()
  }
}
