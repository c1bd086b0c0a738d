/** Reading header fields of HTTP/1.1 as strictly as a gateway must: whatever two readers could read differently is refused. */

/** Where one field of a head is, as offsets into `text`; moved on by nextField. One is reused for every message. */
export interface FieldCursor {
  /** A head as latin1, from its first line to the CRLF that ends its last field (the empty line left out). */
  text: string
  lineStart: number
  nameEnd: number
  valueStart: number
  valueEnd: number
  /** Start of the next line. */
  lineEnd: number
  isBad: boolean
}

export function createFieldCursor(): FieldCursor {
  return { text: '', lineStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0, lineEnd: 0, isBad: false }
}

const isTokenCode = tableOf((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)))
const isValueCode = tableOf((code) => code === 9 || (code >= 0x20 && code !== 0x7f))
const isTargetCode = tableOf((code) => code > 0x20 && code !== 0x7f)

function tableOf(has: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => (has(code) ? 1 : 0))
}

/** The end of the run of token characters from `at`. */
export function tokenEnd(text: string, at: number): number {
  let end = at
  while (isTokenCode[text.charCodeAt(end)] === 1) end++
  return end
}

/** The end of the run of characters a request target may have, from `at`. */
export function targetEnd(text: string, at: number): number {
  let end = at
  while (isTargetCode[text.charCodeAt(end)] === 1) end++
  return end
}

/** The end of the run of characters a field value (or a reason phrase) may have, from `at`. */
export function valueRunEnd(text: string, at: number): number {
  let end = at
  while (isValueCode[text.charCodeAt(end)] === 1) end++
  return end
}

/**
 * Moves to the next field and says whether there is one; `isBad` then tells an end from a field that is malformed:
 * no colon right after the name, a folded line, a control character, a line that ends in anything but CRLF.
 */
export function nextField(cursor: FieldCursor): boolean {
  const { text } = cursor
  const start = cursor.lineEnd
  if (start >= text.length) return false
  const nameEnd = tokenEnd(text, start)
  if (nameEnd === start || text.charCodeAt(nameEnd) !== 0x3a) return bad(cursor)
  let from = nameEnd + 1
  while (isBlank(text.charCodeAt(from))) from++
  const runEnd = valueRunEnd(text, from)
  if (text.charCodeAt(runEnd) !== 0x0d || text.charCodeAt(runEnd + 1) !== 0x0a) return bad(cursor)
  let end = runEnd
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--
  cursor.lineStart = start
  cursor.nameEnd = nameEnd
  cursor.valueStart = from
  cursor.valueEnd = end
  cursor.lineEnd = runEnd + 2
  return true
}

function bad(cursor: FieldCursor): false {
  cursor.isBad = true
  return false
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** Whether the cursor's field has this name; `lower` is in lower case and as long as the field's name. */
export function isNamed(cursor: FieldCursor, lower: string): boolean {
  const { text, lineStart } = cursor
  for (let index = 0; index < lower.length; index++) {
    // Token characters and 0x20: letters fall to lower case, digits and '-' stay what they are.
    if ((text.charCodeAt(lineStart + index) | 0x20) !== lower.charCodeAt(index)) return false
  }
  return true
}

export function fieldText(cursor: FieldCursor): string {
  return cursor.text.slice(cursor.valueStart, cursor.valueEnd)
}

/** A Content-Length as a number; -1 unless it is digits only and safe to count with. */
export function contentLengthOf(cursor: FieldCursor): number {
  const { text, valueStart, valueEnd } = cursor
  if (valueStart === valueEnd || valueEnd - valueStart > 15) return -1
  let length = 0
  for (let at = valueStart; at < valueEnd; at++) {
    const digit = text.charCodeAt(at) - 0x30
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length
}

/** The words of a comma separated list, in lower case. */
export function listed(value: string): string[] {
  return value
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '')
}

/** What a Connection header may never take out of a message, since both sides rely on it. */
const NEVER_DROPPED = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'close', 'keep-alive', 'upgrade', 'te'])

/** The field lines of `text` without those named; what comes in is well-formed, as it has been read once. */
export function withoutFields(text: string, names: ReadonlySet<string> | ReadonlyMap<string, unknown>): string {
  const cursor = createFieldCursor()
  cursor.text = text
  let kept = ''
  while (nextField(cursor)) {
    const name = text.slice(cursor.lineStart, cursor.nameEnd).toLowerCase()
    if (!names.has(name)) kept += text.slice(cursor.lineStart, cursor.lineEnd)
  }
  return kept
}

/** The fields that a Connection header names as meant for the next hop only. */
export function connectionDrops(words: readonly string[]): ReadonlySet<string> {
  return new Set(words.filter((word) => !NEVER_DROPPED.has(word)))
}

/** The first field of that name (in lower case) among field lines; for the few routes that match headers. */
export function fieldValue(text: string, name: string): string | undefined {
  const cursor = createFieldCursor()
  cursor.text = text
  while (nextField(cursor)) {
    if (cursor.nameEnd - cursor.lineStart === name.length && isNamed(cursor, name)) return fieldText(cursor)
  }
  return undefined
}

/** Whether a Host is empty or a name or address with an optional port, and nothing that means something in another header. */
export function isSafeHost(host: string): boolean {
  return host === '' || /^[\w.\-:[\]~%]+$/.test(host)
}

/** Whether a head that is not complete yet has a line that does not end as lines must; waiting for its end would be in vain. */
export function hasBareLineFeed(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(0x0a, from); at !== -1; at = bytes.indexOf(0x0a, at + 1)) if (bytes[at - 1] !== 0x0d) return true
  return false
}
