import { createHash } from 'node:crypto'

/** The answer to a GET of something generated: discovery and OpenAPI. A 304 has an empty body. */
export interface DocumentAnswer {
  status: number
  headers: Record<string, string>
  body: Buffer
}

/** Bytes made once, with the hash that names them. */
export interface GeneratedDocument {
  bytes: Buffer
  /** Upper-case hex. */
  hash: string
}

export function generatedDocument(content: string | Uint8Array): GeneratedDocument {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content)
  return { bytes, hash: createHash('sha256').update(bytes).digest('hex').toUpperCase() }
}

/** 200 with the bytes, or 304 when `ifNoneMatch` names them already. */
export function documentAnswer(
  { bytes, hash }: GeneratedDocument,
  contentType: string,
  ifNoneMatch: string | undefined,
  more: Record<string, string> = {},
): DocumentAnswer {
  const etag = `"${hash}"`
  const headers = { 'Cache-Control': 'no-cache, private', ETag: etag, Vary: 'Accept', ...more }
  const known = ifNoneMatch?.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (known?.some((tag) => tag === etag || tag === '*')) return { status: 304, headers, body: Buffer.alloc(0) }
  return { status: 200, headers: { ...headers, 'Content-Type': contentType }, body: bytes }
}

/** One alternative of an Accept header, without its weight. */
export interface MediaRange {
  type: string
  parameters: Readonly<Record<string, string>>
}

/** The alternatives of an Accept header in the order they stand, which is how Kubernetes clients weigh them. */
export function mediaRanges(accept: string | undefined): MediaRange[] {
  return (accept ?? '')
    .split(',')
    .map((range) => {
      const [type = '', ...rest] = range.split(';').map((part) => part.trim())
      const parameters = Object.fromEntries(
        rest.map((part) => {
          const [name = '', value = ''] = part.split('=')
          return [name.toLowerCase(), value.replace(/^"|"$/g, '')] as const
        }),
      )
      return { type: type.toLowerCase(), parameters }
    })
    .filter(({ type }) => type !== '')
}
