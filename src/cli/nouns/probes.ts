import type { Probe } from '../../kinds/core/pod/schema.js'
import { usageError } from '../arguments.js'

const OPTIONS = {
  initialdelayseconds: 'initialDelaySeconds',
  timeoutseconds: 'timeoutSeconds',
  periodseconds: 'periodSeconds',
  successthreshold: 'successThreshold',
  failurethreshold: 'failureThreshold',
} as const

/**
 * A probe after `--probe-…` (what to ask, which replaces what was asked before) and `--probe-…-opts` (when).
 * Throws a usage error for forms that kn does not know.
 *
 * @see knative/client pkg/flags/podspec_helper.go
 */
export function probeFrom(before: Probe | undefined, probe: string | undefined, options: string | undefined): Probe | undefined {
  const { httpGet: _, tcpSocket: __, exec: ___, grpc: ____, ...timing } = before ?? {}
  const handler = probe
    ? handlerFrom(probe)
    : before && { httpGet: before.httpGet, tcpSocket: before.tcpSocket, exec: before.exec, grpc: before.grpc }
  const next = { ...definedOnly(handler ?? {}), ...timing, ...(options ? optionsFrom(options) : {}) }
  return Object.keys(next).length > 0 ? next : undefined
}

function handlerFrom(text: string): Probe {
  const [type = '', ...parts] = text.split(':')
  switch (type.toLowerCase()) {
    case 'http':
    case 'https': {
      if (parts.length !== 3) throw usageError('unexpected probe format, please use http:host:port:path or https:host:port:path')
      const [host, port, path] = parts as [string, string, string]
      return {
        httpGet: {
          ...(host && { host }),
          port: portFrom(port),
          ...(path && { path }),
          ...(type.toLowerCase() === 'https' && { scheme: 'HTTPS' }),
        },
      }
    }
    case 'tcp': {
      if (parts.length > 2) throw usageError('too many probe parameters provided, please check the format')
      const [host = '', port = ''] = parts
      return { tcpSocket: { ...(host && { host }), port: portFrom(port) } }
    }
    case 'exec': {
      const command = text.slice(type.length + 1)
      if (command === '') throw usageError('at least one command must be specified for exec probe')
      return { exec: { command: command.split(',') } }
    }
    default:
      throw usageError(`unsupported probe type '${type}'; supported types: http, https, exec, tcp`)
  }
}

/** A port may be a number or a name; an empty one is 0, which the server fills in. */
function portFrom(text: string): number | string {
  return text === '' ? 0 : /^\d+$/.test(text) ? Number(text) : text
}

function optionsFrom(text: string): Probe {
  const found: Record<string, number> = {}
  for (const part of text.split(',')) {
    const at = part.indexOf('=')
    if (at < 0) throw usageError(`Argument requires a value that contains the "=" character as delimiter; got ${JSON.stringify(part)}`)
    const name = part.slice(0, at)
    const field = OPTIONS[name.toLowerCase() as keyof typeof OPTIONS]
    if (!field) throw usageError(`not a valid probe parameter name '${name}'`)
    if (field in found) throw usageError(`The key ${JSON.stringify(name)} has been duplicate in [${text.split(',').join(' ')}]`)
    if (!/^-?\d+$/.test(part.slice(at + 1))) throw usageError(`not a nummeric value for parameter '${name}'`)
    found[field] = Number(part.slice(at + 1))
  }
  return found
}

function definedOnly<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}
