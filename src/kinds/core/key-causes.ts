import { causes } from '../../apimachinery/causes.js'
import type { Cause } from '../../apimachinery/status-error.js'

/** The most a ConfigMap or Secret holds, in bytes (pkg/apis/core MaxSecretSize). */
export const MAX_DATA_BYTES = 1024 * 1024
const KEY_PATTERN = /^[-._a-zA-Z0-9]+$/
const KEY_RULE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

/** Findings about the keys of a ConfigMap or Secret (apimachinery pkg/util/validation IsConfigMapKey). */
export function keyCauses(data: Readonly<Record<string, string>> | undefined, field: string): Cause[] {
  return Object.keys(data ?? {}).flatMap((key) => {
    const path = `${field}[${key}]`
    if (key.length > 253) return [causes.invalid(path, key, 'must be no more than 253 characters')]
    if (!KEY_PATTERN.test(key)) return [causes.invalid(path, key, KEY_RULE)]
    if (key === '.') return [causes.invalid(path, key, "must not be '.'")]
    if (key === '..') return [causes.invalid(path, key, "must not be '..'")]
    return key.startsWith('..') ? [causes.invalid(path, key, "must not start with '..'")] : []
  })
}

/** Once immutable, always immutable, and its contents with it. */
export function immutableCauses(
  next: { immutable?: boolean },
  old: { immutable?: boolean } | undefined,
  fields: Readonly<Record<string, boolean>>,
): Cause[] {
  if (!old?.immutable) return []
  const rule = 'field is immutable when `immutable` is set'
  const found = next.immutable ? [] : [causes.forbidden('immutable', rule)]
  return [...found, ...Object.entries(fields).flatMap(([field, isSame]) => (isSame ? [] : [causes.forbidden(field, rule)]))]
}

/** Size of base64 text once decoded; undefined when it is none. */
export function decodedBytes(base64: string): number | undefined {
  const bare = base64.replace(/[\r\n]/g, '')
  if (bare.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(bare)) return undefined
  return (bare.length / 4) * 3 - (bare.endsWith('==') ? 2 : bare.endsWith('=') ? 1 : 0)
}
