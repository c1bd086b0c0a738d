import { describe, expect, test } from 'vitest'
import type { ServedKind } from '../../../src/apimachinery/kind.js'
import { createOpenApi } from '../../../src/apiserver/openapi.js'
import { deploymentKind } from '../../../src/kinds/core/deployment/kind.js'
import { namespaceKind } from '../../../src/kinds/core/namespace/kind.js'
import { serviceKind } from '../../../src/kinds/service/kind.js'

const kinds: ServedKind[] = [
  {
    kind: serviceKind as ServedKind['kind'],
    builtIn: false,
    schema: {
      type: 'object',
      description: 'A service.',
      properties: {
        spec: {
          type: 'object',
          properties: {
            percent: { 'x-kubernetes-int-or-string': true },
            maybe: { type: 'string', nullable: true, description: 'Perhaps.' },
            open: { type: 'object', properties: { known: { type: 'string' } }, 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      },
    },
  },
  {
    kind: deploymentKind as ServedKind['kind'],
    builtIn: true,
    schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          required: ['template'],
          properties: {
            replicas: { type: 'integer', format: 'int32', default: 1 },
            template: {
              type: 'object',
              properties: {
                containers: {
                  type: 'array',
                  'x-kubernetes-patch-merge-key': 'name',
                  items: { type: 'object', additionalProperties: { type: 'string' } },
                },
              },
            },
          },
        },
      },
    },
  },
  {
    kind: namespaceKind as ServedKind['kind'],
    builtIn: true,
    verbs: ['get', 'patch'],
    schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
]
const openApi = createOpenApi(kinds, 'v1.35.0')
const PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

const get = (url: string, accept = 'application/json', ifNoneMatch?: string) => {
  const [path, query] = url.split('?')
  return openApi.answer(path!, new URLSearchParams(query), accept, ifNoneMatch)
}
// biome-ignore lint/suspicious/noExplicitAny: documents of many shapes are looked into here
const json = (url: string): any => JSON.parse(get(url)!.body.toString())
const urlOf = (key: string): string => json('/openapi/v3').paths[key].serverRelativeURL

describe('version 3', () => {
  test('the index lists a document per group and version, each under its hash', () => {
    expect(Object.keys(json('/openapi/v3').paths)).toEqual(['api/v1', 'apis/apps/v1', 'apis/serving.knative.dev/v1'])
    expect(urlOf('apis/apps/v1')).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{64}$/)
  })

  test('a document under its hash may be kept for good, a stale hash leads to the new one, no hash is revalidated', () => {
    const url = urlOf('apis/apps/v1')
    const answer = get(url)!
    expect(answer.headers).toMatchObject({ 'Content-Type': 'application/json', 'Cache-Control': 'public, immutable', Vary: 'Accept' })
    expect(Date.parse(answer.headers['Expires']!)).toBeGreaterThan(Date.parse('2050-01-01'))
    expect(get(url, 'application/json', answer.headers['ETag'])).toMatchObject({ status: 304 })
    expect(get('/openapi/v3/apis/apps/v1?hash=OLD')).toMatchObject({ status: 301, headers: { Location: url } })
    expect(get('/openapi/v3/apis/apps/v1')!.headers['Expires']).toBeUndefined()
  })

  test('explain finds a schema by its kind, with references for metadata and lists', () => {
    const { schemas } = json(urlOf('apis/serving.knative.dev/v1')).components
    expect(schemas['dev.knative.serving.v1.Service']).toMatchObject({
      type: 'object',
      description: 'A service.',
      'x-kubernetes-group-version-kind': [{ group: 'serving.knative.dev', version: 'v1', kind: 'Service' }],
      properties: {
        apiVersion: { type: 'string' },
        metadata: { allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] },
        spec: { properties: { maybe: { nullable: true } } },
      },
    })
    expect(schemas['dev.knative.serving.v1.ServiceList'].properties.items.items).toEqual({
      $ref: '#/components/schemas/dev.knative.serving.v1.Service',
    })
    expect(schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'].properties.ownerReferences.items.required).toEqual([
      'apiVersion',
      'kind',
      'name',
      'uid',
    ])
    expect(Object.keys(json(urlOf('apis/apps/v1')).components.schemas)).toContain('io.k8s.api.apps.v1.Deployment')
  })

  test('every reference leads to a schema of the same document', () => {
    for (const key of Object.keys(json('/openapi/v3').paths)) {
      const text = get(urlOf(key))!.body.toString()
      const { schemas } = JSON.parse(text).components
      const referred = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!)
      expect(referred.filter((name) => !schemas[name])).toEqual([])
    }
  })

  test('PATCH says that the server validates fields, for every kind', () => {
    const { paths } = json(urlOf('apis/serving.knative.dev/v1'))
    const { patch } = paths['/apis/serving.knative.dev/v1/namespaces/{namespace}/services/{name}']
    expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: 'serving.knative.dev', version: 'v1', kind: 'Service' })
    expect(patch.parameters.map((parameter: { name: string }) => parameter.name)).toContain('fieldValidation')
    expect(Object.keys(paths)).toEqual([
      '/apis/serving.knative.dev/v1/namespaces/{namespace}/services',
      '/apis/serving.knative.dev/v1/namespaces/{namespace}/services/{name}',
      '/apis/serving.knative.dev/v1/namespaces/{namespace}/services/{name}/status',
      '/apis/serving.knative.dev/v1/services',
    ])
  })

  test('strategic merge is offered for built-in kinds that are described to the last field', () => {
    const types = (key: string, path: string): string[] => Object.keys(json(urlOf(key)).paths[path].patch.requestBody.content)
    expect(types('apis/apps/v1', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}')).toContain(
      'application/strategic-merge-patch+json',
    )
    expect(types('api/v1', '/api/v1/namespaces/{name}')).toEqual([
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/apply-patch+yaml',
    ])
    expect(types('apis/serving.knative.dev/v1', '/apis/serving.knative.dev/v1/namespaces/{namespace}/services/{name}')).toHaveLength(3)
  })

  test('operations follow the verbs of the kind, and each has an identifier of its own', () => {
    const { paths } = json(urlOf('api/v1'))
    expect(Object.keys(paths['/api/v1/namespaces/{name}'])).toEqual(['get', 'patch', 'parameters'])
    expect(paths['/api/v1/namespaces']).toBeUndefined()
    const ids = Object.values(json(urlOf('apis/apps/v1')).paths).flatMap((path) =>
      Object.values(path as Record<string, { operationId?: string }>).flatMap(({ operationId }) => operationId ?? []),
    )
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toContain('readAppsV1NamespacedDeploymentStatus')
    expect(ids).toContain('listAppsV1DeploymentForAllNamespaces')
  })

  test('what is not there is not answered, and neither is another format', () => {
    expect(get('/openapi/v3/apis/nope/v1')).toBeUndefined()
    expect(get('/openapi')).toBeUndefined()
    expect(get('/openapi/v3', 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf')).toMatchObject({ status: 406 })
  })
})

describe('version 2', () => {
  test('JSON says only what Swagger 2.0 can say', () => {
    const document = json('/openapi/v2')
    expect(document).toMatchObject({ swagger: '2.0', info: { title: 'Kubernetes', version: 'v1.35.0' } })
    const service = document.definitions['dev.knative.serving.v1.Service']
    expect(service.properties.metadata.$ref).toBe('#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta')
    expect(service.properties.spec.properties).toEqual({
      percent: { 'x-kubernetes-int-or-string': true, type: 'string', format: 'int-or-string' },
      maybe: { description: 'Perhaps.' },
      // With a field named, kubectl would refuse all others.
      open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    })
    const patch = document.paths['/api/v1/namespaces/{name}'].patch
    expect(patch.parameters[0]).toMatchObject({ name: 'body', in: 'body', required: true })
    expect(patch.parameters.map((parameter: { name: string }) => parameter.name)).toContain('fieldValidation')
  })

  test('the format is the first that the client accepts, named so that Go can parse it', () => {
    expect(get('/openapi/v2', `${PROTOBUF},application/json`)!.headers['Content-Type']).toBe(PROTOBUF.replace('@', '.'))
    expect(get('/openapi/v2', 'application/json')!.headers['Content-Type']).toBe('application/json')
    expect(get('/openapi/v2', 'text/html')).toMatchObject({ status: 406 })
    expect(openApi.answer('/openapi/v2', new URLSearchParams(), undefined, undefined)!.headers['Content-Type']).toBe('application/json')
  })

  test('protobuf holds the same document in the numbered fields that kubectl reads', () => {
    const document = fieldsOf(get('/openapi/v2', PROTOBUF)!.body)
    expect(textAt(document, 1)).toBe('2.0')
    expect(textAt(messageAt(document, 2), 1)).toBe('Kubernetes')

    const paths = namedIn(messageAt(document, 8), 2)
    const patch = messageAt(paths.get('/apis/apps/v1/namespaces/{namespace}/deployments/{name}')!, 8)
    const queries = all(patch, 8).map((item) => messageAt(messageAt(fieldsOf(item), 1), 2))
    expect(queries.filter((parameter) => parameter.has(3)).map((parameter) => textAt(messageAt(parameter, 3), 4))).toContain(
      'fieldValidation',
    )
    const extensions = namedIn(patch, 13)
    expect(JSON.parse(textAt(extensions.get('x-kubernetes-group-version-kind')!, 2))).toEqual({
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
    })

    const definitions = namedIn(messageAt(document, 9), 1)
    const spec = namedIn(messageAt(definitions.get('io.k8s.api.apps.v1.Deployment')!, 25), 1).get('spec')!
    expect(textAt(messageAt(spec, 22), 1)).toBe('object')
    expect(all(spec, 19).map(String)).toEqual(['template'])
    const { replicas, containers } = {
      replicas: namedIn(messageAt(spec, 25), 1).get('replicas')!,
      containers: namedIn(messageAt(namedIn(messageAt(spec, 25), 1).get('template')!, 25), 1).get('containers')!,
    }
    expect([textAt(replicas, 2), textAt(messageAt(replicas, 5), 2)]).toEqual(['int32', '1'])
    expect(textAt(messageAt(messageAt(messageAt(messageAt(messageAt(containers, 23), 1), 21), 1), 22), 1)).toBe('string')
    expect(textAt(namedIn(containers, 31).get('x-kubernetes-patch-merge-key')!, 2)).toBe('"name"')
  })
})

/** Just enough of a protobuf reader: field number to its values, bytes or varints. */
type Fields = Map<number, (Buffer | number)[]>

function fieldsOf(bytes: Buffer): Fields {
  const fields: Fields = new Map()
  let position = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[position++]!
      value += (byte & 0x7f) * shift
      if (byte < 0x80) return value
    }
  }
  while (position < bytes.length) {
    const key = varint()
    const number = Math.floor(key / 8)
    const values = fields.get(number) ?? []
    fields.set(number, values)
    if (key % 8 === 0) values.push(varint())
    else {
      const length = varint()
      values.push(bytes.subarray(position, position + length))
      position += length
    }
  }
  return fields
}

const all = (fields: Fields, number: number): Buffer[] => (fields.get(number) ?? []) as Buffer[]
const messageAt = (fields: Fields, number: number): Fields => fieldsOf(all(fields, number)[0] ?? Buffer.alloc(0))
const textAt = (fields: Fields, number: number): string => String(all(fields, number)[0] ?? '')
const namedIn = (fields: Fields, number: number): Map<string, Fields> =>
  new Map(all(fields, number).map((entry) => [textAt(fieldsOf(entry), 1), messageAt(fieldsOf(entry), 2)]))
