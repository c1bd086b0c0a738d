import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { anyObject, fields, flag, int32, listOf, objectReference, objectSchema, text, textMap, texts } from '../schema-parts.js'
import { endpointSliceKind } from './kind.js'
import type { EndpointSlice } from './schema.js'

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']
/** How many ports and addresses the columns name before they only count. */
const SHOWN = 3

const columns: readonly Column[] = [
  { name: 'AddressType', type: 'string', cell: ({ addressType }: EndpointSlice) => addressType },
  { name: 'Ports', type: 'string', cell: portsCell },
  { name: 'Endpoints', type: 'string', cell: endpointsCell },
]

export const endpointSliceServed: ServedKind<EndpointSlice> = {
  kind: { ...endpointSliceKind, columns },
  builtIn: true,
  unconditionalUpdate: true,
  schema: objectSchema(
    'EndpointSlice represents a set of service endpoints.',
    {
      addressType: text,
      endpoints: listOf(
        fields(
          {
            addresses: texts,
            conditions: fields({ ready: flag, serving: flag, terminating: flag }),
            deprecatedTopology: textMap,
            hints: anyObject,
            hostname: text,
            nodeName: text,
            targetRef: objectReference,
            zone: text,
          },
          ['addresses'],
        ),
      ),
      ports: listOf(fields({ appProtocol: text, name: text, port: int32, protocol: text })),
    },
    ['addressType', 'endpoints'],
  ),
  defaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  validate({ addressType }, { old }) {
    if (!ADDRESS_TYPES.includes(addressType)) return [causes.notSupported('addressType', addressType, ADDRESS_TYPES)]
    return old && old.addressType !== addressType ? [causes.invalid('addressType', addressType, 'field is immutable')] : []
  },
}

function portsCell({ ports = [] }: EndpointSlice): string {
  if (ports.length === 0) return '<unset>'
  return counted(ports.map(({ port }) => (port === undefined ? '*' : String(port))))
}

function endpointsCell({ endpoints }: EndpointSlice): string {
  const all = endpoints.flatMap(({ addresses }) => addresses)
  return all.length === 0 ? '<unset>' : counted(all)
}

function counted(all: readonly string[]): string {
  return all.slice(0, SHOWN).join(',') + (all.length > SHOWN ? ` + ${all.length - SHOWN} more...` : '')
}
