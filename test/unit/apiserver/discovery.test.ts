import { describe, expect, test } from 'vitest'
import type { ServedKind } from '../../../src/apimachinery/kind.js'
import { compareVersions, createDiscovery } from '../../../src/apiserver/discovery.js'
import { deploymentKind } from '../../../src/kinds/core/deployment/kind.js'
import { namespaceKind } from '../../../src/kinds/core/namespace/kind.js'
import { podKind } from '../../../src/kinds/core/pod/kind.js'
import { serviceKind } from '../../../src/kinds/service/kind.js'

const served = (kind: ServedKind['kind'], more: Partial<ServedKind> = {}): ServedKind => ({
  kind,
  schema: { type: 'object' },
  builtIn: true,
  ...more,
})
const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }
const discovery = createDiscovery([
  served(serviceKind as ServedKind['kind'], { builtIn: false }),
  served({ ...serviceKind, version: 'v1beta1' } as ServedKind['kind'], { builtIn: false }),
  served(podKind as ServedKind['kind']),
  served(namespaceKind as ServedKind['kind'], { verbs: ['create', 'get'] }),
  served({ ...deploymentKind, scale } as ServedKind['kind']),
])
const V2 =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'

// biome-ignore lint/suspicious/noExplicitAny: documents of many shapes are looked into here
const body = (path: string, accept?: string): any => JSON.parse(discovery.answer(path, accept, undefined)!.body.toString())

describe('plain discovery', () => {
  test('names versions and groups, Kubernetes own first, and prefers the stablest version', () => {
    expect(body('/api')).toEqual({ kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] })
    expect(body('/apis').groups.map((group: { name: string }) => group.name)).toEqual(['apps', 'serving.knative.dev'])
    expect(body('/apis/serving.knative.dev')).toEqual({
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: 'serving.knative.dev',
      versions: [
        { groupVersion: 'serving.knative.dev/v1', version: 'v1' },
        { groupVersion: 'serving.knative.dev/v1beta1', version: 'v1beta1' },
      ],
      preferredVersion: { groupVersion: 'serving.knative.dev/v1', version: 'v1' },
    })
  })

  test('lists resources with their subresources as rows of their own', () => {
    const list = body('/api/v1/')
    expect(list).toMatchObject({ kind: 'APIResourceList', groupVersion: 'v1' })
    expect(list.resources.map(({ name, verbs }: { name: string; verbs: string[] }) => [name, verbs.join()])).toEqual([
      ['namespaces', 'create,get'],
      ['namespaces/finalize', 'update'],
      ['namespaces/status', 'get,patch,update'],
      ['pods', 'create,delete,deletecollection,get,list,patch,update,watch'],
      ['pods/attach', 'create,get'],
      ['pods/eviction', 'create'],
      ['pods/exec', 'create,get'],
      ['pods/log', 'get'],
      ['pods/portforward', 'create,get'],
      ['pods/proxy', 'create,delete,get,patch,update'],
      ['pods/status', 'get,patch,update'],
    ])
    expect(list.resources[3]).toMatchObject({ singularName: 'pod', namespaced: true, kind: 'Pod', shortNames: ['po'], categories: ['all'] })
    expect(body('/apis/apps/v1').resources[1]).toEqual({
      name: 'deployments/scale',
      singularName: '',
      namespaced: true,
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    })
  })

  test('knows no other paths', () => {
    for (const path of ['/', '/api/v2', '/apis/nope', '/apis/apps/v2', '/apis/apps/v1/deployments', '/version']) {
      expect(discovery.answer(path, undefined, undefined)).toBeUndefined()
    }
  })
})

describe('aggregated discovery', () => {
  test('is answered in the form that the client prefers, and says so in its Content-Type', () => {
    const answer = discovery.answer('/apis', V2, undefined)!
    expect(answer.headers).toMatchObject({
      'Content-Type': 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
      'Cache-Control': 'public',
      Vary: 'Accept',
    })
    const list = JSON.parse(answer.body.toString())
    expect(list).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2' })
    expect(list.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['apps', 'serving.knative.dev'])
    expect(list.items[0].versions).toEqual([
      {
        version: 'v1',
        freshness: 'Current',
        resources: [
          {
            resource: 'deployments',
            responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
            scope: 'Namespaced',
            singularResource: 'deployment',
            verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
            shortNames: ['deploy'],
            categories: ['all'],
            subresources: [
              {
                subresource: 'scale',
                responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
                verbs: ['get', 'patch', 'update'],
              },
              {
                subresource: 'status',
                responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
                verbs: ['get', 'patch', 'update'],
              },
            ],
          },
        ],
      },
    ])
  })

  test('v2beta1 differs in its version only, and the core group has no name', () => {
    const beta = body('/api', 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList')
    expect(beta).toEqual({ ...body('/api', V2), apiVersion: 'apidiscovery.k8s.io/v2beta1' })
    expect(beta.items).toHaveLength(1)
    expect(beta.items[0].metadata.name).toBeUndefined()
    expect(beta.items[0].versions[0].resources.map((each: { resource: string; scope: string }) => [each.resource, each.scope])).toEqual([
      ['namespaces', 'Cluster'],
      ['pods', 'Namespaced'],
    ])
  })

  test('a profile that is not offered is passed over, plain JSON listed first wins', () => {
    expect(body('/apis', `application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer,${V2}`).kind).toBe(
      'APIGroupDiscoveryList',
    )
    expect(body('/apis', `application/json,${V2}`).kind).toBe('APIGroupList')
    expect(body('/apis', 'application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,*/*').kind).toBe('APIGroupList')
  })
})

test('a client that has the document already is told so', () => {
  const first = discovery.answer('/apis', V2, undefined)!
  const again = discovery.answer('/apis', V2, first.headers['ETag'])!
  expect([again.status, again.body.length, again.headers['ETag']]).toEqual([304, 0, first.headers['ETag']])
  expect(discovery.answer('/apis', undefined, first.headers['ETag'])!.status).toBe(200)
})

test('versions are preferred stable first, then beta, alpha and the rest', () => {
  expect(['foo', 'v1alpha1', 'v2', 'v1beta2', 'v10', 'bar', 'v1beta10', 'v1'].sort(compareVersions)).toEqual([
    'v10',
    'v2',
    'v1',
    'v1beta10',
    'v1beta2',
    'v1alpha1',
    'bar',
    'foo',
  ])
})
