import { causes } from './causes.js'
import { isJsonObject } from './json.js'
import type { Cause } from './status-error.js'

/** How names of a kind must look; `ServedKind.nameRule` names one of these. */
export type NameRule = 'subdomain' | 'dns1123Label' | 'dns1035Label' | 'pathSegment'

/** What is wrong with a text, in Kubernetes' words; empty when nothing is. */
export type TextRule = (text: string) => string[]

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const VALUE = `(${QUALIFIED})?`

const labelPattern = new RegExp(`^${LABEL}$`)
const label1035Pattern = new RegExp(`^${LABEL_1035}$`)
const subdomainPattern = new RegExp(`^${SUBDOMAIN}$`)
const qualifiedPattern = new RegExp(`^${QUALIFIED}$`)
const valuePattern = new RegExp(`^${VALUE}$`)

const LABEL_BYTES = 63
const SUBDOMAIN_BYTES = 253
/** All keys and values of the annotations together. */
export const ANNOTATIONS_BYTES = 256 * 1024

/** @see kubernetes/apimachinery v0.35 pkg/util/validation/validation.go, RegexError: the doubled space after a comma is theirs */
function mustMatch(what: string, pattern: string, ...examples: string[]): string {
  return `${what} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${pattern}')`
}
const tooLong = (most: number): string => `must be no more than ${most} bytes`
const bytesOf = (text: string): number => Buffer.byteLength(text)

/** DNS-1123 subdomain: most names. */
export const subdomain: TextRule = (text) => [
  ...(bytesOf(text) > SUBDOMAIN_BYTES ? [tooLong(SUBDOMAIN_BYTES)] : []),
  ...(subdomainPattern.test(text)
    ? []
    : [
        mustMatch(
          "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
          SUBDOMAIN,
          'example.com',
        ),
      ]),
]

/** DNS-1123 label: names of namespaces. */
export const dns1123Label: TextRule = (text) => [
  ...(bytesOf(text) > LABEL_BYTES ? [tooLong(LABEL_BYTES)] : []),
  ...(labelPattern.test(text)
    ? []
    : [
        mustMatch(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          LABEL,
          'my-name',
          '123-abc',
        ),
      ]),
]

/** DNS-1035 label: names of core Services. */
export const dns1035Label: TextRule = (text) => [
  ...(bytesOf(text) > LABEL_BYTES ? [tooLong(LABEL_BYTES)] : []),
  ...(label1035Pattern.test(text)
    ? []
    : [
        mustMatch(
          "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
          LABEL_1035,
          'my-name',
          'abc-123',
        ),
      ]),
]

/** What may stand in a URL between two slashes: names of RBAC objects. */
export const pathSegment: TextRule = (text) => {
  if (text === '.' || text === '..') return [`may not be '${text}'`]
  return ['/', '%'].filter((character) => text.includes(character)).map((character) => `may not contain '${character}'`)
}

/** `[prefix/]name`: keys of labels and annotations, names of finalizers. */
export const qualifiedName: TextRule = (text) => {
  const problems: string[] = []
  const parts = text.split('/')
  const rule = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
  const examples = ['MyName', 'my.name', '123-abc']
  if (parts.length > 2) {
    return [
      `${mustMatch(`a qualified name ${rule}`, QUALIFIED, ...examples)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const name = parts[parts.length - 1]!
  if (parts.length === 2) {
    if (parts[0] === '') problems.push('prefix part must be non-empty')
    else problems.push(...subdomain(parts[0]!).map((problem) => `prefix part ${problem}`))
  }
  if (name === '') problems.push('name part must be non-empty')
  else if (bytesOf(name) > LABEL_BYTES) problems.push(`name part ${tooLong(LABEL_BYTES)}`)
  if (!qualifiedPattern.test(name)) problems.push(`name part ${mustMatch(rule, QUALIFIED, ...examples)}`)
  return problems
}

/** Values of labels: as names, or empty. */
export const labelValue: TextRule = (text) => [
  ...(bytesOf(text) > LABEL_BYTES ? [tooLong(LABEL_BYTES)] : []),
  ...(valuePattern.test(text)
    ? []
    : [
        mustMatch(
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
          VALUE,
          'MyValue',
          'my_value',
          '12345',
        ),
      ]),
]

/** The rules a kind can choose from. */
export const nameRules: Readonly<Record<NameRule, TextRule>> = { subdomain, dns1123Label, dns1035Label, pathSegment }

/** A generateName may end in a dash, since characters follow. */
const withoutTrailingDash = (prefix: string): string => (prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix)

/**
 * Findings about metadata as a create or update would store it: name, generateName, namespace, labels, annotations,
 * finalizers, owner references. `builtIn` kinds also refuse finalizers without a domain that are not the standard ones.
 * @see kubernetes/apimachinery v0.35 pkg/api/validation/objectmeta.go
 */
export function checkMetadata(
  meta: object,
  { namespaced, nameRule = 'subdomain', builtIn = false }: { namespaced: boolean; nameRule?: NameRule | undefined; builtIn?: boolean },
): Cause[] {
  const found: Cause[] = []
  const { name, generateName, namespace, labels, annotations, finalizers, ownerReferences } = meta as Record<string, unknown>
  const rule = nameRules[nameRule]

  if (generateName) {
    for (const problem of rule(withoutTrailingDash(String(generateName))))
      found.push(causes.invalid('metadata.generateName', generateName, problem))
  }
  if (!name) found.push(causes.required('metadata.name', 'name or generateName is required'))
  else for (const problem of rule(String(name))) found.push(causes.invalid('metadata.name', name, problem))

  if (!namespaced) {
    if (namespace) found.push(causes.forbidden('metadata.namespace', 'not allowed on this type'))
  } else if (!namespace) found.push(causes.required('metadata.namespace'))
  else for (const problem of dns1123Label(String(namespace))) found.push(causes.invalid('metadata.namespace', namespace, problem))

  if (labels) found.push(...checkLabels(labels, 'metadata.labels'))
  if (annotations) found.push(...checkAnnotations(annotations, 'metadata.annotations'))
  if (ownerReferences) found.push(...checkOwners(ownerReferences))
  if (finalizers) found.push(...checkFinalizers(finalizers, builtIn))
  return found
}

/** Findings about a map of labels at `field`; also for the labels of templates. */
export function checkLabels(labels: unknown, field: string): Cause[] {
  const found: Cause[] = []
  for (const [key, value] of textEntries(labels, field, found)) {
    for (const problem of qualifiedName(key)) found.push(causes.invalid(field, key, problem))
    for (const problem of labelValue(value)) found.push(causes.invalid(field, value, problem))
  }
  return found
}

/** Findings about a map of annotations at `field`; their values are free, their sum is not. */
export function checkAnnotations(annotations: unknown, field: string): Cause[] {
  const found: Cause[] = []
  let size = 0
  for (const [key, value] of textEntries(annotations, field, found)) {
    size += bytesOf(key) + bytesOf(value)
    for (const problem of qualifiedName(key.toLowerCase())) found.push(causes.invalid(field, key, problem))
  }
  if (size > ANNOTATIONS_BYTES) found.push(causes.tooLong(field, ANNOTATIONS_BYTES))
  return found
}

function textEntries(map: unknown, field: string, found: Cause[]): [string, string][] {
  if (!isJsonObject(map)) {
    found.push(causes.typeInvalid(field, typeName(map), `${field} in body must be of type object: "${typeName(map)}"`))
    return []
  }
  const entries: [string, string][] = []
  for (const [key, value] of Object.entries(map)) {
    if (typeof value === 'string') entries.push([key, value])
    else
      found.push(
        causes.typeInvalid(`${field}.${key}`, typeName(value), `${field}.${key} in body must be of type string: "${typeName(value)}"`),
      )
  }
  return entries
}

const typeName = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

const STANDARD_FINALIZERS = new Set(['kubernetes', 'orphan', 'foregroundDeletion', 'customresourcecleanup.apiextensions.k8s.io'])

function checkFinalizers(finalizers: unknown, builtIn: boolean): Cause[] {
  const field = 'metadata.finalizers'
  if (!Array.isArray(finalizers))
    return [causes.typeInvalid(field, typeName(finalizers), `${field} in body must be of type array: "${typeName(finalizers)}"`)]
  const found: Cause[] = []
  finalizers.forEach((finalizer: unknown, index) => {
    for (const problem of qualifiedName(String(finalizer))) found.push(causes.invalid(field, finalizer, problem))
    if (builtIn && !String(finalizer).includes('/') && !STANDARD_FINALIZERS.has(String(finalizer))) {
      found.push(causes.invalid(`${field}[${index}]`, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'))
    }
  })
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    found.push(causes.invalid(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  return found
}

function checkOwners(owners: unknown): Cause[] {
  const field = 'metadata.ownerReferences'
  if (!Array.isArray(owners))
    return [causes.typeInvalid(field, typeName(owners), `${field} in body must be of type array: "${typeName(owners)}"`)]
  const found: Cause[] = []
  let controller: string | undefined
  for (const owner of owners) {
    if (!isJsonObject(owner)) {
      found.push(causes.typeInvalid(field, typeName(owner), `${field} in body must be of type object: "${typeName(owner)}"`))
      continue
    }
    if (
      !String(owner.apiVersion ?? '')
        .split('/')
        .at(-1)
    )
      found.push(causes.invalid(`${field}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'))
    for (const part of ['kind', 'name', 'uid'] as const) {
      if (!owner[part]) found.push(causes.invalid(`${field}.${part}`, owner[part] ?? '', `${part} must not be empty`))
    }
    if (owner.controller !== true) continue
    if (controller === undefined) controller = String(owner.name)
    else {
      found.push(
        causes.invalid(
          field,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${String(owner.name)}`,
        ),
      )
    }
  }
  return found
}
