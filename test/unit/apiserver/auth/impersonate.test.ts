import { expect, test } from 'vitest'
import { actingUser } from '../../../../src/apiserver/auth/impersonate.js'
import { anAccessWorld, bob, root, user } from './support.js'

const anyone = { authorize: () => ({ allowed: true, reason: '' }) }

test('an administrator can act as someone else, with groups, uid and extras', () => {
  const headers = { 'impersonate-user': 'bob', 'impersonate-uid': 'u7', 'impersonate-extra-team%2fname': 'x' }
  const distinct = { 'impersonate-group': ['a', 'b'], 'impersonate-extra-team%2fname': ['x', 'y'] }
  expect(actingUser(root, distinct, headers, anyone)).toEqual({
    name: 'bob',
    uid: 'u7',
    groups: ['a', 'b', 'system:authenticated'],
    extra: { 'team/name': ['x', 'y'] },
  })
  expect(actingUser(root, {}, {}, anyone)).toBe(root)
})

test('the groups that come with a name are added as on a cluster', () => {
  const groupsOf = (name: string, asked: string[] = []): readonly string[] =>
    actingUser(root, { 'impersonate-group': asked }, { 'impersonate-user': name }, anyone).groups
  expect(groupsOf('system:serviceaccount:shop:robot')).toEqual([
    'system:serviceaccounts',
    'system:serviceaccounts:shop',
    'system:authenticated',
  ])
  expect(groupsOf('system:serviceaccount:shop:robot', ['a'])).toEqual(['a', 'system:authenticated'])
  expect(groupsOf('system:anonymous')).toEqual(['system:unauthenticated'])
  expect(groupsOf('bob', ['system:unauthenticated'])).toEqual(['system:unauthenticated'])
})

test('each thing that is impersonated needs the verb, by name', async () => {
  const { server, role, bind } = await anAccessWorld()
  const { authorizer } = server.access
  const act = (headers: Record<string, string>, distinct: Record<string, string[]> = {}): unknown => {
    try {
      return actingUser(bob, distinct, headers, authorizer).name
    } catch (error) {
      return (error as Error).message
    }
  }
  const carol = { 'impersonate-user': 'carol' }
  expect(act(carol)).toBe('users "carol" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope')
  expect(act({ 'impersonate-user': 'system:serviceaccount:shop:robot' })).toBe(
    'serviceaccounts "robot" is forbidden: User "bob" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "shop"',
  )

  await role('as-carol', [
    { verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['carol'] },
    { verbs: ['impersonate'], apiGroups: [''], resources: ['groups'], resourceNames: ['staff'] },
    { verbs: ['impersonate'], apiGroups: ['authentication.k8s.io'], resources: ['userextras/scopes'], resourceNames: ['view'] },
  ])
  await bind('as-carol', { clusterRole: 'as-carol' }, [user('bob')])
  expect(act(carol)).toBe('carol')
  expect(act({ 'impersonate-user': 'dave' })).toMatch(/^users "dave" is forbidden/)
  expect(act(carol, { 'impersonate-group': ['staff'] })).toBe('carol')
  expect(act(carol, { 'impersonate-group': ['staff', 'system:masters'] })).toBe(
    'groups "system:masters" is forbidden: User "bob" cannot impersonate resource "groups" in API group "" at the cluster scope',
  )
  const scope = { ...carol, 'impersonate-extra-scopes': 'view' }
  expect(act(scope, { 'impersonate-extra-scopes': ['view'] })).toBe('carol')
  expect(act(scope, { 'impersonate-extra-scopes': ['all'] })).toBe(
    'userextras.authentication.k8s.io "all" is forbidden: User "bob" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope',
  )
  expect(act({ ...carol, 'impersonate-uid': 'u7' })).toMatch(/^uids\.authentication\.k8s\.io "u7" is forbidden/)
})

test('a group without a user is a bad request', () => {
  expect(() => actingUser(root, { 'impersonate-group': ['g'] }, { 'impersonate-group': 'g' }, anyone)).toThrow(
    'requested to impersonate groups, a uid or extras without a user',
  )
})
