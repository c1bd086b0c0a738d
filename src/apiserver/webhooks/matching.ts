import type { CallOptions } from '../../apimachinery/call.js'
import { celFromJson } from '../../apimachinery/cel/from-json.js'
import { CelError, type CelValue } from '../../apimachinery/cel/values.js'
import type { Identity } from '../../apimachinery/kind.js'
import type { KubeObject, LabelSelector } from '../../apimachinery/object.js'
import { labelSelectorMatches } from '../../apimachinery/selectors.js'
import { refusals } from '../../apimachinery/status-error.js'
import { ADMISSION_GROUP, type RuleWithOperations } from '../../apimachinery/webhook-configuration.js'
import type { VerbDeps } from '../deps.js'
import { NAMESPACES, type Resource } from '../resource.js'
import type { Hook } from './configurations.js'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE'

/** A write that webhooks may have a say in, beside the object itself. */
export interface Subject {
  resource: Resource
  operation: Operation
  subresource: string
  namespace: string | undefined
  /** '' for an object whose name is to be generated. */
  name: string
  old: KubeObject | undefined
  user: Identity
  options: CallOptions
}

/** Webhooks never see their own configurations: a broken one could not be repaired (apiserver pkg/admission/plugin/webhook/predicates/rules). */
export function isExempt({ kind }: Resource): boolean {
  return kind.group === ADMISSION_GROUP
}

/**
 * In which version a webhook wants to see this write: the resource itself, or, with matchPolicy Equivalent, the same objects
 * in another version or group. Undefined when no rule, selector or condition asks for it. Throws 403 for a condition that fails
 * where failures are not to be ignored.
 * @see kubernetes/apiserver v0.35 pkg/admission/plugin/webhook/generic/webhook.go, ShouldCallHook
 */
export function wantedBy(deps: VerbDeps, hook: Hook, subject: Subject, object: KubeObject | undefined): Resource | undefined {
  const { webhook } = hook
  if (!matchesNamespace(deps, webhook.namespaceSelector, subject, object)) return undefined
  if (!matchesObject(webhook.objectSelector, subject, object)) return undefined
  const resource = resourceFor(deps, hook, subject)
  return resource && meetsConditions(hook, subject, object) ? resource : undefined
}

function resourceFor(deps: VerbDeps, { webhook }: Hook, subject: Subject): Resource | undefined {
  const { resource } = subject
  const rules = webhook.rules ?? []
  if (rules.some((rule) => matchesRule(rule, subject, resource))) return resource
  if (webhook.matchPolicy === 'Exact') return undefined
  for (const rule of rules) {
    for (const other of equivalents(deps, rule, resource)) if (matchesRule(rule, subject, other)) return other
  }
  return undefined
}

/** Other ways to the same objects that a rule names. */
function* equivalents(deps: VerbDeps, { apiGroups = [], apiVersions = [], resources = [] }: RuleWithOperations, resource: Resource) {
  for (const group of apiGroups) {
    for (const version of apiVersions) {
      for (const text of resources) {
        const other = deps.resourceFor(group, version, text.split('/', 1)[0]!)
        if (other && other !== resource && !other.isHidden && other.stored === resource.stored) yield other
      }
    }
  }
}

function matchesRule(rule: RuleWithOperations, { operation, subresource, namespace }: Subject, { kind }: Resource): boolean {
  const includes = (list: readonly string[] = [], value: string): boolean => list.includes('*') || list.includes(value)
  const isNamespaced = kind.namespaced && namespace !== undefined
  if (rule.scope === 'Namespaced' && !isNamespaced) return false
  if (rule.scope === 'Cluster' && isNamespaced) return false
  return (
    includes(rule.operations, operation) &&
    includes(rule.apiGroups, kind.group) &&
    includes(rule.apiVersions, kind.version) &&
    (rule.resources ?? []).some((text) => {
      const slash = text.indexOf('/')
      const [plural, sub] = slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)]
      return (plural === '*' || plural === kind.plural) && (sub === '*' || sub === subresource)
    })
  )
}

const isEmpty = (selector: LabelSelector | undefined): boolean =>
  !selector || (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0)

/** A Namespace is judged by its own labels, as they will be; other objects by those of their namespace. */
function matchesNamespace(
  deps: VerbDeps,
  selector: LabelSelector | undefined,
  { resource, subresource, operation, namespace, name }: Subject,
  object: KubeObject | undefined,
): boolean {
  if (isEmpty(selector)) return true
  const isNamespace = resource.stored === NAMESPACES
  if (!isNamespace && namespace === undefined) return true
  if (isNamespace && !subresource && operation !== 'DELETE') return labelSelectorMatches(selector!, object?.metadata.labels)
  const where = isNamespace ? name : namespace!
  const found = deps.newest.get({ resource: NAMESPACES, name: where })
  if (!found) throw refusals.notFound({ group: '', plural: NAMESPACES }, where)
  return labelSelectorMatches(selector!, found.metadata.labels)
}

/** The object as it was counts too: what leaves a selector is still the selector's business. */
function matchesObject(selector: LabelSelector | undefined, { old }: Subject, object: KubeObject | undefined): boolean {
  if (isEmpty(selector)) return true
  return [object, old].some((each) => each !== undefined && labelSelectorMatches(selector!, each.metadata.labels))
}

/** @see kubernetes/apiserver v0.35 pkg/admission/plugin/webhook/matchconditions/matcher.go */
function meetsConditions({ conditions, webhook }: Hook, subject: Subject, object: KubeObject | undefined): boolean {
  if (conditions.length === 0) return true
  const { resource, old } = subject
  const { schema } = resource.served
  const scope = new Map<string, CelValue>([
    ['object', object ? celFromJson(object, schema) : null],
    ['oldObject', old ? celFromJson(old, schema) : null],
    ['request', celFromJson(requestFacts(subject), undefined)],
  ])
  const problems: string[] = []
  for (const { program } of conditions) {
    try {
      if (!program(scope)) return false
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      problems.push(error.message)
    }
  }
  if (problems.length === 0) return true
  if (webhook.failurePolicy === 'Ignore') return false
  throw refusals.forbidden(resource.name, subject.name, problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`)
}

/** What a review says of a request whatever the webhook, and what conditions may ask of it. */
export function requestFacts({ resource, operation, subresource, namespace, name, user, options }: Subject): Record<string, unknown> {
  const isScale = subresource === 'scale'
  const { group, version, kind, plural } = resource.kind
  const ownKind = isScale ? { group: 'autoscaling', version: 'v1', kind: 'Scale' } : { group, version, kind }
  const ownResource = { group, version, resource: plural }
  return {
    kind: ownKind,
    resource: ownResource,
    ...(subresource && { subResource: subresource }),
    requestKind: ownKind,
    requestResource: ownResource,
    ...(subresource && { requestSubResource: subresource }),
    ...(name && { name }),
    ...(namespace !== undefined && { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: [...user.groups],
      ...(user.extra && { extra: user.extra }),
    },
    dryRun: options.dryRun === true,
  }
}
