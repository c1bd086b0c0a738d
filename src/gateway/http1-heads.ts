import {
  connectionDrops,
  contentLengthOf,
  createFieldCursor,
  fieldText,
  isNamed,
  isSafeHost,
  listed,
  nextField,
  targetEnd,
  tokenEnd,
  valueRunEnd,
  withoutFields,
} from './http1-fields.js'

/** A head longer than this is refused (431), in bytes. */
export const MAX_HEAD_BYTES = 64 * 1024

/** A request's head, read. One record is reused for all requests: copy what must outlive the next one. */
export interface RequestHead {
  /** 0 when it is good; else the status to refuse it with. */
  refusal: number
  method: string
  /** In origin form ("/path?query") or "*". */
  target: string
  /** The minor version: 0 or 1. */
  minor: number
  /** The Host, with port, as it came; '' when there is none. */
  host: string
  /** Bytes of body; -1 when there is no Content-Length. */
  contentLength: number
  isChunked: boolean
  /** What the client asked for, its version's default included. */
  keepsAlive: boolean
  expectsContinue: boolean
  /** The protocols asked for, '' for none. */
  upgrade: string
  forwardedFor: string
  forwardedProto: string
  forwardedHost: string
  forwarded: string
  /** A host that takes Host's place. */
  originalHost: string
  userAgent: string
  probe: string
  probeHash: string
  /** The client takes trailers. */
  takesTrailers: boolean
  /**
   * The field lines that go on to the application as they are: end-to-end ones, Content-Length included, without Host, without
   * what the gateway sets anew. Each ends in CRLF.
   */
  fields: string
}

export interface ResponseHead {
  isGood: boolean
  status: number
  /** "200 OK". */
  statusText: string
  minor: number
  contentLength: number
  isChunked: boolean
  keepsAlive: boolean
  /** Seconds of the application's Keep-Alive timeout; -1 when it names none. */
  keepAliveSeconds: number
  upgrade: string
  /** The end-to-end field lines, without Content-Length. */
  fields: string
}

const HTTP_1 = ' HTTP/1.'

/** Readers of heads. `text` is a head as latin1, from its first line to the CRLF before the empty line. */
export interface HeadReader {
  readonly request: RequestHead
  readonly response: ResponseHead
  readRequest(text: string): RequestHead
  readResponse(text: string): ResponseHead
}

/**
 * A strict reader: one Host, one numeric Content-Length, never Content-Length with Transfer-Encoding, chunked as the only
 * coding, token-only methods and names, no bare LF, no folded lines.
 *
 * @see RFC 9112 sections 3, 5 and 6
 */
export function createHeadReader(): HeadReader {
  const request = emptyRequest()
  const response = emptyResponse()
  const cursor = createFieldCursor()

  const readRequestLine = (text: string): number => {
    const methodEnd = tokenEnd(text, 0)
    if (methodEnd === 0 || text.charCodeAt(methodEnd) !== 0x20) return 400
    const end = targetEnd(text, methodEnd + 1)
    if (end === methodEnd + 1) return 400
    if (!text.startsWith(HTTP_1, end)) return text.startsWith(' HTTP/', end) ? 505 : 400
    const minor = text.charCodeAt(end + 8) - 0x30
    if (text.charCodeAt(end + 9) !== 0x0d || text.charCodeAt(end + 10) !== 0x0a) return 400
    if (minor !== 0 && minor !== 1) return 505
    request.method = text.slice(0, methodEnd)
    request.target = text.slice(methodEnd + 1, end)
    request.minor = minor
    cursor.lineEnd = end + 11
    return 0
  }

  /** Reads what the cursor is at; says whether the line goes on to the application as it is, or a refusal. */
  const readRequestField = (): 'keep' | 'drop' | 400 | 501 => {
    switch (cursor.nameEnd - cursor.lineStart) {
      case 2:
        if (!isNamed(cursor, 'te')) return 'keep'
        request.takesTrailers ||= listed(fieldText(cursor)).includes('trailers')
        return 'drop'
      case 4:
        if (!isNamed(cursor, 'host')) return 'keep'
        if (hasHost) return 400
        hasHost = true
        request.host = fieldText(cursor)
        return 'drop'
      case 6:
        if (!isNamed(cursor, 'expect')) return 'keep'
        request.expectsContinue = fieldText(cursor).toLowerCase() === '100-continue'
        return 'keep'
      case 7:
        if (!isNamed(cursor, 'upgrade')) return 'keep'
        request.upgrade = request.upgrade === '' ? fieldText(cursor) : `${request.upgrade}, ${fieldText(cursor)}`
        return 'drop'
      case 9:
        if (!isNamed(cursor, 'forwarded')) return 'keep'
        request.forwarded = joined(request.forwarded, fieldText(cursor))
        return 'drop'
      case 10:
        if (isNamed(cursor, 'connection')) {
          connection = joined(connection, fieldText(cursor))
          return 'drop'
        }
        if (isNamed(cursor, 'user-agent')) request.userAgent = fieldText(cursor)
        return isNamed(cursor, 'keep-alive') ? 'drop' : 'keep'
      case 14:
        if (isNamed(cursor, 'content-length')) {
          if (request.contentLength !== -1) return 400
          request.contentLength = contentLengthOf(cursor)
          return request.contentLength === -1 ? 400 : 'keep'
        }
        if (isNamed(cursor, 'k-network-hash')) {
          request.probeHash = fieldText(cursor)
          return 'drop'
        }
        return isNamed(cursor, 'http2-settings') ? 'drop' : 'keep'
      case 15:
        if (isNamed(cursor, 'x-forwarded-for')) request.forwardedFor = joined(request.forwardedFor, fieldText(cursor))
        else if (isNamed(cursor, 'k-network-probe')) {
          request.probe = fieldText(cursor)
          return 'keep'
        } else if (isNamed(cursor, 'k-original-host')) request.originalHost = fieldText(cursor)
        else if (!isNamed(cursor, 'k-proxy-request')) return 'keep'
        return 'drop'
      case 16:
        if (isNamed(cursor, 'x-forwarded-host')) request.forwardedHost = fieldText(cursor)
        else if (!isNamed(cursor, 'proxy-connection')) return 'keep'
        return 'drop'
      case 17:
        if (isNamed(cursor, 'x-forwarded-proto')) request.forwardedProto = fieldText(cursor)
        else if (isNamed(cursor, 'transfer-encoding')) {
          if (request.isChunked) return 400
          if (fieldText(cursor).toLowerCase() !== 'chunked') return 501
          request.isChunked = true
        } else return 'keep'
        return 'drop'
      case 19:
        return isNamed(cursor, 'proxy-authorization') ? 'drop' : 'keep'
      case 24:
        return isNamed(cursor, 'knative-serving-revision') ? 'drop' : 'keep'
      case 25:
        return isNamed(cursor, 'knative-serving-namespace') ? 'drop' : 'keep'
      default:
        return 'keep'
    }
  }
  let hasHost = false
  let connection = ''

  const refuse = (status: number): RequestHead => {
    request.refusal = status
    return request
  }

  return {
    request,
    response,
    readRequest(text) {
      resetRequest(request)
      hasHost = false
      connection = ''
      cursor.text = text
      cursor.isBad = false
      const lineRefusal = readRequestLine(text)
      if (lineRefusal !== 0) return refuse(lineRefusal)

      let fields = ''
      let keptFrom = cursor.lineEnd
      while (nextField(cursor)) {
        const verdict = readRequestField()
        if (verdict === 'keep') continue
        if (verdict !== 'drop') return refuse(verdict)
        if (cursor.lineStart > keptFrom) fields += text.slice(keptFrom, cursor.lineStart)
        keptFrom = cursor.lineEnd
      }
      if (cursor.isBad) return refuse(400)
      if (keptFrom < text.length) fields += text.slice(keptFrom)

      if (request.isChunked && (request.contentLength !== -1 || request.minor === 0)) return refuse(400)
      if (!hasHost && request.minor === 1) return refuse(400)
      request.keepsAlive = request.minor === 1
      if (connection !== '') {
        const words = listed(connection)
        if (words.includes('close')) request.keepsAlive = false
        else if (words.includes('keep-alive')) request.keepsAlive = true
        if (!words.includes('upgrade')) request.upgrade = ''
        const drops = connectionDrops(words)
        if (drops.size > 0) fields = withoutFields(fields, drops)
      } else request.upgrade = ''
      // HTTP/2 by upgrade is no longer a thing: such a request is answered in HTTP/1.1. @see RFC 9113 section 3.1
      if (request.upgrade !== '' && listed(request.upgrade).includes('h2c')) request.upgrade = ''
      if (request.target.charCodeAt(0) !== 0x2f) {
        const refusal = takeAbsoluteTarget(request)
        if (refusal !== 0) return refuse(refusal)
      }
      if (!isSafeHost(request.host) || !isSafeHost(request.originalHost)) return refuse(400)
      request.fields = fields
      return request
    },
    readResponse(text) {
      response.isGood = false
      response.contentLength = -1
      response.isChunked = false
      response.keepAliveSeconds = -1
      response.upgrade = ''
      cursor.text = text
      cursor.isBad = false
      if (!text.startsWith('HTTP/1.')) return response
      response.minor = text.charCodeAt(7) - 0x30
      const code = text.slice(9, 12)
      const status = /^\d{3}$/.test(code) ? Number(code) : 0
      const lineEnd = valueRunEnd(text, 9)
      const isLine = text.charCodeAt(8) === 0x20 && (lineEnd === 12 || text.charCodeAt(12) === 0x20)
      if (!isLine || status < 100 || (response.minor !== 0 && response.minor !== 1)) return response
      if (text.charCodeAt(lineEnd) !== 0x0d || text.charCodeAt(lineEnd + 1) !== 0x0a) return response
      response.status = status
      response.statusText = lineEnd === 12 ? `${status} ` : text.slice(9, lineEnd)

      let hop = ''
      let keptFrom = lineEnd + 2
      let fields = ''
      cursor.lineEnd = lineEnd + 2
      while (nextField(cursor)) {
        const length = cursor.nameEnd - cursor.lineStart
        if (length === 14 && isNamed(cursor, 'content-length')) {
          const bytes = contentLengthOf(cursor)
          if (bytes === -1 || (response.contentLength !== -1 && response.contentLength !== bytes)) return response
          response.contentLength = bytes
        } else if (length === 10 && isNamed(cursor, 'connection')) hop = joined(hop, fieldText(cursor))
        else if (length === 10 && isNamed(cursor, 'keep-alive')) {
          const seconds = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(fieldText(cursor))
          if (seconds) response.keepAliveSeconds = Number(seconds[1])
        } else if (length === 17 && isNamed(cursor, 'transfer-encoding')) {
          if (response.isChunked || fieldText(cursor).toLowerCase() !== 'chunked') return response
          response.isChunked = true
        } else if (length === 7 && isNamed(cursor, 'upgrade')) response.upgrade = fieldText(cursor)
        else if (!(length === 16 && isNamed(cursor, 'proxy-connection'))) continue
        if (cursor.lineStart > keptFrom) fields += text.slice(keptFrom, cursor.lineStart)
        keptFrom = cursor.lineEnd
      }
      if (cursor.isBad) return response
      if (keptFrom < text.length) fields += text.slice(keptFrom)

      response.keepsAlive = response.minor === 1
      if (hop !== '') {
        const words = listed(hop)
        if (words.includes('close')) response.keepsAlive = false
        else if (words.includes('keep-alive')) response.keepsAlive = true
        const drops = connectionDrops(words)
        if (drops.size > 0) fields = withoutFields(fields, drops)
      }
      // A message with both is read by its coding; the connection that carried it is not trusted with another one.
      if (response.isChunked && response.contentLength !== -1) {
        response.contentLength = -1
        response.keepsAlive = false
      }
      response.fields = fields
      response.isGood = true
      return response
    },
  }
}

function joined(list: string, value: string): string {
  return list === '' ? value : `${list}, ${value}`
}

/** "http://host/path" becomes "/path" with that host, as for any proxy; the Host that came along is ignored. */
function takeAbsoluteTarget(request: RequestHead): number {
  if (request.target === '*' && request.method === 'OPTIONS') return 0
  if (request.method === 'CONNECT') return 405
  const parts = /^http:\/\/([^/?#@]+)(.*)$/i.exec(request.target)
  if (!parts) return 400
  const rest = parts[2]!
  request.host = parts[1]!
  request.target = rest.startsWith('/') ? rest : `/${rest}`
  return 0
}

function emptyRequest(): RequestHead {
  return {
    refusal: 0,
    method: '',
    target: '',
    minor: 1,
    host: '',
    contentLength: -1,
    isChunked: false,
    keepsAlive: true,
    expectsContinue: false,
    upgrade: '',
    forwardedFor: '',
    forwardedProto: '',
    forwardedHost: '',
    forwarded: '',
    originalHost: '',
    userAgent: '',
    probe: '',
    probeHash: '',
    takesTrailers: false,
    fields: '',
  }
}

function resetRequest(request: RequestHead): void {
  request.refusal = 0
  request.host = ''
  request.contentLength = -1
  request.isChunked = false
  request.expectsContinue = false
  request.upgrade = ''
  request.forwardedFor = ''
  request.forwardedProto = ''
  request.forwardedHost = ''
  request.forwarded = ''
  request.originalHost = ''
  request.userAgent = ''
  request.probe = ''
  request.probeHash = ''
  request.takesTrailers = false
}

function emptyResponse(): ResponseHead {
  return {
    isGood: false,
    status: 0,
    statusText: '',
    minor: 1,
    contentLength: -1,
    isChunked: false,
    keepsAlive: true,
    keepAliveSeconds: -1,
    upgrade: '',
    fields: '',
  }
}
