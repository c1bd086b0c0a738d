import type { ApiCall, ObjectList } from '../apimachinery/call.js'
import type { KubeObject } from '../apimachinery/object.js'
import { refusals } from '../apimachinery/status-error.js'
import type { Snapshot } from '../store/store.js'
import type { AnswerVerb, VerbDeps } from './deps.js'
import { decodePageToken, encodePageToken, placeOf } from './pages.js'
import type { Resource } from './resource.js'
import { type Selection, selectionFor } from './selection.js'
import { checkVersionOptions, reachVersion, versionFrom } from './versions.js'

/** GET of a collection, whole or in pages that all show the same moment. */
export const list: AnswerVerb = async (deps, resource, call) => {
  const options = call.options ?? {}
  checkVersionOptions(options, 'list')
  const selection = selectionFor(resource, options)
  const { snapshot: stored, after } = options.continue ? continued(deps, resource, call) : await fresh(deps, resource, call)
  const snapshot = resource.reading ? { ...stored, items: await resource.reading.shown(stored.items) } : stored
  return { code: 200, object: pageOf(deps, resource, call, { snapshot, after, selection }), warnings: [] }
}

/** Everything a call on a collection selects, as it is now; what deletecollection works through. */
export async function selected(deps: VerbDeps, resource: Resource, call: ApiCall): Promise<readonly KubeObject[]> {
  const selection = selectionFor(resource, call.options ?? {})
  const { items: stored } = snapshotNow(deps, resource, call)
  const items = resource.reading && !selection.all ? await resource.reading.shown(stored) : stored
  return selection.all ? items : items.filter(selection.matches)
}

/** Pages of a user-defined kind belong to the version they were read in. */
const scopeOf = ({ stored, kind, reading, apiVersion }: Resource, call: ApiCall): string => {
  const name = reading ? `${stored} ${apiVersion}` : stored
  return kind.namespaced && call.namespace ? `${name}/${call.namespace}` : name
}

function snapshotNow(deps: VerbDeps, resource: Resource, call: ApiCall): Snapshot {
  return deps.store.list(resource.stored, resource.kind.namespaced ? call.namespace : undefined)
}

async function fresh(deps: VerbDeps, resource: Resource, call: ApiCall): Promise<{ snapshot: Snapshot; after: undefined }> {
  const version = versionFrom(call.options?.resourceVersion)
  if (version > deps.store.version) await reachVersion(deps.store, version)
  const now = snapshotNow(deps, resource, call)
  if (call.options?.resourceVersionMatch !== 'Exact' || version === now.version) return { snapshot: now, after: undefined }
  const kept = deps.pages.exactly(scopeOf(resource, call), version)
  if (!kept) throw refusals.expired('The resourceVersion for the provided list is too old.')
  return { snapshot: kept, after: undefined }
}

function continued(deps: VerbDeps, resource: Resource, call: ApiCall): { snapshot: Snapshot; after: string } {
  const { continue: text = '', resourceVersion } = call.options ?? {}
  if (resourceVersion && resourceVersion !== '0')
    throw refusals.badRequest('specifying resource version is not allowed when using continue')
  const token = decodePageToken(text)
  const snapshot = token.version < 0 ? snapshotNow(deps, resource, call) : deps.pages.find(scopeOf(resource, call), token)
  return { snapshot, after: token.after }
}

function pageOf(
  deps: VerbDeps,
  resource: Resource,
  call: ApiCall,
  { snapshot, after, selection }: { snapshot: Snapshot; after: string | undefined; selection: Selection },
): ObjectList {
  const { served } = resource
  const list = (items: readonly KubeObject[], more: { continue?: string; remainingItemCount?: number } = {}): ObjectList => ({
    kind: resource.listKind,
    apiVersion: resource.apiVersion,
    metadata: { resourceVersion: String(snapshot.version), ...more },
    items: served.live ? items.map((item) => served.live!(item)) : items,
  })
  const limit = call.options?.limit ?? 0
  const start = after === undefined ? 0 : indexAfter(snapshot.items, after)
  if (limit <= 0) {
    const rest = start === 0 ? snapshot.items : snapshot.items.slice(start)
    return list(selection.all ? rest : rest.filter(selection.matches))
  }

  const items: KubeObject[] = []
  let index = start
  for (; index < snapshot.items.length && items.length < limit; index++) {
    const item = snapshot.items[index]!
    if (selection.matches(item)) items.push(item)
  }
  const more = selection.all ? index < snapshot.items.length : snapshot.items.slice(index).some(selection.matches)
  if (!more) return list(items)
  deps.pages.keep(scopeOf(resource, call), snapshot)
  return list(items, {
    continue: encodePageToken({ version: snapshot.version, after: placeOf(snapshot.items[index - 1]!) }),
    // Counting what a selector would leave is what upstream avoids too.
    ...(selection.all && { remainingItemCount: snapshot.items.length - index }),
  })
}

/** The first item behind a place; the items are in byte order of namespace, then name. */
function indexAfter(items: readonly KubeObject[], after: string): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (comparePlaces(placeOf(items[middle]!), after) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Namespace first: names may contain `-` and `.`, which sort before the slash that joins them. */
function comparePlaces(left: string, right: string): number {
  const [leftHead = '', leftTail = ''] = left.split('/')
  const [rightHead = '', rightTail = ''] = right.split('/')
  const byHead = compareText(leftHead, rightHead)
  return byHead === 0 ? compareText(leftTail, rightTail) : byHead
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
