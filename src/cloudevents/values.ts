/** The day before whose first moment nothing happened: what Go prints for a time that is not set. */
export const NO_TIME = '0001-01-01T00:00:00Z'

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * A timestamp as Knative's SDK prints it: RFC 3339 in UTC, with as many of nine decimals as are not 0. Undefined for what it does not
 * read: lower-case letters, second 60, days that the month has not.
 * @see cloudevents/sdk-go v2/types FormatTime, ParseTime
 */
export function timestampFrom(text: string): string | undefined {
  const match = RFC_3339.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, decimals = '', sign, offsetHours = '0', offsetMinutes = '0'] = match
  const numbers = [Number(month), Number(day), Number(hour), Number(minute), Number(second), Number(offsetHours), Number(offsetMinutes)]
  const [months, days, hours, minutes, seconds, zoneHours, zoneMinutes] = numbers as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (months < 1 || months > 12 || days < 1 || days > DAYS[months - 1]! || (months === 2 && days === 29 && !isLeap(Number(year))))
    return undefined
  if (hours > 23 || minutes > 59 || seconds > 59 || zoneHours > 24 || zoneMinutes > 59) return undefined
  const fraction = decimals.slice(0, 9).replace(/0+$/, '')
  const tail = fraction === '' ? 'Z' : `.${fraction}Z`
  if (sign === undefined || (zoneHours === 0 && zoneMinutes === 0)) return `${text.slice(0, 19)}${tail}`
  // Date.UTC reads the years before 100 as the 20th century's.
  const local = new Date(0)
  local.setUTCFullYear(Number(year), months - 1, days)
  local.setUTCHours(hours, minutes, seconds)
  const shiftMs = (zoneHours * 60 + zoneMinutes) * 60_000
  const moment = new Date(local.getTime() + (sign === '-' ? shiftMs : -shiftMs))
  const utcYear = moment.getUTCFullYear()
  return utcYear < 0 || utcYear > 9999 ? undefined : `${moment.toISOString().slice(0, 19)}${tail}`
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** What keeps a text from being a URI reference, as a sentence's end. @see net/url parse: what it accepts is what the broker accepts */
export function uriProblem(text: string): string | undefined {
  if (/[\x00-\x1f\x7f]/.test(text)) return 'has a control character'
  if (text.startsWith(':')) return 'lacks a scheme before its colon'
  const hash = text.indexOf('#')
  const [beforeFragment, fragment] = hash < 0 ? [text, ''] : [text.slice(0, hash), text.slice(hash + 1)]
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(beforeFragment)?.[0] ?? ''
  const query = beforeFragment.indexOf('?', scheme.length)
  const rest = beforeFragment.slice(scheme.length, query < 0 ? undefined : query)
  if (hasBadEscape(fragment)) return 'has a % that starts no escape'
  if (!rest.startsWith('/')) {
    if (scheme !== '') return undefined
    if (rest.split('/', 1)[0]!.includes(':')) return 'has a colon in its first segment'
    return hasBadEscape(rest) ? 'has a % that starts no escape' : undefined
  }
  if (rest.startsWith('//') && (scheme !== '' || !rest.startsWith('///'))) {
    const slash = rest.indexOf('/', 2)
    const authority = rest.slice(2, slash < 0 ? undefined : slash)
    const problem = hostProblem(authority.slice(authority.lastIndexOf('@') + 1))
    if (problem) return problem
  }
  return hasBadEscape(rest) ? 'has a % that starts no escape' : undefined
}

function hostProblem(host: string): string | undefined {
  if (/[ {}|\\^`]/.test(host)) return 'has a character in its host that no host has'
  const port = host.startsWith('[') ? /\](.*)$/.exec(host)?.[1] : (/:.*$/.exec(host)?.[0] ?? '')
  if (port === undefined) return 'has an opening bracket in its host that is not closed'
  return /^(:\d*)?$/.test(host.startsWith('[') ? port : port.slice(port.lastIndexOf(':'))) ? undefined : 'has a port that is not a number'
}

function hasBadEscape(text: string): boolean {
  return text.includes('%') && /%(?![0-9A-Fa-f]{2})/.test(text)
}

/** Whether a URI names its scheme. */
export function isAbsoluteUri(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const MEDIA_TYPE = new RegExp(`^${TOKEN}(?:/${TOKEN})?\\s*(?:;|$)`)
const PARAMETER = new RegExp(`\\s*;\\s*(${TOKEN})\\s*=\\s*(?:${TOKEN}|"(?:[^"\\\\\\r\\n]|\\\\[^\\r\\n])*")\\s*(?=;|$)`, 'y')

/** Whether a text is a media type with well-formed parameters, none of them twice. @see mime.ParseMediaType, which the broker asks */
export function isMediaType(text: string): boolean {
  if (!MEDIA_TYPE.test(text)) return false
  const semicolon = text.indexOf(';')
  if (semicolon < 0) return true
  const seen = new Set<string>()
  PARAMETER.lastIndex = text.slice(0, semicolon).trimEnd().length
  for (;;) {
    const from = PARAMETER.lastIndex
    const match = PARAMETER.exec(text)
    if (!match) {
      const rest = text.slice(from).trim()
      return rest === '' || rest === ';'
    }
    const name = match[1]!.toLowerCase()
    if (seen.has(name)) return false
    seen.add(name)
  }
}

/** The media type without parameters, in lower case. */
export function mediaTypeOf(contentType: string): string {
  const semicolon = contentType.indexOf(';')
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
}

/** Whether data of this content type is JSON; without a content type it is. @see cloudevents/sdk-go v2/event, isJSON */
export function isJsonContent(contentType: string | undefined): boolean {
  if (contentType === undefined) return true
  const mediaType = mediaTypeOf(contentType)
  return mediaType === '' || mediaType === 'application/json' || mediaType === 'text/json' || mediaType.endsWith('+json')
}
