import { causes } from '../../../apimachinery/causes.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { isSameJson } from '../../../controller/same-json.js'
import { decodedBytes, immutableCauses, keyCauses, MAX_DATA_BYTES } from '../key-causes.js'
import { described, flag, objectSchema, text, textMap } from '../schema-parts.js'
import { secretKind } from './kind.js'
import type { Secret } from './schema.js'

const SERVICE_ACCOUNT_ANNOTATION = 'kubernetes.io/service-account.name'

/** Keys that a type promises to its readers (pkg/apis/core/types.go SecretType). */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
}

export const secretServed: ServedKind<Secret> = {
  kind: {
    ...secretKind,
    columns: [
      { name: 'Type', type: 'string', description: 'The type of secret.', cell: ({ type }: Secret) => type ?? '' },
      {
        name: 'Data',
        type: 'integer',
        description: 'How many entries it holds.',
        cell: ({ data }: Secret) => Object.keys(data ?? {}).length,
      },
    ],
  },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  schema: objectSchema('Secret holds secret data of a certain type.', {
    data: described('Base64, by key.', textMap),
    immutable: described('If true, the data can never be changed.', flag),
    stringData: described('Text, by key; merged into data when written and never returned.', textMap),
    type: described('Tells programs how to read the data.', text),
  }),
  defaults(secret) {
    secret.type ||= 'Opaque'
    if (!secret.stringData) return
    const merged = Object.entries(secret.stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
    secret.data = { ...secret.data, ...Object.fromEntries(merged) }
    delete secret.stringData
  },
  validate(secret, { old }) {
    const { data = {}, type, immutable } = secret
    const found = [...keyCauses(data, 'data'), ...typeCauses(secret)]
    let bytes = 0
    for (const [key, value] of Object.entries(data)) {
      const size = decodedBytes(value)
      // The value itself is a secret, even a wrong one.
      if (size === undefined) found.push(causes.invalid(`data[${key}]`, '', 'must be base64'))
      bytes += size ?? 0
    }
    if (bytes > MAX_DATA_BYTES) found.push(causes.tooLong('data', MAX_DATA_BYTES))
    if (old && type !== old.type) found.push(causes.invalid('type', type, 'field is immutable'))
    return [...found, ...immutableCauses({ ...(immutable && { immutable }) }, old, { data: isSameJson(data, old?.data ?? {}) })]
  },
  fieldSelectors: { type: ({ type }) => type ?? '' },
}

function typeCauses({ type = '', data = {}, metadata }: Secret): Cause[] {
  const found = (REQUIRED_KEYS[type] ?? []).filter((key) => !Object.hasOwn(data, key)).map((key) => causes.required(`data[${key}]`))
  if (type === 'kubernetes.io/basic-auth' && !data['username'] && !data['password'])
    found.push(causes.required('data[username]'), causes.required('data[password]'))
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[SERVICE_ACCOUNT_ANNOTATION])
    found.push(causes.required(`metadata.annotations[${SERVICE_ACCOUNT_ANNOTATION}]`))
  const jsonKey =
    type === 'kubernetes.io/dockerconfigjson' ? '.dockerconfigjson' : type === 'kubernetes.io/dockercfg' ? '.dockercfg' : undefined
  if (!jsonKey) return found
  if (!Object.hasOwn(data, jsonKey)) return [...found, causes.required(`data[${jsonKey}]`)]
  try {
    JSON.parse(Buffer.from(data[jsonKey]!, 'base64').toString())
  } catch {
    found.push(causes.invalid(`data[${jsonKey}]`, '<secret contents redacted>', 'invalid character'))
  }
  return found
}
