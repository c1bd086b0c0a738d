import { groupVersion, type ServedKind } from '../apimachinery/kind.js'
import { compareVersions } from './discovery.js'
import { type DocumentAnswer, documentAnswer, type GeneratedDocument, generatedDocument, mediaRanges } from './generated-document.js'
import { type Operation, type Parameter, type Path, pathsOf } from './openapi-paths.js'
import { publishedSchemas } from './openapi-schemas.js'
import { swaggerDocument } from './openapi-v2.js'
import { swaggerProtobuf } from './openapi-v2-protobuf.js'

export interface OpenApi {
  /**
   * The document at `/openapi/v3`, `/openapi/v3/<api/v1 | apis/<group>/<version>>` or `/openapi/v2`; undefined for any
   * other path. `query` is that of the URL (URLSearchParams; only `hash` is read).
   */
  answer(
    path: string,
    query: { get(name: string): string | null },
    accept: string | undefined,
    ifNoneMatch: string | undefined,
  ): DocumentAnswer | undefined
}

/** What clients ask for; the first form is kubectl's. */
const V2_PROTOBUF_ACCEPTED = [
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
]
/** What is answered: Go's parser refuses an `@` in a Content-Type, and kubectl with it. */
const V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'
/** Documents with a hash never change, so the date only has to lie far ahead for kubectl to keep them. */
const FAR_AHEAD = 'Thu, 31 Dec 2099 23:59:59 GMT'

/** Documents of single group versions, kept by whoever makes the whole anew: most stay the same when one kind comes or goes. */
export type VersionDocuments = Map<string, { kinds: readonly ServedKind[]; document: GeneratedDocument }>

/**
 * OpenAPI documents of the served kinds, made from their schemas on first demand and kept as bytes. `version` is that of
 * the API (`v1.35.0`).
 * @see kubernetes/kube-openapi pkg/handler3/handler.go
 */
export function createOpenApi(kinds: readonly ServedKind[], version: string, earlier: VersionDocuments = new Map()): OpenApi {
  const documents = new Map<string, GeneratedDocument>()
  const document = (key: string, make: () => string | Uint8Array): GeneratedDocument => {
    const known = documents.get(key)
    if (known) return known
    const made = generatedDocument(make())
    documents.set(key, made)
    return made
  }
  const kindsByVersion = new Map<string, ServedKind[]>()
  for (const served of kinds) {
    const key = `${served.kind.group === '' ? 'api' : 'apis'}/${groupVersion(served.kind)}`
    kindsByVersion.set(key, [...(kindsByVersion.get(key) ?? []), served])
  }
  const versionDocument = (key: string): GeneratedDocument => {
    const ofVersion = kindsByVersion.get(key)!
    const known = earlier.get(key)
    if (known?.kinds.length === ofVersion.length && known.kinds.every((served, index) => served === ofVersion[index])) return known.document
    const made = generatedDocument(JSON.stringify(v3Document(ofVersion, version)))
    earlier.set(key, { kinds: ofVersion, document: made })
    return made
  }
  const urlOf = (key: string): string => `/openapi/v3/${key}?hash=${versionDocument(key).hash}`

  const index = (): GeneratedDocument =>
    document('/openapi/v3', () => {
      const keys = [...kindsByVersion.keys()].sort(compareKeys)
      return JSON.stringify({ paths: Object.fromEntries(keys.map((key) => [key, { serverRelativeURL: urlOf(key) }])) })
    })

  const v2 = (accept: string | undefined, ifNoneMatch: string | undefined): DocumentAnswer => {
    for (const { type } of mediaRanges(accept ?? '*/*')) {
      if (V2_PROTOBUF_ACCEPTED.includes(type)) {
        const bytes = document('v2 protobuf', () => swaggerProtobuf(swaggerDocument(kinds, version)))
        return documentAnswer(bytes, V2_PROTOBUF, ifNoneMatch)
      }
      if (acceptsJson(type)) {
        return documentAnswer(
          document('v2 json', () => JSON.stringify(swaggerDocument(kinds, version))),
          'application/json',
          ifNoneMatch,
        )
      }
    }
    return notAcceptable()
  }

  return {
    answer(path, query, accept, ifNoneMatch) {
      if (path === '/openapi/v2') return v2(accept, ifNoneMatch)
      if (path !== '/openapi/v3' && !path.startsWith('/openapi/v3/')) return undefined
      if (accept && !mediaRanges(accept).some(({ type }) => acceptsJson(type))) return notAcceptable()
      const key = path.slice('/openapi/v3/'.length)
      if (key === '') return documentAnswer(index(), 'application/json', ifNoneMatch)
      if (!kindsByVersion.has(key)) return undefined

      const wanted = versionDocument(key)
      const hash = query.get('hash')
      if (!hash) return documentAnswer(wanted, 'application/json', ifNoneMatch)
      if (hash !== wanted.hash) return { status: 301, headers: { Location: urlOf(key), Vary: 'Accept' }, body: Buffer.alloc(0) }
      return documentAnswer(wanted, 'application/json', ifNoneMatch, { 'Cache-Control': 'public, immutable', Expires: FAR_AHEAD })
    },
  }
}

const acceptsJson = (type: string): boolean => type === 'application/json' || type === '*/*' || type === 'application/*'

function notAcceptable(): DocumentAnswer {
  return {
    status: 406,
    headers: { 'Content-Type': 'text/plain; charset=utf-8', Vary: 'Accept' },
    body: Buffer.from('406 Not Acceptable\n'),
  }
}

function compareKeys(a: string, b: string): number {
  const split = (key: string): [string, string] => [key.slice(0, key.lastIndexOf('/')), key.slice(key.lastIndexOf('/') + 1)]
  const [groupA, versionA] = split(a)
  const [groupB, versionB] = split(b)
  return groupA === groupB ? compareVersions(versionA, versionB) : groupA < groupB ? -1 : 1
}

function v3Document(kinds: readonly ServedKind[], version: string): object {
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version },
    paths: Object.fromEntries(pathsOf(kinds).map((path) => [path.path, pathItem(path)])),
    components: { schemas: publishedSchemas(kinds, v3Reference) },
  }
}

const v3Reference = (name: string): string => `#/components/schemas/${name}`
const contentOf = (types: readonly string[], schema: object): object => Object.fromEntries(types.map((type) => [type, { schema }]))

function pathItem({ parameters, operations }: Path): object {
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationObject(operation)])),
    parameters: parameters.map(parameterObject),
  }
}

function parameterObject({ name, in: place, type, description }: Parameter): object {
  return { name, in: place, description, ...(place === 'path' && { required: true }), schema: { type, uniqueItems: true } }
}

function operationObject({ action, operationId, parameters, consumes, bodySchema, answers, gvk }: Operation): object {
  const answer = { description: 'OK', content: contentOf(['application/json'], { $ref: v3Reference(answers) }) }
  const body = bodySchema ? { $ref: v3Reference(bodySchema) } : { type: 'object', description: 'A patch in one of these formats.' }
  return {
    operationId,
    parameters: parameters.map(parameterObject),
    ...(consumes && { requestBody: { content: contentOf(consumes, body), required: true } }),
    responses: {
      '200': answer,
      ...(action === 'post' && { '201': { ...answer, description: 'Created' } }),
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvk,
  }
}
