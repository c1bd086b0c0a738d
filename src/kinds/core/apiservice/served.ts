import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import type { Column, ServedKind } from '../../../apimachinery/kind.js'
import { dns1035Label, subdomain } from '../../../apimachinery/names.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { conditions, described, fields, flag, int32, objectSchema, text } from '../schema-parts.js'
import { apiServiceKind } from './kind.js'
import type { APIService } from './schema.js'

const columns: readonly Column[] = [
  {
    name: 'Service',
    type: 'string',
    description: 'Who answers.',
    cell: ({ spec }: APIService) => (spec.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local'),
  },
  { name: 'Available', type: 'string', description: 'Whether it does.', cell: availableText },
  { name: 'Age', type: 'string', cell: ({ metadata }: APIService, nowMs) => age(metadata.creationTimestamp, nowMs) },
]

const DEFAULT_PORT = 443

/** Which group and version is answered by whom. */
export const apiServiceServed: ServedKind<APIService> = {
  kind: { ...apiServiceKind, columns },
  builtIn: true,
  unconditionalUpdate: false,
  generation: false,
  nameRule: 'pathSegment',
  schema: objectSchema('APIService says who answers for a version of a group.', {
    spec: fields({
      caBundle: { type: 'string', format: 'byte' },
      group: text,
      groupPriorityMinimum: int32,
      insecureSkipTLSVerify: flag,
      service: described('Who answers; absent for this server itself.', fields({ name: text, namespace: text, port: int32 })),
      version: text,
      versionPriority: int32,
    }),
    status: fields({ conditions }),
  }),
  defaults(apiService) {
    apiService.spec ??= { groupPriorityMinimum: 0, versionPriority: 0 }
    if (apiService.spec.service) apiService.spec.service.port ??= DEFAULT_PORT
  },
  validate: specCauses,
}

function availableText({ status }: APIService): string {
  const available = status?.conditions?.find(({ type }) => type === 'Available')
  if (!available) return 'Unknown'
  return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`
}

const HIGHEST_GROUP_PRIORITY = 20_000
const HIGHEST_VERSION_PRIORITY = 1000

/** @see kubernetes/kube-aggregator v0.35 pkg/apis/apiregistration/validation/validation.go */
function specCauses({ metadata: { name }, spec }: APIService): Cause[] {
  const { group = '', version = '', service, caBundle, insecureSkipTLSVerify, groupPriorityMinimum, versionPriority } = spec
  const required = `${version}.${group}`
  const found: Cause[] = []
  if (name !== required) found.push(causes.invalid('metadata.name', name, `must be \`spec.version+"."+spec.group\`: "${required}"`))
  if (group) for (const problem of subdomain(group)) found.push(causes.invalid('spec.group', group, problem))
  for (const problem of dns1035Label(version)) found.push(causes.invalid('spec.version', version, problem))
  if (!(groupPriorityMinimum > 0 && groupPriorityMinimum <= HIGHEST_GROUP_PRIORITY))
    found.push(
      causes.invalid('spec.groupPriorityMinimum', groupPriorityMinimum ?? 0, `must be positive and less than ${HIGHEST_GROUP_PRIORITY}`),
    )
  if (!(versionPriority > 0 && versionPriority <= HIGHEST_VERSION_PRIORITY))
    found.push(causes.invalid('spec.versionPriority', versionPriority ?? 0, `must be positive and less than ${HIGHEST_VERSION_PRIORITY}`))
  if (!service) {
    if (caBundle) found.push(causes.invalid('spec.caBundle', `${caBundle.length} bytes`, 'local APIServices may not have a caBundle'))
    if (insecureSkipTLSVerify)
      found.push(
        causes.invalid('spec.insecureSkipTLSVerify', insecureSkipTLSVerify, 'local APIServices may not have insecureSkipTLSVerify'),
      )
    return found
  }
  if (!service.namespace) found.push(causes.required('spec.service.namespace'))
  if (!service.name) found.push(causes.required('spec.service.name'))
  const { port = DEFAULT_PORT } = service
  if (port < 1 || port > 65_535)
    found.push(causes.invalid('spec.service.port', port, 'port is not valid: must be between 1 and 65535, inclusive'))
  if (insecureSkipTLSVerify && caBundle)
    found.push(causes.invalid('spec.insecureSkipTLSVerify', insecureSkipTLSVerify, 'may not be true if caBundle is present'))
  return found
}
