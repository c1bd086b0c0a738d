import { causes } from '../../../apimachinery/causes.js'
import { type CustomResourceDefinition, isDefinition } from '../../../apimachinery/custom-resource.js'
import type { AdmissionContext } from '../../../apimachinery/kind.js'
import { dns1035Label, subdomain } from '../../../apimachinery/names.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import { validateVersion } from './validate-versions.js'

const APPROVED = 'api-approved.kubernetes.io'
const REVIEW_VERSIONS = ['v1']

/**
 * What is wrong with a definition, told as on a cluster.
 * @see kubernetes/apiextensions-apiserver v0.35 pkg/apis/apiextensions/validation/validation.go
 */
export function validateDefinition(
  definition: CustomResourceDefinition,
  { old, warn }: Pick<AdmissionContext<CustomResourceDefinition>, 'old' | 'warn'>,
): Cause[] {
  const { metadata, spec } = definition
  const found: Cause[] = []
  const wanted = `${spec.names.plural}.${spec.group}`
  if (metadata.name !== wanted) found.push(causes.invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
  found.push(...validateApproval(definition))
  found.push(...validateGroup(spec.group))
  if (!spec.scope) found.push(causes.required('spec.scope'))
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced')
    found.push(causes.notSupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']))
  if (spec.preserveUnknownFields)
    found.push(
      causes.invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    )
  found.push(...validateNames(spec.names), ...validateVersions(definition, warn), ...validateConversion(spec.conversion))
  if (old) found.push(...validateChange(definition, old))
  return found
}

function validateGroup(group: string): Cause[] {
  if (!group) return [causes.required('spec.group')]
  const problems = subdomain(group).map((problem) => causes.invalid('spec.group', group, problem))
  if (problems.length > 0) return problems
  return group.includes('.') ? [] : [causes.invalid('spec.group', group, 'should be a domain with at least one dot')]
}

/** Groups of Kubernetes itself are for APIs that its community has reviewed, or that say that they were not. */
function validateApproval({ metadata, spec }: CustomResourceDefinition): Cause[] {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(spec.group)) return []
  const at = `metadata.annotations[${APPROVED}]`
  const value = metadata.annotations?.[APPROVED]
  if (value === undefined)
    return [
      causes.required(
        at,
        'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ),
    ]
  if (value.startsWith('unapproved') || URL.canParse(value)) return []
  return [
    causes.invalid(
      at,
      value,
      'protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111',
    ),
  ]
}

function validateNames(names: CustomResourceDefinition['spec']['names']): Cause[] {
  const found: Cause[] = []
  const label = (value: string, field: string): void => {
    for (const problem of dns1035Label(value)) found.push(causes.invalid(field, value, problem))
  }
  const kindLike = (value: string | undefined, field: string): void => {
    if (!value) found.push(causes.required(field))
    else
      for (const problem of dns1035Label(value.toLowerCase()))
        found.push(causes.invalid(field, value, `may have mixed case, but should otherwise match: ${problem}`))
  }
  if (!names.plural) found.push(causes.required('spec.names.plural'))
  else label(names.plural, 'spec.names.plural')
  if (!names.singular) found.push(causes.required('spec.names.singular'))
  else label(names.singular, 'spec.names.singular')
  kindLike(names.kind, 'spec.names.kind')
  kindLike(names.listKind, 'spec.names.listKind')
  for (const [index, name] of (names.shortNames ?? []).entries()) label(name, `spec.names.shortNames[${index}]`)
  for (const [index, name] of (names.categories ?? []).entries()) label(name, `spec.names.categories[${index}]`)
  if (names.kind && names.kind === names.listKind)
    found.push(causes.invalid('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  return found
}

function validateVersions({ spec, status }: CustomResourceDefinition, warn: (text: string) => void): Cause[] {
  const found: Cause[] = []
  const { versions } = spec
  if (versions.length === 0) return [causes.invalid('spec.versions', versions, 'must have exactly one version marked as storage version')]
  const names = versions.map(({ name }) => name)
  for (const [index, version] of versions.entries()) found.push(...validateVersion(version, `spec.versions[${index}]`, warn))
  if (new Set(names).size < names.length) found.push(causes.invalid('spec.versions', names, 'must contain unique version names'))
  if (versions.filter(({ storage }) => storage).length !== 1)
    found.push(causes.invalid('spec.versions', names, 'must have exactly one version marked as storage version'))
  for (const [index, stored] of (status?.storedVersions ?? []).entries())
    if (!names.includes(stored)) found.push(causes.invalid(`status.storedVersions[${index}]`, stored, 'must appear in spec.versions'))
  return found
}

/** @see kubernetes/apiextensions-apiserver v0.35 pkg/apis/apiextensions/validation/validation.go, validateCustomResourceConversion */
function validateConversion(conversion: CustomResourceDefinition['spec']['conversion']): Cause[] {
  if (!conversion) return []
  const { strategy, webhook } = conversion
  if (strategy !== 'None' && strategy !== 'Webhook') return [causes.notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook'])]
  if (strategy === 'None')
    return webhook ? [causes.forbidden('spec.conversion.webhook', 'should not be set when strategy is not set to Webhook')] : []
  const client = webhook?.clientConfig
  if (!client) return [causes.required('spec.conversion.webhook.clientConfig', 'required when strategy is set to Webhook')]

  const found: Cause[] = []
  const at = 'spec.conversion.webhook.clientConfig'
  if ((client.url === undefined) === (client.service === undefined))
    found.push(causes.required(at, 'exactly one of url or service is required'))
  if (client.url !== undefined) found.push(...validateUrl(client.url, `${at}.url`))
  if (client.service) {
    const { namespace, name, path, port } = client.service
    if (!name) found.push(causes.required(`${at}.service.name`, 'service name is required'))
    if (!namespace) found.push(causes.required(`${at}.service.namespace`, 'service namespace is required'))
    if (port !== undefined && (port < 1 || port > 65_535))
      found.push(causes.invalid(`${at}.service.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'))
    if (path !== undefined && !path.startsWith('/')) found.push(causes.invalid(`${at}.service.path`, path, "must start with a '/'"))
  }
  const reviewVersions = webhook.conversionReviewVersions ?? []
  const field = 'spec.conversion.webhook.conversionReviewVersions'
  if (reviewVersions.length === 0) found.push(causes.required(field))
  else if (!reviewVersions.some((version) => REVIEW_VERSIONS.includes(version)))
    found.push(causes.invalid(field, reviewVersions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  return found
}

/** @see kubernetes/apiserver v0.35 pkg/util/webhook/validation.go */
function validateUrl(text: string, field: string): Cause[] {
  const form = '; desired format: https://host[:port]/path'
  if (!URL.canParse(text)) return [causes.required(field, `url must be a valid URL${form}`)]
  const url = new URL(text)
  const found: Cause[] = []
  if (url.protocol !== 'https:')
    found.push(causes.invalid(field, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`))
  if (!url.host) found.push(causes.invalid(field, url.host, `host must be specified${form}`))
  if (url.username || url.password) found.push(causes.invalid(field, url.username, 'user information is not permitted in the URL'))
  if (url.hash) found.push(causes.invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search) found.push(causes.invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'))
  return found
}

function validateChange({ spec }: CustomResourceDefinition, old: CustomResourceDefinition): Cause[] {
  const found: Cause[] = []
  const immutable = (value: unknown, before: unknown, field: string): void => {
    if (value !== before) found.push(causes.invalid(field, value, 'field is immutable'))
  }
  // What is stored lies under these.
  if (isDefinition(old, 'Established')) {
    immutable(spec.scope, old.spec.scope, 'spec.scope')
    immutable(spec.names.kind, old.spec.names.kind, 'spec.names.kind')
  }
  immutable(spec.group, old.spec.group, 'spec.group')
  immutable(spec.names.plural, old.spec.names.plural, 'spec.names.plural')
  return found
}
