import type { KReference } from '../../apimachinery/destination.js'
import { groupVersion } from '../../apimachinery/kind.js'
import type { Draft } from '../../apimachinery/object.js'
import { brokerKind } from '../../kinds/broker/kind.js'
import type { EventType } from '../../kinds/eventtype/schema.js'
import { usageError } from '../arguments.js'
import { goUrlProblem } from '../go-url.js'
import { conditionLines } from '../print/conditions.js'
import { attribute, block, type DescribeOptions, metadataRows, nested, type Rows } from '../print/describe.js'

/** The EventType that `eventtype create` asks for; it refers to `reference`, else to the Broker of that name. Throws a usage error in Go's words. */
export function eventTypeFrom(
  { namespace, name }: { namespace: string; name: string },
  { type, source, broker }: { type: string; source?: string | undefined; broker?: string | undefined },
  reference: KReference | undefined,
): Draft<EventType> {
  const problem = source ? goUrlProblem(source) : undefined
  if (problem) throw usageError(problem)
  const referred = broker ? { apiVersion: groupVersion(brokerKind), kind: brokerKind.kind, name: broker } : reference
  return {
    metadata: { name, namespace },
    spec: { type, ...(source && { source }), ...(referred && { reference: referred }) },
  }
}

/** `kn eventtype describe`, for people. */
export function eventTypeText({ metadata, spec, status }: EventType, options: DescribeOptions): string {
  const { reference } = spec
  const head: Rows = [
    ...metadataRows(metadata, options),
    attribute('Source', spec.source ?? ''),
    attribute('Reference', ''),
    ...nested(reference ? referenceRows(reference, metadata.namespace) : []),
  ]
  return `${block(head)}\n\n${conditionLines(status?.conditions, options).join('\n')}\n`
}

function referenceRows({ apiVersion = '', kind, name, namespace = '' }: KReference, own: string | undefined): Rows {
  return [
    attribute('APIVersion', apiVersion),
    attribute('Kind', kind),
    attribute('Name', name),
    ...(own && own !== namespace ? [attribute('Namespace', namespace)] : []),
  ]
}
