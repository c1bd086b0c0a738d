import { age } from '../../../apimachinery/age.js'
import { causes } from '../../../apimachinery/causes.js'
import { celProblem } from '../../../apimachinery/cel/program.js'
import type { Column } from '../../../apimachinery/kind.js'
import { dns1035Label, labelValue, qualifiedName, subdomain } from '../../../apimachinery/names.js'
import type { LabelSelector } from '../../../apimachinery/object.js'
import type { Schema } from '../../../apimachinery/schema.js'
import type { Cause } from '../../../apimachinery/status-error.js'
import type {
  AdmissionWebhook,
  MatchCondition,
  RuleWithOperations,
  WebhookClientConfig,
  WebhookConfiguration,
} from '../../../apimachinery/webhook-configuration.js'
import { described, fields, int32, labelSelector, listMergedBy, listOf, objectSchema, text, texts } from '../schema-parts.js'

/** What both sorts of webhook configurations have in common. */

export const webhookColumns: readonly Column[] = [
  {
    name: 'Webhooks',
    type: 'integer',
    description: 'How many webhooks it configures.',
    cell: ({ webhooks = [] }: WebhookConfiguration) => webhooks.length,
  },
  { name: 'Age', type: 'string', cell: ({ metadata }: WebhookConfiguration, nowMs) => age(metadata.creationTimestamp, nowMs) },
]

export function webhooksSchema(description: string, more: Readonly<Record<string, Schema>> = {}): Schema {
  const webhook = fields({
    admissionReviewVersions: described('Versions of AdmissionReview that it takes, the preferred one first.', texts),
    clientConfig: described(
      'Where it is.',
      fields({
        caBundle: { type: 'string', format: 'byte', description: 'PEM of the authorities that its certificate is held against.' },
        service: fields({ name: text, namespace: text, path: text, port: int32 }, ['namespace', 'name']),
        url: text,
      }),
    ),
    failurePolicy: described('Fail or Ignore: what becomes of a request when it cannot be asked.', text),
    matchConditions: described(
      'Expressions in CEL that all have to hold.',
      listMergedBy(fields({ expression: text, name: text }), 'name', ['name']),
    ),
    matchPolicy: described('Exact or Equivalent: whether other versions of the same objects count.', text),
    name: text,
    namespaceSelector: labelSelector,
    objectSelector: labelSelector,
    rules: listOf(fields({ apiGroups: texts, apiVersions: texts, operations: texts, resources: texts, scope: text })),
    sideEffects: described('None or NoneOnDryRun.', text),
    timeoutSeconds: described('From 1 to 30; 10 unless it says otherwise.', int32),
    ...more,
  })
  // Nothing is required here: what is missing is told below, in upstream's words.
  return objectSchema(description, { webhooks: listMergedBy(webhook, 'name', ['name']) })
}

const DEFAULT_PORT = 443
const DEFAULT_TIMEOUT_SECONDS = 10

/** @see kubernetes/kubernetes v1.35 pkg/apis/admissionregistration/v1/defaults.go */
export function defaultWebhooks({ webhooks = [] }: WebhookConfiguration, { isMutating }: { isMutating: boolean }): void {
  for (const webhook of webhooks) {
    webhook.failurePolicy ??= 'Fail'
    webhook.matchPolicy ??= 'Equivalent'
    webhook.namespaceSelector ??= {}
    webhook.objectSelector ??= {}
    webhook.timeoutSeconds ??= DEFAULT_TIMEOUT_SECONDS
    if (isMutating) webhook.reinvocationPolicy ??= 'Never'
    for (const rule of webhook.rules ?? []) rule.scope ??= '*'
    const service = webhook.clientConfig?.service
    if (service) service.port ??= DEFAULT_PORT
  }
}

const REVIEW_VERSIONS = ['v1', 'v1beta1']
const SIDE_EFFECTS = ['None', 'NoneOnDryRun']
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const SCOPES = ['*', 'Cluster', 'Namespaced']
const MOST_CONDITIONS = 64

/** @see kubernetes/kubernetes v1.35 pkg/apis/admissionregistration/validation/validation.go */
export function webhookCauses({ webhooks = [] }: WebhookConfiguration, old: WebhookConfiguration | undefined): Cause[] {
  const names = new Set<string>()
  const known = new Set((old?.webhooks ?? []).flatMap(({ matchConditions = [] }) => matchConditions.map(({ expression }) => expression)))
  return webhooks.flatMap((webhook, index) => {
    const path = `webhooks[${index}]`
    const found = [
      ...causesOf(webhook, path, known),
      ...reviewVersionCauses(webhook.admissionReviewVersions, `${path}.admissionReviewVersions`),
    ]
    if (webhook.name && names.has(webhook.name)) found.push(causes.duplicate(`${path}.name`, webhook.name))
    names.add(webhook.name)
    return found
  })
}

function causesOf(webhook: AdmissionWebhook, path: string, knownExpressions: ReadonlySet<string>): Cause[] {
  const { rules = [], clientConfig = {}, timeoutSeconds, sideEffects, matchConditions = [] } = webhook as Partial<AdmissionWebhook>
  const oneOf = (field: keyof AdmissionWebhook, supported: readonly string[]): Cause[] => {
    const value = webhook[field]
    return value === undefined || supported.includes(value as string) ? [] : [causes.notSupported(`${path}.${field}`, value, supported)]
  }
  return [
    ...nameCauses(webhook.name, `${path}.name`),
    ...rules.flatMap((rule, index) => ruleCauses(rule, `${path}.rules[${index}]`)),
    ...oneOf('failurePolicy', ['Fail', 'Ignore']),
    ...oneOf('matchPolicy', ['Equivalent', 'Exact']),
    ...(sideEffects === undefined ? [causes.required(`${path}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`)] : []),
    ...oneOf('sideEffects', SIDE_EFFECTS),
    ...(timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > 30)
      ? [causes.invalid(`${path}.timeoutSeconds`, timeoutSeconds, 'the timeout value must be between 1 and 30 seconds')]
      : []),
    ...oneOf('reinvocationPolicy', ['IfNeeded', 'Never']),
    ...selectorCauses(webhook.namespaceSelector, `${path}.namespaceSelector`),
    ...selectorCauses(webhook.objectSelector, `${path}.objectSelector`),
    ...clientCauses(clientConfig, `${path}.clientConfig`),
    ...conditionCauses(matchConditions, `${path}.matchConditions`, knownExpressions),
  ]
}

/** A webhook's name is a domain with at least three parts. */
function nameCauses(name: string | undefined, field: string): Cause[] {
  if (!name) return [causes.required(field)]
  const problems = subdomain(name)
  if (problems.length > 0) return problems.map((problem) => causes.invalid(field, name, problem))
  return name.split('.').length < 3
    ? [causes.invalid(field, name, 'should be a domain with at least three segments separated by dots')]
    : []
}

function ruleCauses(rule: RuleWithOperations, path: string): Cause[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule
  const found: Cause[] = []
  if (operations.length === 0) found.push(causes.required(`${path}.operations`))
  if (operations.length > 1 && operations.includes('*'))
    found.push(causes.invalid(`${path}.operations`, operations, "if '*' is present, must not specify other operations"))
  for (const [index, operation] of operations.entries())
    if (!OPERATIONS.includes(operation)) found.push(causes.notSupported(`${path}.operations[${index}]`, operation, OPERATIONS))
  if (apiGroups.length === 0) found.push(causes.required(`${path}.apiGroups`))
  if (apiGroups.length > 1 && apiGroups.includes('*'))
    found.push(causes.invalid(`${path}.apiGroups`, apiGroups, "if '*' is present, must not specify other API groups"))
  if (apiVersions.length === 0) found.push(causes.required(`${path}.apiVersions`))
  if (apiVersions.length > 1 && apiVersions.includes('*'))
    found.push(causes.invalid(`${path}.apiVersions`, apiVersions, "if '*' is present, must not specify other API versions"))
  for (const [index, version] of apiVersions.entries()) if (!version) found.push(causes.required(`${path}.apiVersions[${index}]`))
  found.push(...resourceCauses(resources, `${path}.resources`))
  if (scope !== undefined && !SCOPES.includes(scope)) found.push(causes.notSupported(`${path}.scope`, scope, SCOPES))
  return found
}

function resourceCauses(resources: readonly string[], field: string): Cause[] {
  if (resources.length === 0) return [causes.required(field)]
  const found: Cause[] = []
  // What a star stands for every subresource of, and every resource of.
  const wholeResources = new Set<string>()
  const wholeSubresources = new Set<string>()
  for (const [index, resource] of resources.entries()) {
    const path = `${field}[${index}]`
    if (!resource) {
      found.push(causes.required(path))
      continue
    }
    const slash = resource.indexOf('/')
    if (slash < 0) continue
    const [plural, sub] = [resource.slice(0, slash), resource.slice(slash + 1)]
    if (wholeResources.has(plural)) found.push(causes.invalid(path, resource, `if '${plural}/*' is present, must not specify ${resource}`))
    if (wholeSubresources.has(sub)) found.push(causes.invalid(path, resource, `if '*/${sub}' is present, must not specify ${resource}`))
    if (sub === '*') wholeResources.add(plural)
    if (plural === '*') wholeSubresources.add(sub)
  }
  if (resources.length > 1 && resources.includes('*/*'))
    found.push(causes.invalid(field, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && resources.some((resource) => resource !== '*' && !resource.includes('/')))
    found.push(causes.invalid(field, resources, "if '*' is present, must not specify other resources without subresources"))
  return found
}

/** @see kubernetes/apimachinery v0.35 pkg/apis/meta/v1/validation, ValidateLabelSelector */
function selectorCauses(selector: LabelSelector | undefined, path: string): Cause[] {
  const found: Cause[] = []
  for (const [key, value] of Object.entries(selector?.matchLabels ?? {})) {
    for (const problem of qualifiedName(key)) found.push(causes.invalid(`${path}.matchLabels`, key, problem))
    for (const problem of labelValue(value)) found.push(causes.invalid(`${path}.matchLabels`, value, problem))
  }
  for (const [index, { key, operator, values = [] }] of (selector?.matchExpressions ?? []).entries()) {
    const field = `${path}.matchExpressions[${index}]`
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) found.push(causes.required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        found.push(causes.forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    } else {
      found.push(causes.invalid(`${field}.operator`, operator, 'not a valid selector operator'))
    }
    for (const problem of qualifiedName(key)) found.push(causes.invalid(`${field}.key`, key, problem))
    for (const [at, value] of values.entries())
      for (const problem of labelValue(value)) found.push(causes.invalid(`${field}.values[${at}]`, value, problem))
  }
  return found
}

/** @see kubernetes/apiserver v0.35 pkg/util/webhook/validation.go */
function clientCauses({ url, service }: WebhookClientConfig, path: string): Cause[] {
  if ((url === undefined) === (service === undefined)) return [causes.required(path, 'exactly one of url or service is required')]
  return service ? serviceCauses(service, `${path}.service`) : urlCauses(url!, `${path}.url`)
}

function serviceCauses(
  { name, namespace, path, port = DEFAULT_PORT }: NonNullable<WebhookClientConfig['service']>,
  field: string,
): Cause[] {
  const found: Cause[] = []
  if (!name) found.push(causes.required(`${field}.name`, 'service name is required'))
  if (!namespace) found.push(causes.required(`${field}.namespace`, 'service namespace is required'))
  if (port < 1 || port > 65_535)
    found.push(causes.invalid(`${field}.port`, port, 'port is not valid: must be between 1 and 65535, inclusive'))
  if (path === undefined || path === '/') return found
  if (!path.startsWith('/')) return [...found, causes.invalid(`${field}.path`, path, "must start with a '/'")]
  const steps = path.slice(1).split('/')
  if (steps.at(-1) === '') steps.pop()
  for (const [index, step] of steps.entries()) {
    if (!step) found.push(causes.invalid(`${field}.path`, path, `segment[${index}] may not be empty`))
    else for (const problem of subdomain(step)) found.push(causes.invalid(`${field}.path`, path, `segment[${index}]: ${problem}`))
  }
  return found
}

const URL_FORM = 'desired format: https://host[/path]'

function urlCauses(text: string, field: string): Cause[] {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return [causes.required(field, `url must be a valid URL: ${text}; ${URL_FORM}`)]
  }
  const found: Cause[] = []
  if (url.protocol !== 'https:')
    found.push(causes.invalid(field, url.protocol.replace(':', ''), `'https' is the only allowed URL scheme; ${URL_FORM}`))
  if (!url.host) found.push(causes.invalid(field, url.host, `host must be specified; ${URL_FORM}`))
  if (url.username || url.password) found.push(causes.invalid(field, url.username, 'user information is not permitted in the URL'))
  if (url.hash) found.push(causes.invalid(field, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search) found.push(causes.invalid(field, url.search.slice(1), 'query parameters are not permitted in the URL'))
  return found
}

function reviewVersionCauses(versions: readonly string[] | undefined, field: string): Cause[] {
  if (!versions || versions.length === 0) return [causes.required(field, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)]
  const found: Cause[] = []
  for (const [index, version] of versions.entries()) {
    if (versions.indexOf(version) < index) found.push(causes.invalid(`${field}[${index}]`, version, 'duplicate version'))
    else for (const problem of dns1035Label(version)) found.push(causes.invalid(`${field}[${index}]`, version, problem))
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version)))
    found.push(causes.invalid(field, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  return found
}

/** What a condition may ask about; upstream has `authorizer` as well. */
const CONDITION_NAMES = ['object', 'oldObject', 'request']

/** A condition that cannot be evaluated here is refused: webhooks would be called, or not, for the wrong requests. */
function conditionCauses(conditions: readonly MatchCondition[], field: string, known: ReadonlySet<string>): Cause[] {
  const found: Cause[] = []
  if (conditions.length > MOST_CONDITIONS) found.push(causes.tooMany(field, conditions.length, MOST_CONDITIONS))
  const names = new Set<string>()
  for (const [index, { name = '', expression = '' }] of (conditions as readonly Partial<MatchCondition>[]).entries()) {
    const path = `${field}[${index}]`
    if (!expression.trim()) found.push(causes.required(`${path}.expression`))
    else if (!known.has(expression)) {
      const problem = celProblem(expression, CONDITION_NAMES)
      if (problem) found.push(causes.invalid(`${path}.expression`, expression, problem))
    }
    if (!name) found.push(causes.required(`${path}.name`))
    else for (const problem of qualifiedName(name)) found.push(causes.invalid(`${path}.name`, name, problem))
    if (name && names.has(name)) found.push(causes.duplicate(`${path}.name`, name))
    names.add(name)
  }
  return found
}
