import { type Condition, type Conditions, readyCondition } from '../../apimachinery/conditions.js'
import { isJsonObject } from '../../apimachinery/json.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { refusals } from '../../apimachinery/status-error.js'
import type { ReconcilerDeps } from '../../controller/reconcile.js'
import { DEPENDENCY_ANNOTATION } from '../eventing-labels.js'
import { NO_SUCH_KIND } from '../messaging-channels.js'
import { TRIGGER_REASONS as REASONS, type Trigger } from './schema.js'

export interface DependencyReference {
  apiVersion?: string
  kind?: string
  namespace?: string
  name?: string
}

export type ObjectReferenceText = { reference: DependencyReference; problem?: undefined } | { reference?: undefined; problem: string }

/** Reads the reference in a dependency annotation. */
export function objectReferenceFrom(text: string): ObjectReferenceText {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const [first = ''] = text
    return {
      problem: text.trim() === '' ? 'unexpected end of JSON input' : `invalid character '${first}' looking for beginning of value`,
    }
  }
  return isJsonObject(value)
    ? { reference: value as DependencyReference }
    : { problem: 'json: cannot unmarshal into Go value of type v1.ObjectReference' }
}

/**
 * Whether what a Trigger says it depends on is ready: condition DependencyReady. Returns what went wrong.
 * @see knative/eventing v1.22 pkg/reconciler/broker/trigger/trigger.go, checkDependencyAnnotation
 */
export async function checkDependency(
  trigger: Trigger,
  conditions: Conditions,
  { track }: Pick<ReconcilerDeps, 'track'>,
): Promise<string | undefined> {
  const text = trigger.metadata.annotations?.[DEPENDENCY_ANNOTATION]
  if (text === undefined) {
    conditions.isTrue('DependencyReady')
    return undefined
  }
  const { reference, problem } = objectReferenceFrom(text)
  if (!reference) {
    conditions.isFalse(
      'DependencyReady',
      REASONS.referenceError,
      `Unable to unmarshal objectReference from dependency annotation of trigger: ${problem}`,
    )
    return `getting object ref from dependency annotation ${JSON.stringify(text)}: ${problem}`
  }
  const { apiVersion = '', kind: kindName = '', name = '' } = reference
  const { object, kind } = await track({ apiVersion, kind: kindName, namespace: trigger.metadata.namespace, name }, trigger.metadata)
  if (!kind) {
    conditions.isUnknown('DependencyReady', REASONS.noLister, `Failed to retrieve lister: ${NO_SUCH_KIND}`)
    return `propagating dependency readiness: retrieving lister: ${NO_SUCH_KIND}`
  }
  if (!object) {
    const why = refusals.notFound(kind, name).message
    conditions.isFalse('DependencyReady', REASONS.noDependency, `Dependency does not exist: ${why}`)
    return `propagating dependency readiness: getting the dependency: ${why}`
  }
  followDependency(object, conditions)
  return undefined
}

function followDependency(
  dependency: KubeObject & { status?: { observedGeneration?: number; conditions?: Condition[] } },
  conditions: Conditions,
): void {
  const { generation = 0 } = dependency.metadata
  const { observedGeneration = 0 } = dependency.status ?? {}
  if (generation !== observedGeneration) {
    conditions.isUnknown(
      'DependencyReady',
      REASONS.generationNotEqual,
      `The dependency's metadata.generation, ${goRune(generation)}, is not equal to its status.observedGeneration, ${goRune(observedGeneration)}.`,
    )
    return
  }
  const ready = readyCondition(dependency)
  if (ready) conditions.follows('DependencyReady', ready)
  else conditions.isUnknown('DependencyReady', REASONS.dependencyNotConfigured, 'Dependency has not yet been reconciled.')
}

const RUNE_ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  39: "\\'",
  92: '\\\\',
}

/** A number as Go's %q prints it: as the character of that code, which is what Knative's message shows. */
function goRune(code: number): string {
  const escaped = RUNE_ESCAPES[code]
  if (escaped) return `'${escaped}'`
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, '0')}'`
  return `'${String.fromCodePoint(code > 0x10ffff ? 0xfffd : code)}'`
}
