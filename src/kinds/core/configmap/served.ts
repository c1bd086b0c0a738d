import { causes } from '../../../apimachinery/causes.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import { isSameJson } from '../../../controller/same-json.js'
import { decodedBytes, immutableCauses, keyCauses, MAX_DATA_BYTES } from '../key-causes.js'
import { described, flag, objectSchema, textMap } from '../schema-parts.js'
import { configMapKind } from './kind.js'
import type { ConfigMap } from './schema.js'

export const configMapServed: ServedKind<ConfigMap> = {
  kind: {
    ...configMapKind,
    columns: [
      {
        name: 'Data',
        type: 'integer',
        description: 'How many entries it holds.',
        cell: ({ data, binaryData }: ConfigMap) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
      },
    ],
  },
  builtIn: true,
  unconditionalUpdate: true,
  generation: false,
  schema: objectSchema('ConfigMap holds configuration data for pods to consume.', {
    binaryData: described('Base64, by key.', textMap),
    data: described('Text, by key.', textMap),
    immutable: described('If true, the data can never be changed.', flag),
  }),
  validate({ data, binaryData, immutable }, { old }) {
    const found = [...keyCauses(data, 'data'), ...keyCauses(binaryData, 'binaryData')]
    let bytes = 0
    for (const [key, value] of Object.entries(data ?? {})) {
      if (binaryData && Object.hasOwn(binaryData, key))
        found.push(causes.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
      bytes += Buffer.byteLength(value)
    }
    for (const [key, value] of Object.entries(binaryData ?? {})) {
      const size = decodedBytes(value)
      if (size === undefined) found.push(causes.invalid(`binaryData[${key}]`, value, 'must be base64'))
      bytes += size ?? 0
    }
    if (bytes > MAX_DATA_BYTES) found.push(causes.tooLong('', MAX_DATA_BYTES))
    const same = { data: isSameJson(data ?? {}, old?.data ?? {}), binaryData: isSameJson(binaryData ?? {}, old?.binaryData ?? {}) }
    return [...found, ...immutableCauses({ ...(immutable && { immutable }) }, old, same)]
  },
}
