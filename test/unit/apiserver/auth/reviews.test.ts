import { expect, test } from 'vitest'
import type { Identity } from '../../../../src/apimachinery/kind.js'
import { ISSUER } from '../../../../src/apiserver/auth/service-account-tokens.js'
import { type AccessWorld, anAccessWorld, bob, user } from './support.js'

const AUTHORIZATION = 'authorization.k8s.io'
const AUTHENTICATION = 'authentication.k8s.io'
const listPods = { namespace: 'shop', verb: 'list', resource: 'pods' }

/** What a review's status says. */
async function review(world: AccessWorld, plural: string, object: object, who: Identity = bob): Promise<Record<string, unknown>> {
  const group = plural.endsWith('accessreviews') || plural.endsWith('rulesreviews') ? AUTHORIZATION : AUTHENTICATION
  const call = { verb: 'create', plural, group, object, user: who } as const
  const { code, object: answer } = await world.server.call({
    version: 'v1',
    ...call,
    ...(plural === 'localsubjectaccessreviews' && { namespace: 'shop' }),
  })
  expect(code).toBe(201)
  return (answer as unknown as { status: Record<string, unknown> }).status
}

async function aWorldOfBob(): Promise<AccessWorld> {
  const world = await anAccessWorld()
  await world.role('reader', [
    { verbs: ['list'], apiGroups: [''], resources: ['pods'] },
    { verbs: ['get'], nonResourceURLs: ['/healthz'] },
  ])
  await world.bind('bob', { clusterRole: 'reader' }, [user('bob')])
  return world
}

test('a review says whether the caller may, and why; nothing is stored', async () => {
  const world = await aWorldOfBob()
  const version = world.store.version
  expect(await review(world, 'selfsubjectaccessreviews', { spec: { resourceAttributes: listPods } })).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by ClusterRoleBinding "bob" of ClusterRole "reader" to User "bob"',
  })
  expect(await review(world, 'selfsubjectaccessreviews', { spec: { resourceAttributes: { ...listPods, verb: 'watch' } } })).toEqual({
    allowed: false,
  })
  expect(
    await review(world, 'selfsubjectaccessreviews', { spec: { nonResourceAttributes: { path: '/healthz', verb: 'get' } } }),
  ).toMatchObject({
    allowed: true,
  })
  expect(world.store.version).toBe(version)
})

test('a review of someone else asks for them, in one namespace where it is local', async () => {
  const world = await aWorldOfBob()
  const carol = { name: 'carol', groups: [] }
  expect(await review(world, 'subjectaccessreviews', { spec: { user: 'bob', resourceAttributes: listPods } }, carol)).toMatchObject({
    allowed: true,
  })
  expect(await review(world, 'subjectaccessreviews', { spec: { groups: ['staff'], resourceAttributes: listPods } }, bob)).toEqual({
    allowed: false,
  })
  const local = { metadata: { namespace: 'shop' }, spec: { user: 'bob', resourceAttributes: listPods } }
  expect(await review(world, 'localsubjectaccessreviews', local, carol)).toMatchObject({ allowed: true })
})

test.each([
  [
    'selfsubjectaccessreviews',
    {},
    'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
  ],
  [
    'selfsubjectaccessreviews',
    { resourceAttributes: {}, nonResourceAttributes: {} },
    'spec.nonResourceAttributes: Invalid value: {}: cannot be specified in combination with resourceAttributes',
  ],
  [
    'subjectaccessreviews',
    { resourceAttributes: listPods },
    'spec.user: Invalid value: "": at least one of user or group must be specified',
  ],
  [
    'localsubjectaccessreviews',
    { user: 'bob', resourceAttributes: { ...listPods, namespace: 'lab' } },
    'spec.resourceAttributes.namespace: Invalid value: "lab": must match metadata.namespace',
  ],
])('%s of %o is refused', async (plural, spec, message) => {
  const { refusal } = await aWorldOfBob()
  expect(await refusal({ verb: 'create', plural, group: AUTHORIZATION, object: { spec } })).toMatchObject({
    code: 422,
    message: expect.stringContaining(message),
  })
})

test('the rules of the caller are listed, of both sorts', async () => {
  const world = await aWorldOfBob()
  expect(await review(world, 'selfsubjectrulesreviews', { spec: { namespace: 'shop' } })).toEqual({
    incomplete: false,
    resourceRules: [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }],
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }],
  })
  const refused = await world.refusal({ verb: 'create', plural: 'selfsubjectrulesreviews', group: AUTHORIZATION, object: {} })
  expect(refused.message).toBe('no namespace on request')
})

test('whoami tells who the caller is taken for', async () => {
  const world = await anAccessWorld()
  expect(await review(world, 'selfsubjectreviews', {}, { ...bob, uid: 'u1', extra: { scopes: ['a'] } })).toEqual({
    userInfo: { username: 'bob', uid: 'u1', groups: bob.groups, extra: { scopes: ['a'] } },
  })
})

test('a token review says whose token it is, or that it is nobody’s', async () => {
  const world = await anAccessWorld()
  await world.call({ verb: 'create', plural: 'serviceaccounts', object: { metadata: { name: 'robot' } } })
  const { object } = await world.call({ verb: 'create', plural: 'serviceaccounts', name: 'robot', subresource: 'token', object: {} })
  const { token } = (object as unknown as { status: { token: string } }).status
  expect(await review(world, 'tokenreviews', { spec: { token } })).toMatchObject({
    authenticated: true,
    user: { username: 'system:serviceaccount:shop:robot' },
    audiences: [ISSUER],
  })
  expect(await review(world, 'tokenreviews', { spec: { token, audiences: ['vault'] } })).toEqual({
    user: {},
    error: 'invalid bearer token',
  })
  expect(await review(world, 'tokenreviews', { spec: { token: 'sesame' } })).toMatchObject({ user: { username: 'kubernetes-admin' } })
  expect((await world.refusal({ verb: 'create', plural: 'tokenreviews', group: AUTHENTICATION, object: {} })).code).toBe(400)
})

test('a review cannot be listed, watched or read', async () => {
  const { refusal } = await anAccessWorld()
  for (const verb of ['list', 'get', 'delete'] as const)
    expect((await refusal({ verb, plural: 'selfsubjectreviews', group: AUTHENTICATION, name: 'x' })).code).toBe(405)
})
