import { parseQuantity } from '../../apimachinery/quantity.js'
import { goDurationMs } from '../../base/duration.js'

/** `data` of a ConfigMap. */
export type ConfigData = Readonly<Record<string, string>>

/** What is wrong with a value, as the configuration's own parser would tell it. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ConfigError'
  }
}

/** A Go duration, with what is wrong with it in Go's words. Returns milliseconds. */
export function duration(text: string): number {
  const ms = goDurationMs(text)
  if (ms !== undefined) return ms
  const unit = /^[+-]?\d+(?:\.\d*)?([^\d.]+)/.exec(text)?.[1]
  if (/^[+-]?\d+(?:\.\d*)?$/.test(text)) throw new ConfigError(`time: missing unit in duration ${JSON.stringify(text)}`)
  throw new ConfigError(
    unit
      ? `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`
      : `time: invalid duration ${JSON.stringify(text)}`,
  )
}

export function float(text: string): number {
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) throw syntax('ParseFloat', text)
  return Number(text)
}

const BITS = { 32: 2 ** 31, 64: 2 ** 63 } as const

export function integer(bits: 32 | 64): (text: string) => number {
  return (text) => {
    if (!/^[+-]?\d+$/.test(text)) throw syntax('ParseInt', text)
    const value = Number(text)
    if (value >= BITS[bits] || value < -BITS[bits]) throw range('ParseInt', text)
    return value
  }
}

export function unsigned(text: string): number {
  if (!/^\d+$/.test(text)) throw syntax('ParseUint', text)
  const value = Number(text)
  if (value >= 2 ** 32) throw range('ParseUint', text)
  return value
}

export function quantity(text: string): bigint {
  const amount = parseQuantity(text)
  if (amount === undefined)
    throw new ConfigError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
  return amount
}

const syntax = (what: string, text: string): ConfigError =>
  new ConfigError(`strconv.${what}: parsing ${JSON.stringify(text)}: invalid syntax`)
const range = (what: string, text: string): ConfigError =>
  new ConfigError(`strconv.${what}: parsing ${JSON.stringify(text)}: value out of range`)

/** The value under the last of these keys that is there, or the default (knative.dev/pkg configmap/parse.go). */
export function parsed<T>(data: ConfigData, keys: string | readonly string[], parse: (text: string) => T, fallback: T): T {
  let value = fallback
  for (const key of typeof keys === 'string' ? [keys] : keys) {
    if (!Object.hasOwn(data, key)) continue
    try {
      value = parse(data[key]!)
    } catch (error) {
      if (error instanceof ConfigError) throw new ConfigError(`failed to parse ${JSON.stringify(key)}: ${error.message}`)
      throw error
    }
  }
  return value
}

/** As Go's ParseBool reads it; what is no boolean is false. */
export function flag(text: string): boolean {
  return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)
}
