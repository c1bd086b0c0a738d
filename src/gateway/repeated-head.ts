/** Reads heads, and remembers the last one. */
export interface RepeatedHead<H> {
  /** The head in these bytes, of which `end` is where its last CRLF CRLF begins. It is good until the next is read by anyone. */
  read(bytes: Buffer, start: number, end: number): H
  /** The head that was read last, when these bytes are that head once more and nothing else. */
  again(bytes: Buffer): H | undefined
  /** The head that was read last is the same as the one before it. */
  readonly isRepeated: boolean
}

/** Longer ones are read anew each time. */
const KEPT_BYTES = 4096

/**
 * A client asks for the same again and again, an application answers alike: a head that comes for a second time in a row is read once
 * more and kept (what `readText` returns is another's with the next call), and from then on only compared.
 */
export function createRepeatedHead<H extends object>(readText: (text: string) => H): RepeatedHead<H> {
  let last = ''
  let kept: H | undefined
  let keptBytes: Buffer | undefined
  let isRepeated = false
  return {
    get isRepeated() {
      return isRepeated
    },
    again(bytes) {
      if (!keptBytes || bytes.length !== keptBytes.length || !keptBytes.equals(bytes)) return undefined
      isRepeated = true
      return kept
    },
    read(bytes, start, end) {
      const text = bytes.toString('latin1', start, end + 2)
      isRepeated = text === last
      if (!isRepeated) {
        last = text
        kept = undefined
        keptBytes = undefined
        return readText(text)
      }
      kept ??= { ...readText(text) }
      if (!keptBytes && start === 0 && end + 4 === bytes.length && end <= KEPT_BYTES) keptBytes = Buffer.from(bytes)
      return kept
    },
  }
}
