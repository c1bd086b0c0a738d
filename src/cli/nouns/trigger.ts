import type { Destination } from '../../apimachinery/destination.js'
import type { Draft } from '../../apimachinery/object.js'
import type { EventFilter, Trigger } from '../../kinds/trigger/schema.js'
import { usageError } from '../arguments.js'
import { stringsFlag } from '../flags.js'
import { conditionLines } from '../print/conditions.js'
import { attribute, block, type DescribeOptions, metadataRows, nested, type Rows } from '../print/describe.js'
import type { Changes } from './key-values.js'
import { sinkRows } from './sink.js'

export const filterFlag = {
  filter: stringsFlag({
    description: 'Attribute that events have to have, exactly, as NAME=VALUE. May be given several times; all have to hold.',
  }),
}

/** In updates, a filter can be taken away too. */
export const filterChangeFlag = {
  filter: stringsFlag({
    description: 'Attribute that events have to have, as NAME=VALUE; NAME- takes one away. May be given several times.',
  }),
}

/** The Trigger that `trigger create` asks for. Throws a usage error in kn's words. */
export function triggerFrom(
  { namespace, name }: { namespace: string; name: string },
  flags: { broker: string; filter?: readonly string[] | undefined },
  subscriber: Destination,
): Draft<Trigger> {
  const attributes = attributesFrom(flags.filter, `cannot create trigger '${name}' because`)
  return {
    metadata: { name, namespace },
    spec: { broker: flags.broker, filter: attributes ? { attributes } : {}, subscriber },
  }
}

/** A Trigger after `trigger update`; what is undefined stays as it is. */
export function editedTrigger(
  trigger: Trigger,
  { filters, subscriber }: { filters: Changes | undefined; subscriber: Destination | undefined },
): Trigger {
  const { spec } = trigger
  return {
    ...trigger,
    spec: { ...spec, ...(filters && { filter: filterAfter(spec.filter, filters) }), ...(subscriber && { subscriber }) },
  }
}

function filterAfter(filter: Trigger['spec']['filter'], { set, remove }: Changes): NonNullable<Trigger['spec']['filter']> {
  const attributes = new Map([...Object.entries(filter?.attributes ?? {}), ...set])
  for (const name of remove) attributes.delete(name)
  return attributes.size > 0 ? { ...filter, attributes: Object.fromEntries(attributes) } : {}
}

/** The attributes that a new Trigger's `--filter` words name; undefined for none. */
function attributesFrom(words: readonly string[] = [], refusal: string): Record<string, string> | undefined {
  const attributes = new Map<string, string>()
  for (const word of words) {
    if (!word.includes('=')) {
      throw invalidFilter(refusal, `Argument requires a value that contains the "=" character; got ${JSON.stringify(word)}`)
    }
    addPair(attributes, word, words, refusal)
  }
  return attributes.size > 0 ? Object.fromEntries(attributes) : undefined
}

/**
 * The changes that the `--filter` words of an update ask for: `NAME=VALUE`, `NAME-` (even with a value behind it), or a bare `NAME`, which
 * stands for any value. Throws a usage error in kn's words.
 *
 * @see knative/client pkg/commands/trigger/update_flags.go, GetUpdateFilters
 */
export function filterChangesFrom(words: readonly string[], name: string): Changes {
  const refusal = `cannot update trigger '${name}' because`
  const attributes = new Map<string, string>()
  for (const word of words) {
    if (word.includes('=')) addPair(attributes, word, words, refusal)
    else attributes.set(word, '')
  }
  const remove = [...attributes.keys()].filter((key) => key.endsWith('-'))
  for (const key of remove) attributes.delete(key)
  return { set: attributes, remove: remove.map((key) => key.slice(0, -1)) }
}

function addPair(attributes: Map<string, string>, word: string, words: readonly string[], refusal: string): void {
  const at = word.indexOf('=')
  const name = word.slice(0, at)
  if (name === '') throw invalidFilter(refusal, 'The key is empty')
  if (attributes.has(name)) throw invalidFilter(refusal, `The key ${JSON.stringify(name)} has been duplicate in [${words.join(' ')}]`)
  attributes.set(name, word.slice(at + 1))
}

function invalidFilter(refusal: string, why: string): Error {
  return usageError(`${refusal} Invalid --filter: ${why}`)
}

/** `kn trigger describe`, for people. */
export function triggerText({ metadata, spec, status }: Trigger, options: DescribeOptions): string {
  const { attributes } = spec.filter ?? {}
  const head: Rows = [
    ...metadataRows(metadata, options),
    attribute('Broker', spec.broker ?? ''),
    ...(attributes ? [attribute('Filter', ''), ...nested(attributeRows(attributes))] : []),
  ]
  const filters = spec.filters ?? []
  const blocks = [
    block(head),
    ...(filters.length > 0 ? [block([attribute('Filters (experimental)', ''), ...nested(filters.flatMap(filterRows))])] : []),
    block(sinkRows('Sink', spec.subscriber ?? {}, metadata.namespace)),
    `${conditionLines(status?.conditions, options).join('\n')}\n`,
  ]
  return blocks.join('\n')
}

/** One filter of the new dialects, those inside of it indented. */
function filterRows({ all = [], any = [], not, exact, prefix, suffix, cesql }: EventFilter): Rows {
  const part = (label: string, rows: Rows): Rows => (rows.length > 0 ? [attribute(label, ''), ...nested(rows)] : [])
  return [
    ...part('all', all.flatMap(filterRows)),
    ...part('any', any.flatMap(filterRows)),
    ...(not ? [attribute('not', ''), ...nested(filterRows(not))] : []),
    ...part('exact', attributeRows(exact)),
    ...part('prefix', attributeRows(prefix)),
    ...part('suffix', attributeRows(suffix)),
    ...(cesql ? [attribute('cesql', cesql)] : []),
  ]
}

function attributeRows(attributes: Readonly<Record<string, string>> = {}): Rows {
  return Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => attribute(name, value))
}
