import { expect, test } from 'vitest'
import { type Attributes, requestAttributes } from '../../../../src/apiserver/auth/attributes.js'
import { resourcePathFrom } from '../../../../src/apiserver/paths.js'

const PODS = '/api/v1/namespaces/shop/pods'
const pods = { group: '', resource: 'pods', namespace: 'shop' }

const TABLE: readonly [string, string, Partial<Attributes>][] = [
  ['GET', `${PODS}/a`, { ...pods, verb: 'get', name: 'a' }],
  ['HEAD', `${PODS}/a`, { ...pods, verb: 'get', name: 'a' }],
  ['GET', PODS, { ...pods, verb: 'list', name: undefined }],
  ['GET', '/api/v1/pods', { ...pods, verb: 'list', namespace: undefined }],
  ['GET', `${PODS}?watch=true`, { ...pods, verb: 'watch' }],
  ['GET', `${PODS}?watch=0`, { ...pods, verb: 'list' }],
  ['GET', '/api/v1/watch/namespaces/shop/pods', { ...pods, verb: 'watch' }],
  ['GET', `${PODS}?watch=1&fieldSelector=metadata.name%3Da`, { ...pods, verb: 'watch', name: 'a' }],
  ['GET', `${PODS}?fieldSelector=spec.nodeName%3Dx,metadata.name%3D%3Da`, { ...pods, verb: 'list', name: 'a' }],
  ['GET', `${PODS}?fieldSelector=metadata.name!%3Da`, { ...pods, verb: 'list', name: undefined }],
  ['GET', `${PODS}?fieldSelector=spec.nodeName!%3Dx%5C,metadata.name%3Da`, { ...pods, verb: 'list', name: undefined }],
  ['POST', PODS, { ...pods, verb: 'create' }],
  ['PUT', `${PODS}/a/status`, { ...pods, verb: 'update', name: 'a', subresource: 'status' }],
  ['PATCH', `${PODS}/a`, { ...pods, verb: 'patch', name: 'a' }],
  ['DELETE', `${PODS}/a`, { ...pods, verb: 'delete', name: 'a' }],
  ['DELETE', `${PODS}?fieldSelector=metadata.name%3Da`, { ...pods, verb: 'deletecollection', name: undefined }],
  ['GET', `${PODS}/a/log`, { ...pods, verb: 'get', name: 'a', subresource: 'log' }],
  [
    'POST',
    '/api/v1/namespaces/shop/serviceaccounts/a/token',
    { verb: 'create', resource: 'serviceaccounts', name: 'a', subresource: 'token' },
  ],
  ['GET', '/api/v1/namespaces/shop', { verb: 'get', resource: 'namespaces', name: 'shop', namespace: 'shop' }],
  ['GET', '/apis/apps/v1/deployments', { verb: 'list', group: 'apps', resource: 'deployments', namespace: undefined }],
  ['GET', '/apis/apps/v1', { verb: 'get', path: '/apis/apps/v1' }],
  ['POST', '/metrics', { verb: 'post', path: '/metrics' }],
]

test.each(TABLE)('%s %s is authorized as what it does', (method, url, expected) => {
  const [path, query] = url.split('?')
  expect(requestAttributes(method, path!, resourcePathFrom(path!), new URLSearchParams(query))).toMatchObject(expected)
})
