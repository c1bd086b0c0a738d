import { age } from '../../../apimachinery/age.js'
import type { ServedKind } from '../../../apimachinery/kind.js'
import { fields, int32, listOf, objectReference, objectSchema, text } from '../schema-parts.js'
import { endpointsKind } from './kind.js'
import type { Endpoints } from './schema.js'

/** How many addresses the column names before it only counts (pkg/printers/internalversion formatEndpoints). */
const SHOWN = 3

const address = fields({ hostname: text, ip: text, nodeName: text, targetRef: objectReference }, ['ip'])

export const endpointsServed: ServedKind<Endpoints> = {
  kind: {
    ...endpointsKind,
    columns: [
      { name: 'Endpoints', type: 'string', description: 'Addresses of the endpoints.', cell: endpointsCell },
      { name: 'Age', type: 'string', cell: (endpoints: Endpoints, nowMs) => age(endpoints.metadata.creationTimestamp, nowMs) },
    ],
  },
  builtIn: true,
  unconditionalUpdate: true,
  createsOnUpdate: true,
  generation: false,
  schema: objectSchema('Endpoints is a collection of endpoints that implement the actual service.', {
    subsets: listOf(
      fields({
        addresses: listOf(address),
        notReadyAddresses: listOf(address),
        ports: listOf(fields({ appProtocol: text, name: text, port: int32, protocol: { type: 'string', default: 'TCP' } }, ['port'])),
      }),
    ),
  }),
}

function endpointsCell({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0 ? addresses.map(({ ip }) => ip) : ports.flatMap(({ port }) => addresses.map(({ ip }) => `${ip}:${port}`)),
  )
  if (all.length === 0) return '<none>'
  const more = all.length > SHOWN ? ` + ${all.length - SHOWN} more...` : ''
  return all.slice(0, SHOWN).join(',') + more
}
