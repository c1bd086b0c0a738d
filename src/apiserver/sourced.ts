import type { ApiCall, ObjectList } from '../apimachinery/call.js'
import type { ObjectSource } from '../apimachinery/kind.js'
import type { KubeObject } from '../apimachinery/object.js'
import { parseFieldSelector } from '../apimachinery/selectors.js'
import { refusals } from '../apimachinery/status-error.js'
import type { StoreView } from '../store/store.js'
import { type AnswerVerb, nameOf } from './deps.js'
import { decodePageToken, encodePageToken } from './pages.js'
import type { Resource } from './resource.js'
import { selectionFor } from './selection.js'
import { checkVersionOptions, tooLargeVersion, versionFrom } from './versions.js'

/** How many objects are read at once where a call sets no limit, or where a selector leaves out most. */
const PAGE = 500

/** The verb of a kind whose objects are not in the store (ServedKind.source); undefined for all other kinds. */
export function sourcedVerb({ served }: Resource, { verb, subresource }: ApiCall): AnswerVerb | undefined {
  if (!served.source || subresource) return undefined
  return verb === 'get' ? get : verb === 'list' ? list : undefined
}

const get: AnswerVerb = async (_, resource, call) => {
  const source = resource.served.source!
  checkNotAhead(source, call)
  const object = source.find({ namespace: call.namespace, name: nameOf(call) })
  if (!object) throw refusals.notFound(resource.name, nameOf(call))
  return { code: 200, object, warnings: [] }
}

/** In pages that never show what came after the first of them; what is forgotten or changes in between is gone or changed. */
const list: AnswerVerb = async (_, resource, call) => {
  const options = call.options ?? {}
  const source = resource.served.source!
  checkVersionOptions(options, 'list')
  const selection = selectionFor(resource, options)
  const limit = options.limit ?? 0
  const token = options.continue ? decodePageToken(options.continue) : undefined
  if (token) {
    if (options.resourceVersion && options.resourceVersion !== '0')
      throw refusals.badRequest('specifying resource version is not allowed when using continue')
  } else checkNotAhead(source, call)
  const current = source.version()
  const version = token && token.version > 0 ? token.version : current
  if (options.resourceVersionMatch === 'Exact' && versionFrom(options.resourceVersion) !== version)
    throw refusals.expired('The resourceVersion for the provided list is too old.')

  const items: KubeObject[] = []
  // One more than is asked for tells whether there are more.
  const wanted = limit > 0 ? limit + 1 : Number.POSITIVE_INFINITY
  const fields = options.fieldSelector ? parseFieldSelector(options.fieldSelector, resource.fieldLabels) : []
  for (let after = token?.after; items.length < wanted; ) {
    const size = Math.min(PAGE, wanted - items.length)
    const page = source.page({ namespace: call.namespace, fields, after, upToVersion: version, limit: size })
    for (const object of page) if (selection.matches(object)) items.push(object)
    if (page.length < size) break
    after = page.at(-1)!.metadata.name
  }
  const hasMore = items.length === wanted
  if (hasMore) items.pop()
  const object: ObjectList = {
    kind: resource.listKind,
    apiVersion: resource.apiVersion,
    metadata: {
      resourceVersion: String(version),
      ...(hasMore && { continue: encodePageToken({ version, after: items.at(-1)!.metadata.name }) }),
    },
    items,
  }
  return { code: 200, object, warnings: [] }
}

function checkNotAhead(source: ObjectSource, { options }: ApiCall): void {
  const requested = versionFrom(options?.resourceVersion)
  if (requested > source.version()) throw tooLargeVersion(requested, source.version())
}

/** A source as what a watch follows. */
export function sourceView(source: ObjectSource, { stored }: Resource): Pick<StoreView, 'version' | 'list' | 'watch'> {
  return {
    get version() {
      return source.version()
    },
    list(_, namespace) {
      const version = source.version()
      const items: KubeObject[] = []
      for (let after: string | undefined; ; after = items.at(-1)!.metadata.name) {
        const page = source.page({ namespace, fields: [], after, upToVersion: version, limit: PAGE })
        items.push(...page)
        if (page.length < PAGE) return { items, version }
      }
    },
    watch: ({ namespace, fromVersion }, listener) =>
      source.watch({ namespace, fromVersion }, ({ type, object, previous, version }) => {
        const { name } = object.metadata
        listener({ type, key: { resource: stored, namespace: object.metadata.namespace, name }, object, previous, version })
      }),
  }
}
