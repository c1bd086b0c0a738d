import type { PolicyRule } from '../../apimachinery/rbac.js'
import type { Attributes } from './attributes.js'

/** What one rule allows, and whether some rules allow all that others do. Pure; the objects that hold rules are elsewhere. */

const EVERYTHING = '*'
const NONE: readonly string[] = []

/**
 * Whether a rule allows a call.
 * @see kubernetes/kubernetes v1.35 plugin/pkg/auth/authorizer/rbac/rbac.go, RuleAllows
 */
export function ruleAllows(
  { verbs, apiGroups = NONE, resources = NONE, resourceNames, nonResourceURLs = NONE }: PolicyRule,
  asked: Attributes,
): boolean {
  if (!hasOrAll(verbs, asked.verb)) return false
  if ('path' in asked) return nonResourceURLs.some((url) => coversUrl(url, asked.path))
  if (!hasOrAll(apiGroups, asked.group) || !namesResource(resources, asked.resource, asked.subresource)) return false
  return !resourceNames || resourceNames.length === 0 || resourceNames.includes(asked.name ?? '')
}

function hasOrAll(values: readonly string[], wanted: string): boolean {
  return values.includes(wanted) || values.includes(EVERYTHING)
}

function namesResource(resources: readonly string[], resource: string, subresource: string | undefined): boolean {
  if (!subresource) return hasOrAll(resources, resource)
  return hasOrAll(resources, `${resource}/${subresource}`) || resources.includes(`*/${subresource}`)
}

function coversUrl(ruleUrl: string, url: string): boolean {
  return ruleUrl === EVERYTHING || ruleUrl === url || (ruleUrl.endsWith('*') && url.startsWith(ruleUrl.replace(/\*+$/, '')))
}

/**
 * What `wanted` allows and `held` does not, in the smallest rules: empty where everything is held.
 * @see kubernetes/component-helpers v0.35 auth/rbac/validation/policy_comparator.go, Covers
 */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(smallestRules).filter((rule) => !held.some((owned) => ruleCovers(owned, rule)))
}

/** One rule for each verb on each resource of each group, by name where names are given. */
function smallestRules({
  verbs,
  apiGroups = NONE,
  resources = NONE,
  resourceNames = NONE,
  nonResourceURLs = NONE,
}: PolicyRule): PolicyRule[] {
  const found: PolicyRule[] = []
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) {
        const rule = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if (resourceNames.length === 0) found.push(rule)
        for (const name of resourceNames) found.push({ ...rule, resourceNames: [name] })
      }
  for (const url of nonResourceURLs) for (const verb of verbs) found.push({ nonResourceURLs: [url], verbs: [verb] })
  return found
}

function ruleCovers(owned: PolicyRule, wanted: PolicyRule): boolean {
  const ownedNames = owned.resourceNames ?? NONE
  const wantedNames = wanted.resourceNames ?? NONE
  return (
    hasAllOr(owned.verbs, wanted.verbs) &&
    hasAllOr(owned.apiGroups ?? NONE, wanted.apiGroups ?? NONE) &&
    coversResources(owned.resources ?? NONE, wanted.resources ?? NONE) &&
    (ownedNames.length === 0 || (wantedNames.length > 0 && wantedNames.every((name) => ownedNames.includes(name)))) &&
    (wanted.nonResourceURLs ?? NONE).every((url) => (owned.nonResourceURLs ?? NONE).some((own) => coversUrl(own, url)))
  )
}

function hasAllOr(owned: readonly string[], wanted: readonly string[]): boolean {
  return owned.includes(EVERYTHING) || wanted.every((value) => owned.includes(value))
}

function coversResources(owned: readonly string[], wanted: readonly string[]): boolean {
  if (owned.includes(EVERYTHING)) return true
  return wanted.every((resource) => {
    if (owned.includes(resource)) return true
    const slash = resource.indexOf('/')
    return slash >= 0 && owned.includes(`*${resource.slice(slash)}`)
  })
}

/** Small rules that differ in their verbs alone, in one each. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const byRest = new Map<string, PolicyRule>()
  for (const rule of rules) {
    const { verbs, ...rest } = rule
    const key = rule.nonResourceURLs ? JSON.stringify(rule) : JSON.stringify(rest)
    const known = byRest.get(key)
    byRest.set(key, known ? { ...known, verbs: [...new Set([...known.verbs, ...verbs])] } : rule)
  }
  return [...byRest.values()]
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, as refusals quote rules. */
export function ruleText({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const parts: [string, readonly string[] | undefined][] = [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['NonResourceURLs', nonResourceURLs],
    ['ResourceNames', resourceNames],
    ['Verbs', verbs],
  ]
  return `{${parts.flatMap(([name, values]) => (values && values.length > 0 ? [`${name}:${quotedList(values)}`] : [])).join(', ')}}`
}

/** A list of texts as Go's %q writes it. */
export function quotedList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`
}
