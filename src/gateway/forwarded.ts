/** The header lines that tell an application where a request comes from. */

export interface ForwardedFields {
  forwardedFor: string
  forwardedProto: string
  forwardedHost: string
  forwarded: string
}

/** An address as sockets report it, without the wrapping of IPv4 in IPv6. */
export function plainAddress(address: string | undefined): string {
  if (!address) return 'unknown'
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

/** An address and a port as Go writes them together. */
export function hostPort(address: string, port: number | undefined): string {
  return address.includes(':') ? `[${address}]:${port ?? 0}` : `${address}:${port ?? 0}`
}

/**
 * X-Forwarded-For with the client added, X-Forwarded-Proto and -Host as a proxy further out said or as they are here, and
 * Forwarded, made from these three where the client sent none.
 *
 * @see knative/serving v1.23 pkg/http/handler/forwarded_shim.go
 */
export function forwardedHeaders(fields: ForwardedFields, client: string, host: string): [name: string, value: string][] {
  const addresses = fields.forwardedFor === '' ? client : `${fields.forwardedFor}, ${client}`
  const proto = fields.forwardedProto || 'http'
  const forwardedHost = fields.forwardedHost || host
  const headers: [string, string][] = [
    ['X-Forwarded-For', addresses],
    ['X-Forwarded-Proto', proto],
  ]
  if (forwardedHost !== '') headers.push(['X-Forwarded-Host', forwardedHost])
  headers.push(['Forwarded', fields.forwarded || forwardedFrom(addresses, forwardedHost, proto)])
  return headers
}

/** The same as lines of HTTP/1.1. */
export function forwardedLines(fields: ForwardedFields, client: string, host: string): string {
  return forwardedHeaders(fields, client, host)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}

function forwardedFrom(addresses: string, host: string, proto: string): string {
  const [first = '', ...others] = addresses.split(',').map((address) => address.trim())
  const pairs = [`for=${quoted(first)}`, ...(host === '' ? [] : [`host=${host}`]), `proto=${proto}`]
  return [pairs.join(';'), ...others.map((address) => `for=${quoted(address)}`)].join(', ')
}

function quoted(address: string): string {
  return address.includes(':') ? `"[${address.replace(/^\[|\]$/g, '')}]"` : address
}
