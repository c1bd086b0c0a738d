import type { ObjectList, WatchEvent } from '../../apimachinery/call.js'
import type { ServedKind } from '../../apimachinery/kind.js'
import type { KubeObject } from '../../apimachinery/object.js'
import { refusals, type Status, StatusError } from '../../apimachinery/status-error.js'
import { tableFor } from '../../apimachinery/table.js'
import { expanded } from '../field-managers.js'
import { mediaRanges } from '../generated-document.js'
import { type ObjectTexts, objectJson } from './object-text.js'

/** How an answer is to look. */
export interface Representation {
  form: 'object' | 'table' | 'partial'
  /** Of meta.k8s.io, for tables and partial objects. */
  version: 'v1' | 'v1beta1'
  syntax: 'json' | 'yaml'
  includeObject: 'None' | 'Metadata' | 'Object'
}

const PLAIN: Representation = { form: 'object', version: 'v1', syntax: 'json', includeObject: 'Metadata' }

/** The first alternative of an Accept header that can be had. Throws 406 when there is none, 400 for an odd includeObject. */
export function representationFor(accept: string | undefined, query: URLSearchParams): Representation {
  const includeObject = (query.get('includeObject') || 'Metadata') as Representation['includeObject']
  if (!['None', 'Metadata', 'Object'].includes(includeObject))
    throw refusals.badRequest(`unrecognized includeObject value: ${JSON.stringify(includeObject)}`)
  const ranges = mediaRanges(accept)
  if (ranges.length === 0) return { ...PLAIN, includeObject }
  for (const { type, parameters } of ranges) {
    if (type === 'application/yaml' && !parameters['as']) return { ...PLAIN, syntax: 'yaml', includeObject }
    if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') continue
    const form = formOf(parameters['as'])
    const version = parameters['v'] ?? 'v1'
    const group = parameters['g'] ?? 'meta.k8s.io'
    if (!form || group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue
    return { form, version, syntax: 'json', includeObject }
  }
  throw new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: 'only the following media types are accepted: application/json, application/yaml',
  })
}

function formOf(as: string | undefined): Representation['form'] | undefined {
  if (as === undefined) return 'object'
  if (as === 'Table') return 'table'
  return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList' ? 'partial' : undefined
}

/** What is needed to write down objects of a kind. */
export interface WritingDeps {
  texts: ObjectTexts
  served: ServedKind
  /** On the virtual clock, for ages. */
  nowMs: number
}

/** An answer as JSON text. Statuses and objects of other kinds (a Scale) look the same in every form. */
export function answerText(answer: KubeObject | ObjectList | Status, how: Representation, deps: WritingDeps): string {
  if (answer.kind === 'Status') return statusText(answer as Status)
  const { kind, listKind } = deps.served.kind
  if ('items' in answer && answer.kind === (listKind ?? `${kind}List`)) return listText(answer, how, deps)
  const object = answer as KubeObject
  if (object.kind !== kind || how.form === 'object') return deps.texts.textOf(object)
  return how.form === 'table' ? tableText([object], object.metadata.resourceVersion ?? '', how, deps) : partialText(object, how)
}

function listText(list: ObjectList, how: Representation, deps: WritingDeps): string {
  const { metadata, items } = list
  if (how.form === 'table')
    return JSON.stringify(tableFor(deps.served.kind, rowObjects(items, how), { ...tableOptions(how, deps), ...metadata }))
  if (how.form === 'partial') {
    const head = JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${how.version}`, metadata })
    return withItems(
      head,
      items.map((item) => partialText(item, how)),
    )
  }
  const { textOf, untypedTextOf } = deps.texts
  const head = JSON.stringify({ kind: list.kind, apiVersion: list.apiVersion, metadata })
  return withItems(head, items.map(deps.served.builtIn ? untypedTextOf : textOf))
}

function withItems(head: string, items: readonly string[]): string {
  return `${head.slice(0, -1)},"items":[${items.join(',')}]}`
}

function tableOptions({ version, includeObject }: Representation, { nowMs }: WritingDeps) {
  return { nowMs, includeObject, version }
}

function tableText(
  objects: readonly KubeObject[],
  resourceVersion: string,
  how: Representation,
  deps: WritingDeps,
  withDefinitions = true,
): string {
  return JSON.stringify(
    tableFor(deps.served.kind, rowObjects(objects, how), { ...tableOptions(how, deps), resourceVersion, withDefinitions }),
  )
}

/** Rows carry objects or their metadata, as clients know them. */
function rowObjects(objects: readonly KubeObject[], { includeObject }: Representation): readonly KubeObject[] {
  return includeObject === 'None' ? objects : objects.map(expanded)
}

function partialText({ metadata }: KubeObject, { version }: Representation): string {
  return objectJson({ kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata })
}

/** One event of a watch. `first` says whether it is the first one, which alone carries a table's columns. */
export function eventText(event: WatchEvent, how: Representation, deps: WritingDeps, first: boolean): string {
  return `{"type":"${event.type}","object":${eventObjectText(event, how, deps, first)}}`
}

function eventObjectText(event: WatchEvent, how: Representation, deps: WritingDeps, first: boolean): string {
  if (event.type === 'ERROR') return statusText(event.object)
  const { object } = event
  if (how.form === 'partial') return partialText(object, how)
  if (how.form === 'object') return event.type === 'BOOKMARK' ? JSON.stringify(object) : deps.texts.textOf(object)
  const shown = event.type === 'BOOKMARK' ? [] : [object]
  return tableText(shown, object.metadata.resourceVersion ?? '', how, deps, first)
}

/** A Status leaves its reason out where there is none. */
export function statusText(status: Status): string {
  return JSON.stringify(status, (key, value: unknown) => (key === 'reason' && value === '' ? undefined : value))
}
