import { expect, test } from 'vitest'
import type { PolicyRule } from '../../../../src/apimachinery/rbac.js'
import { type Attributes, forbidden } from '../../../../src/apiserver/auth/attributes.js'
import { createSystemClock } from '../../../../src/base/clock.js'
import { account, anAccessWorld, bob, group, robot, root, user } from './support.js'

const on = (verb: string, resource: string, more: Partial<Extract<Attributes, { group: string }>> = {}): Attributes => {
  const [name, subresource] = resource.split('/')
  return { verb, group: '', resource: name!, subresource, namespace: 'shop', ...more }
}

const TABLE: readonly [string, PolicyRule, Attributes, boolean][] = [
  ['the verb that is named', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, on('get', 'pods'), true],
  ['another verb', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, on('list', 'pods'), false],
  ['any verb by a star', { verbs: ['*'], apiGroups: [''], resources: ['pods'] }, on('deletecollection', 'pods'), true],
  ['another group', { verbs: ['get'], apiGroups: ['apps'], resources: ['pods'] }, on('get', 'pods'), false],
  ['any group by a star', { verbs: ['get'], apiGroups: ['*'], resources: ['pods'] }, on('get', 'pods', { group: 'x.dev' }), true],
  ['a subresource by its resource', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, on('get', 'pods/log'), false],
  ['a subresource by its name', { verbs: ['get'], apiGroups: [''], resources: ['pods/log'] }, on('get', 'pods/log'), true],
  ['the resource by its subresource', { verbs: ['get'], apiGroups: [''], resources: ['pods/log'] }, on('get', 'pods'), false],
  ['a subresource of any resource', { verbs: ['get'], apiGroups: [''], resources: ['*/log'] }, on('get', 'pods/log'), true],
  ['another subresource of any resource', { verbs: ['get'], apiGroups: [''], resources: ['*/scale'] }, on('get', 'pods/log'), false],
  ['any subresource by a star', { verbs: ['get'], apiGroups: [''], resources: ['*'] }, on('get', 'pods/log'), true],
  [
    'a name that is listed',
    { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a', 'b'] },
    on('get', 'pods', { name: 'b' }),
    true,
  ],
  [
    'a name that is not',
    { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] },
    on('get', 'pods', { name: 'c' }),
    false,
  ],
  [
    'no name where names are listed',
    { verbs: ['create'], apiGroups: [''], resources: ['pods'], resourceNames: ['a'] },
    on('create', 'pods'),
    false,
  ],
  ['a path', { verbs: ['get'], nonResourceURLs: ['/metrics'] }, { verb: 'get', path: '/metrics' }, true],
  ['a path below', { verbs: ['get'], nonResourceURLs: ['/metrics'] }, { verb: 'get', path: '/metrics/x' }, false],
  ['a path below one with a star', { verbs: ['get'], nonResourceURLs: ['/apis/*'] }, { verb: 'get', path: '/apis/apps' }, true],
  ['any path by a star', { verbs: ['get'], nonResourceURLs: ['*'] }, { verb: 'get', path: '/x' }, true],
  ['another verb on a path', { verbs: ['get'], nonResourceURLs: ['*'] }, { verb: 'post', path: '/x' }, false],
  ['a path by a rule for resources', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verb: 'get', path: '/x' }, false],
  ['a resource by a rule for paths', { verbs: ['*'], nonResourceURLs: ['*'] }, on('get', 'pods'), false],
]

test.each(TABLE)('a rule says of %s what it should', async (_, rule, asked, allowed) => {
  const world = await anAccessWorld()
  await world.role('r', [rule])
  await world.bind('b', { clusterRole: 'r' }, [user('bob')])
  expect(world.server.access.authorizer.authorize(bob, asked).allowed).toBe(allowed)
})

test('bindings reach users, groups and service accounts, in their namespace or everywhere', async () => {
  const { server, role, bind } = await anAccessWorld()
  const { authorize } = server.access.authorizer
  const reads = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]
  await role('readers', reads)
  await role('local', reads, 'shop')
  await bind('everywhere', { clusterRole: 'readers' }, [group('staff')])
  await bind('here', { role: 'local' }, [account('robot')], 'shop')
  await bind('there', { clusterRole: 'readers' }, [account('other', 'lab'), user('eve')], 'shop')

  const eve = { name: 'eve', groups: [] }
  expect(authorize(bob, on('get', 'pods', { namespace: 'lab' }))).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by ClusterRoleBinding "everywhere" of ClusterRole "readers" to Group "staff"',
  })
  expect(authorize(robot, on('get', 'pods'))).toEqual({
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "here/shop" of Role "local" to ServiceAccount "robot/shop"',
  })
  expect(authorize({ ...robot, name: 'system:serviceaccount:lab:other' }, on('get', 'pods')).allowed).toBe(true)
  expect(authorize({ ...robot, name: 'system:serviceaccount:lab:robot' }, on('get', 'pods')).allowed).toBe(false)
  expect(authorize(eve, on('get', 'pods')).allowed).toBe(true)
  expect(authorize(eve, on('get', 'pods', { namespace: 'lab' }))).toEqual({ allowed: false, reason: '' })
  expect(authorize(eve, on('get', 'pods', { namespace: undefined })).allowed).toBe(false)
})

test('a change of a role or binding counts at once', async () => {
  const { server, call, role, bind } = await anAccessWorld()
  const may = (): boolean => server.access.authorizer.authorize(bob, on('get', 'pods')).allowed
  const rbac = { group: 'rbac.authorization.k8s.io', name: 'local' }
  expect(may()).toBe(false)
  await bind('b', { role: 'local' }, [user('bob')], 'shop')
  expect(may()).toBe(false)
  await role('local', [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], 'shop')
  expect(may()).toBe(true)
  await call({ verb: 'update', plural: 'roles', ...rbac, object: { metadata: { name: 'local' }, rules: [] } })
  expect(may()).toBe(false)
  await call({ verb: 'delete', plural: 'roles', ...rbac })
  await role('local', [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }], 'shop')
  expect(may()).toBe(true)
  await call({ verb: 'delete', plural: 'rolebindings', ...rbac, name: 'b' })
  expect(may()).toBe(false)
})

test('system:masters may do everything, bound or not', async () => {
  const { server } = await anAccessWorld()
  expect(server.access.authorizer.authorize(root, { verb: 'delete', path: '/anything' })).toEqual({ allowed: true, reason: '' })
})

test('refusals are worded as on a cluster, with the roles that do not exist', async () => {
  const { server, bind } = await anAccessWorld()
  const { authorize } = server.access.authorizer
  const said = (asked: Attributes): unknown => forbidden(bob, asked, authorize(bob, asked).reason).status
  expect(said(on('list', 'pods'))).toMatchObject({
    code: 403,
    reason: 'Forbidden',
    message: 'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "shop"',
    details: { kind: 'pods' },
  })
  expect(said({ verb: 'get', group: 'apps', resource: 'deployments', subresource: 'scale', name: 'a' })).toMatchObject({
    message:
      'deployments.apps "a" is forbidden: User "bob" cannot get resource "deployments/scale" in API group "apps" at the cluster scope',
    details: { name: 'a', group: 'apps', kind: 'deployments' },
  })
  expect(said({ verb: 'get', path: '/metrics' })).toMatchObject({ message: 'forbidden: User "bob" cannot get path "/metrics"' })
  await bind('dangling', { clusterRole: 'ghost' }, [user('bob')])
  expect(said(on('list', 'pods'))).toMatchObject({
    message:
      'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "shop": RBAC: clusterrole.rbac.authorization.k8s.io "ghost" not found',
  })
})

test('a warm decision takes less than 20 µs', async () => {
  const { server, role, bind } = await anAccessWorld()
  const rules = Array.from({ length: 40 }, (_, index) => ({
    verbs: ['get', 'list', 'watch'],
    apiGroups: [''],
    resources: [`things${index}`],
  }))
  await role('many', [...rules, { verbs: ['get'], apiGroups: [''], resources: ['pods'] }])
  await bind('b', { clusterRole: 'many' }, [group('staff')], 'shop')
  const { authorize } = server.access.authorizer
  const clock = createSystemClock()
  const rounds = 20_000
  let allowed = 0
  const best = Math.min(
    ...[1, 2, 3].map(() => {
      const startMs = clock.now()
      for (let round = 0; round < rounds; round++) if (authorize(bob, on('get', 'pods')).allowed) allowed++
      return clock.now() - startMs
    }),
  )
  expect(allowed).toBe(3 * rounds)
  expect((best * 1000) / rounds).toBeLessThan(20)
})
