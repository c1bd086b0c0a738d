import { stringify } from 'yaml'
import type { ServedKind } from '../../src/apimachinery/kind.js'
import type { Random } from '../../src/base/random.js'

export interface FuzzRequest {
  method: string
  path: string
  query: string
  headers: Record<string, string>
  body: Buffer | undefined
}

/** A tree of JSON, as a test may take it apart. */
type Tree = null | boolean | number | string | Tree[] | { [key: string]: Tree }

/** An object to make requests of; `bytes` is the same one in protobuf, where its sender would use that. */
export interface FuzzSubject {
  served: ServedKind
  object: object
  bytes?: Buffer
}

const NAMESPACE = 'fuzz'
const LONG = 'x'.repeat(300)
const deep = (levels: number): Tree => (levels === 0 ? 'deep' : levels % 2 === 0 ? [deep(levels - 1)] : { deep: deep(levels - 1) })

/** Values that programs stumble over; none of them is an image that runs here. */
const ODD_VALUES: readonly Tree[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e21, 1e-9],
  ...['', ' ', 'x', LONG, '\u0000', '\n', '\ud800', '\u{1f600}', 'é', '__proto__', 'constructor', 'toString', '-1', '0', '9'.repeat(40)],
  ...[
    '1e400Ki',
    '100%',
    '-5%',
    '*',
    '/',
    '..',
    'a.b/c',
    'kubernetes',
    'foregroundDeletion',
    '2026-13-45T99:99:99Z',
    '2026-01-02T03:04:05.6Z',
  ],
  ...['(', '[a-z', 'self.size() >', '.spec.x[', '{.items[?(@', 'http://[', '::1', '0.0.0.0', '999.1.1.1', '*/0 * * * *', 'PT', '$patch'],
  ...[[], {}, [null], [[]], [{}], { '': '' }, { $patch: 'delete' }, { $patch: 'replace' }, { $patch: 'what' }, { constructor: 1 }],
  deep(40),
  Array.from({ length: 500 }, () => 0),
]

const ODD_TEXTS: readonly string[] = [
  '1e999',
  '01',
  'NaN',
  '"\\ud800"',
  '"\\x"',
  '{"a":1,"a":2}',
  '[,]',
  'nul',
  '\ufeff{}',
  '{}{}',
  '/**/',
  '-',
]
const ODD_SEGMENTS: readonly string[] = [
  '..',
  '.',
  '',
  '%2e%2e',
  '%00',
  '%',
  '%zz',
  '%ff',
  '__proto__',
  'constructor',
  LONG,
  'é',
  '%2F',
  'a b',
  '~',
  '*',
  'status',
  'scale',
  'log',
  'watch',
  'v0',
]
const ODD_QUERIES: Readonly<Record<string, readonly string[]>> = {
  limit: ['0', '1', '-1', 'x', '99999999999999999999', '1.5'],
  continue: ['', 'x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiIn0', '%00'],
  resourceVersion: ['', '0', '1', '-1', '01', 'x', '99999999999999999999', '9007199254740993'],
  resourceVersionMatch: ['', 'Exact', 'NotOlderThan', 'Other'],
  labelSelector: [
    '',
    'a',
    '!a',
    'a=b',
    'a!=b',
    'a in (b,c)',
    'a in (',
    'a>1',
    'a>x',
    '=',
    ',,',
    `${LONG}=${LONG}`,
    '__proto__=1',
    'a=b,c notin (d)',
  ],
  fieldSelector: [
    '',
    'metadata.name=a',
    'metadata.name!=a',
    'status.phase=x',
    'a',
    '=',
    '\\',
    'metadata.name=\\',
    '__proto__=',
    'constructor=1',
  ],
  dryRun: ['', 'All', 'None', 'all'],
  fieldManager: ['', 'me', LONG, '\u0001', 'é'],
  fieldValidation: ['', 'Strict', 'Warn', 'Ignore', 'strict'],
  force: ['', 'true', 'false', 'x'],
  propagationPolicy: ['', 'Foreground', 'Background', 'Orphan', 'x'],
  orphanDependents: ['true', 'false', 'x'],
  gracePeriodSeconds: ['0', '1', '-1', 'x', '99999999999'],
  watch: ['', '0', 'true', '1', 'x'],
  timeoutSeconds: ['0', '1', '-1', 'x', '1e9'],
  sendInitialEvents: ['true', 'false', 'x'],
  allowWatchBookmarks: ['true', 'x'],
  pretty: ['true', 'x'],
  includeObject: ['None', 'Object', 'Metadata', 'x'],
  container: ['', 'x', '__proto__'],
  tailLines: ['-1', '1', 'x'],
  __proto__x: ['1'],
}
const TYPES: readonly string[] = [
  ...[
    'application/json',
    'application/yaml',
    'application/vnd.kubernetes.protobuf',
    'application/json-patch+json',
    'application/merge-patch+json',
  ],
  ...[
    'application/strategic-merge-patch+json',
    'application/apply-patch+yaml',
    'application/apply-patch+cbor',
    'text/plain',
    '',
    ';',
    'a/b/c',
    '*/*',
  ],
]
const ACCEPTS: readonly string[] = [
  ...[
    'application/json',
    '*/*',
    '',
    'application/yaml',
    'application/vnd.kubernetes.protobuf',
    'text/html',
    ',,;q=',
    'application/json;q=x',
  ],
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
  'application/json;as=Table;v=v9;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
]
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PURGE', 'TRACE']
const ODD_HEADERS: readonly (readonly [string, string])[] = [
  ['Authorization', 'Bearer'],
  ['Authorization', 'Bearer a.b.c'],
  ['Authorization', 'Basic eA=='],
  ['Impersonate-User', 'someone'],
  ['Impersonate-User', ''],
  ['Impersonate-Group', 'system:masters'],
  ['Impersonate-Extra-%', 'x'],
  ['Impersonate-Uid', '1'],
  ['Content-Encoding', 'gzip'],
  ['If-None-Match', '"x"'],
  ['Accept-Encoding', 'gzip'],
  ['User-Agent', LONG],
  ['User-Agent', '\u00e9\u00ff'],
  ['User-Agent', ''],
  ['Origin', 'https://example.com'],
  ['Upgrade', 'SPDY/3.1'],
  ['Connection', 'upgrade'],
  ['Expect', '100-continue'],
  ['X-Forwarded-For', '::'],
]
const PLAIN_PATHS: readonly string[] = [
  '/',
  '/api',
  '/apis',
  '/version',
  '/healthz',
  '/readyz?verbose',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/api/v1',
  '/apis/apps',
  '/apis/apps/v1',
  '/api/v1',
  '/openid/v1/jwks',
  '/.well-known/openid-configuration',
  '/livez/ping',
  '/api/',
  '/apis/serving.knative.dev/v1/',
]

/** Where objects of a kind are created and listed. */
export function collectionPath({ kind }: ServedKind, namespace: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`
  return `${root}${kind.namespaced ? `/namespaces/${namespace}` : ''}/${kind.plural}`
}

/**
 * Requests that a client might send, most of them with a few things wrong, drawn from `random`. What came back from the server can be
 * told with `sawObject`: later requests are about objects that are there.
 */
export function createRequestMaker(
  random: Random,
  subjects: readonly FuzzSubject[],
  onlyToCreate: readonly FuzzSubject[],
): { next(): FuzzRequest; raw(host: string, token: string): Buffer; sawObject(object: object): void } {
  const below = (limit: number): number => Math.floor(random.float() * limit)
  const one = <T>(all: readonly T[]): T => all[below(all.length)]!
  const chance = (probability: number): boolean => random.float() < probability
  const live: { served: ServedKind; object: object }[] = []
  let made = 0

  /** Every place in a tree but its root, as the container and the key in it. */
  const places = (tree: Tree): [Tree[] | { [key: string]: Tree }, string][] => {
    if (tree === null || typeof tree !== 'object') return []
    return Object.keys(tree).flatMap((key) => {
      const child = (tree as { [key: string]: Tree })[key]!
      return [[tree, key] as [{ [key: string]: Tree }, string], ...places(child)]
    })
  }

  const mutateTree = (tree: Tree): Tree => {
    const all = places(tree)
    if (all.length === 0 || chance(0.03)) return one(ODD_VALUES)
    const [container, key] = one(all)
    const at = container as { [key: string]: Tree }
    switch (below(6)) {
      case 0:
        if (Array.isArray(container)) container.splice(Number(key), 1)
        else delete at[key]
        break
      case 1: {
        const [otherContainer, otherKey] = one(all)
        at[key] = structuredClone((otherContainer as { [key: string]: Tree })[otherKey]!)
        break
      }
      case 2:
        if (Array.isArray(container)) container.push(structuredClone(one(container)))
        else
          Object.defineProperty(at, one(['extra', '__proto__', 'constructor', '', 'a.b', 'f:x', key.toUpperCase()]), {
            value: one(ODD_VALUES),
            enumerable: true,
            configurable: true,
            writable: true,
          })
        break
      default:
        at[key] = structuredClone(one(ODD_VALUES))
    }
    return tree
  }

  const mutateBytes = (body: Buffer): Buffer => {
    const at = below(body.length + 1)
    switch (below(5)) {
      case 0:
        return body.subarray(0, at)
      case 1:
        return Buffer.concat([body.subarray(0, at), random.bytes(1 + below(4)), body.subarray(at)])
      case 2:
        return Buffer.concat([body.subarray(0, at), Buffer.from(one(ODD_TEXTS)), body.subarray(at)])
      case 3:
        return Buffer.concat([body.subarray(0, at), body.subarray(below(body.length + 1))])
      default: {
        const copy = Buffer.from(body)
        for (let change = 0; change < 3 && copy.length > 0; change++) copy[below(copy.length)]! ^= 1 << below(8)
        return copy
      }
    }
  }

  const nameOf = (object: object): string => {
    const { metadata } = object as { metadata?: { name?: unknown } }
    return typeof metadata?.name === 'string' && metadata.name !== ''
      ? encodeURIComponent(metadata.name.replace(/[\ud800-\udfff]/g, '?'))
      : 'f1'
  }
  const namespaceOf = (object: object): string => {
    const { metadata } = object as { metadata?: { namespace?: unknown } }
    return typeof metadata?.namespace === 'string' && metadata.namespace !== ''
      ? encodeURIComponent(metadata.namespace.replace(/[\ud800-\udfff]/g, '?'))
      : NAMESPACE
  }

  /** Some operations of RFC 6902 on places that are there, and some that are not. */
  const jsonPatchOf = (object: Tree): Tree => {
    const pointers = ['', '/metadata/labels/x', '/spec/nothing/here', '/metadata/finalizers/-']
    const walk = (tree: Tree, pointer: string): void => {
      if (tree === null || typeof tree !== 'object') return
      for (const [key, child] of Object.entries(tree)) {
        const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
        pointers.push(at)
        walk(child, at)
      }
    }
    walk(object, '')
    return Array.from({ length: 1 + below(3) }, (): Tree => {
      const op = one(['add', 'replace', 'remove', 'test', 'copy', 'move'])
      return {
        op,
        path: one(pointers),
        ...(op === 'copy' || op === 'move' ? { from: one(pointers) } : op === 'remove' ? {} : { value: one(ODD_VALUES) }),
      }
    })
  }

  const requestFrom = (): {
    method: string
    path: string
    query: string[]
    type: string
    tree: Tree | undefined
    bytes: Buffer | undefined
  } => {
    const isCreate = chance(0.15)
    const subject =
      live.length > 0 && !isCreate && chance(0.6)
        ? { ...one(live), bytes: undefined }
        : one(isCreate && chance(0.4) ? onlyToCreate : subjects)
    const { served } = subject
    const tree = structuredClone(subject.object) as { [key: string]: Tree }
    const collection = collectionPath(served, namespaceOf(tree))
    const name = nameOf(tree)
    const query: string[] = []
    const request = {
      method: 'GET',
      path: `${collection}/${name}`,
      query,
      type: '',
      tree: undefined as Tree | undefined,
      bytes: undefined as Buffer | undefined,
    }
    switch (isCreate ? 4 : below(12)) {
      case 0:
        return request
      case 1:
        return { ...request, path: chance(0.5) ? collection : collection.replace(/\/namespaces\/[^/]+/, '') }
      case 2:
        return { ...request, path: collection, query: ['watch=true', 'timeoutSeconds=1', ...(chance(0.5) ? ['resourceVersion=0'] : [])] }
      case 3:
        return { ...request, path: one(PLAIN_PATHS) }
      case 4:
      case 5: {
        if (subject.bytes && chance(0.6))
          return { ...request, method: 'POST', path: collection, type: 'application/vnd.kubernetes.protobuf', bytes: subject.bytes }
        const metadata = { ...(tree['metadata'] as { [key: string]: Tree }), name: `f${++made}` } as { [key: string]: Tree }
        for (const key of ['resourceVersion', 'uid', 'managedFields']) delete metadata[key]
        return {
          ...request,
          method: 'POST',
          path: collection,
          type: one(['application/json', 'application/yaml']),
          tree: { ...tree, metadata },
        }
      }
      case 6:
        return { ...request, method: 'PUT', path: `${collection}/${name}${one(['', '', '', '/status'])}`, type: 'application/json', tree }
      case 7:
        return { ...request, method: 'PATCH', type: 'application/json-patch+json', tree: jsonPatchOf(tree) }
      case 8:
        return {
          ...request,
          method: 'PATCH',
          type: one(['application/merge-patch+json', 'application/strategic-merge-patch+json']),
          tree: mutateTree(tree),
        }
      case 9: {
        const metadata = {
          name: (tree['metadata'] as { [key: string]: Tree } | undefined)?.['name'] ?? 'f1',
          ...(chance(0.5) && { labels: { by: `m${below(4)}` } }),
        }
        return {
          ...request,
          method: 'PATCH',
          type: 'application/apply-patch+yaml',
          query: [`fieldManager=m${below(4)}`, ...(chance(0.5) ? ['force=true'] : [])],
          tree: { ...tree, metadata },
        }
      }
      case 10:
        if (chance(0.15)) return { ...request, method: 'DELETE', path: collection, query: ['labelSelector=by=m1'] }
        return {
          ...request,
          method: 'DELETE',
          type: 'application/json',
          tree: chance(0.5) ? { propagationPolicy: one(['Background', 'Foreground', 'Orphan']) } : undefined,
        }
      default: {
        const sub = one([
          'scale',
          'status',
          'status',
          chance(0.3) ? 'finalize' : 'status',
          chance(0.5) ? one(['eviction', 'token', 'log', 'approval']) : 'scale',
        ])
        const method = one(['GET', 'PUT', 'PATCH', 'POST'])
        const scale: Tree = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name }, spec: { replicas: below(3) } }
        return {
          ...request,
          method,
          path: `${collection}/${name}/${sub}`,
          type: method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          tree: sub === 'scale' ? scale : tree,
        }
      }
    }
  }

  const next = (): FuzzRequest => {
    const { method, path, query, type, tree, bytes } = requestFrom()
    const request: FuzzRequest = { method, path, query: query.join('&'), headers: {}, body: undefined }
    if (type !== '') request.headers['Content-Type'] = type
    let body = tree
    const mutations = chance(0.25) ? [] : Array.from({ length: 1 + below(3) }, () => below(8))
    for (const mutation of mutations) if (mutation < 4 && body !== undefined) body = mutateTree(body)
    if (bytes) request.body = bytes
    else if (body !== undefined) {
      const isYaml = type.includes('yaml') && chance(0.5)
      request.body = Buffer.from(isYaml ? stringify(body, { aliasDuplicateObjects: chance(0.5) }) : JSON.stringify(body))
    }
    for (const mutation of mutations) {
      switch (mutation) {
        case 3:
          if (request.body) request.body = mutateBytes(request.body)
          break
        case 4: {
          const segments = request.path.split('/')
          segments.splice(below(segments.length), below(2), ...(chance(0.8) ? [one(ODD_SEGMENTS)] : []))
          request.path = `/${segments.join('/').replace(/^\/+/, '')}`
          break
        }
        case 5: {
          const key = one(Object.keys(ODD_QUERIES))
          request.query += `&${encodeURIComponent(key)}=${encodeURIComponent(one(ODD_QUERIES[key]!))}`
          break
        }
        case 6: {
          const [header, value] = chance(0.4)
            ? (['Content-Type', one(TYPES)] as const)
            : chance(0.5)
              ? (['Accept', one(ACCEPTS)] as const)
              : one(ODD_HEADERS)
          request.headers[header] = value
          break
        }
        case 7:
          if (chance(0.4)) request.method = one(METHODS)
          break
      }
    }
    request.path = [...request.path].map((character) => (/[!-~]/.test(character) ? character : encodeURIComponent(character))).join('')
    return request
  }

  /** HTTP/1.1 as nobody's library would write it. */
  const raw = (host: string, token: string): Buffer => {
    const { method, path, body } = next()
    const valid = Buffer.from(
      `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body?.length ?? 0}\r\n\r\n${body?.toString('latin1') ?? ''}`,
      'latin1',
    )
    switch (below(8)) {
      case 0:
        return random.bytes(1 + below(200))
      case 1:
        return Buffer.from(`GET / HTTP/${one(['0.9', '2.0', '1.9', 'x'])}\r\nHost: ${host}\r\n\r\n`)
      case 2:
        return Buffer.from(
          valid
            .toString('latin1')
            .replace(
              /Content-Length: \d+/,
              one([
                'Content-Length: -1',
                'Content-Length: 1, 2',
                'Content-Length: x',
                'Content-Length: 5\r\nContent-Length: 6',
                'Transfer-Encoding: chunked\r\nContent-Length: 3',
                'Transfer-Encoding: gzip',
              ]),
            ),
          'latin1',
        )
      case 3:
        return Buffer.from(
          valid
            .toString('latin1')
            .replace(
              'Host: ',
              one([
                'Host : ',
                'Host:\r\n ',
                'Ho\u0000st: ',
                `X-Long: ${'y'.repeat(100_000)}\r\nHost: `,
                `Host: ${host}\r\nHost: `,
                ': x\r\nHost: ',
              ]),
            ),
          'latin1',
        )
      case 4:
        return Buffer.from(
          `${method} ${one(['*', 'http://example.com/api', '//', '', '\u0001', `/${'p'.repeat(100_000)}`])} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
          'latin1',
        )
      case 5:
        return Buffer.from(
          `POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n${one(['x\r\n', '-1\r\n', 'ffffffffffffffff\r\n', '3;a=b\r\n{}\n\r\n0\r\n\r\n', '2\r\n{}\r\n0\r\nTrailer: x\r\n\r\n'])}`,
        )
      default:
        return mutateBytes(valid)
    }
  }

  return {
    next,
    raw,
    sawObject(object) {
      const { apiVersion, kind } = object as { apiVersion?: string; kind?: string }
      const served = subjects.find(
        ({ served: { kind: one } }) => one.kind === kind && (one.group ? `${one.group}/${one.version}` : one.version) === apiVersion,
      )?.served
      if (!served) return
      if (live.length < 40) live.push({ served, object })
      else live[below(40)] = { served, object }
    },
  }
}
