import { expect, test } from 'vitest'
import { RBAC_GROUP } from '../../../../src/apimachinery/rbac.js'
import { missingRules, ruleText } from '../../../../src/apiserver/auth/rules.js'
import { anAccessWorld, bob, user } from './support.js'

const rbac = { group: RBAC_GROUP, user: bob }
const reads = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }

async function aWorldOfBob() {
  const world = await anAccessWorld()
  await world.role('reader', [reads])
  await world.bind('bob', { clusterRole: 'reader' }, [user('bob')], 'shop')
  return world
}

test('nobody hands out in a role what they do not hold', async () => {
  const { call, refusal } = await aWorldOfBob()
  const role = (rules: object[]): object => ({ metadata: { name: 'r' }, rules })
  await call({ ...rbac, verb: 'create', plural: 'roles', object: role([{ ...reads, resourceNames: ['a'] }]) })

  const more = role([reads, { verbs: ['watch', 'delete'], apiGroups: [''], resources: ['pods', 'secrets'] }])
  expect((await refusal({ ...rbac, verb: 'update', plural: 'roles', name: 'r', object: more })).status).toMatchObject({
    code: 403,
    reason: 'Forbidden',
    message:
      'roles.rbac.authorization.k8s.io "r" is forbidden: user "bob" (groups=["staff" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["pods"], Verbs:["watch" "delete"]}\n' +
      '{APIGroups:[""], Resources:["secrets"], Verbs:["watch" "delete"]}',
    details: { name: 'r', group: RBAC_GROUP, kind: 'roles' },
  })
  // What is held in one namespace is not held in the cluster.
  expect((await refusal({ ...rbac, verb: 'create', plural: 'clusterroles', object: role([reads]) })).code).toBe(403)
})

test('the verb escalate allows it, and an aggregated role takes an administrator', async () => {
  const { call, refusal, role, bind } = await aWorldOfBob()
  const aggregated = { metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { x: 'y' } }] } }
  expect((await refusal({ ...rbac, verb: 'create', plural: 'clusterroles', object: aggregated })).message).toBe(
    'clusterroles.rbac.authorization.k8s.io "all" is forbidden: must have cluster-admin privileges to use the aggregationRule',
  )
  await role('escalator', [{ verbs: ['escalate'], apiGroups: [RBAC_GROUP], resources: ['clusterroles'] }])
  await bind('escalator', { clusterRole: 'escalator' }, [user('bob')])
  const object = { metadata: { name: 'r' }, rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }
  expect((await call({ ...rbac, verb: 'create', plural: 'clusterroles', object })).code).toBe(201)
})

test('nobody binds a role that allows more than they may, unless they may bind it', async () => {
  const { call, refusal, role, bind } = await aWorldOfBob()
  await role('owner', [{ verbs: ['*'], apiGroups: [''], resources: ['pods'] }])
  const binding = (name: string, clusterRole: string): object => ({
    metadata: { name },
    roleRef: { kind: 'ClusterRole', name: clusterRole },
    subjects: [{ kind: 'User', name: 'carol' }],
  })
  const create = { ...rbac, verb: 'create', plural: 'rolebindings' } as const
  expect((await call({ ...create, object: binding('ok', 'reader') })).code).toBe(201)
  expect((await refusal({ ...create, object: binding('more', 'owner') })).message).toContain(
    'rolebindings.rbac.authorization.k8s.io "more" is forbidden: user "bob" (groups=["staff" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["*"]}',
  )
  expect((await refusal({ ...create, object: binding('none', 'ghost') })).status).toMatchObject({ code: 404, reason: 'NotFound' })

  await role('binder', [{ verbs: ['bind'], apiGroups: [RBAC_GROUP], resources: ['clusterroles'], resourceNames: ['owner'] }])
  await bind('binder', { clusterRole: 'binder' }, [user('bob')], 'shop')
  expect((await call({ ...create, object: binding('more', 'owner') })).code).toBe(201)
})

test('taking off a finalizer grants nothing', async () => {
  const { call } = await aWorldOfBob()
  const object = {
    metadata: { name: 'r', finalizers: ['example.dev/hold'] },
    rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  }
  await call({ group: RBAC_GROUP, verb: 'create', plural: 'roles', object })
  const released = { metadata: { name: 'r' }, rules: object.rules }
  expect((await call({ ...rbac, verb: 'update', plural: 'roles', name: 'r', object: released })).code).toBe(200)
})

test('what covers what', () => {
  const rule = (verbs: string[], resources: string[], resourceNames?: string[]) => ({
    verbs,
    apiGroups: [''],
    resources,
    ...(resourceNames && { resourceNames }),
  })
  const isHeld = (held: object, wanted: object): boolean => missingRules([held as never], [wanted as never]).length === 0
  expect(isHeld(rule(['*'], ['*']), rule(['get'], ['pods/log'], ['a']))).toBe(true)
  expect(isHeld(rule(['get'], ['*/log']), rule(['get'], ['pods/log']))).toBe(true)
  expect(isHeld(rule(['get'], ['pods']), rule(['get'], ['pods/log']))).toBe(false)
  expect(isHeld(rule(['get'], ['pods'], ['a']), rule(['get'], ['pods']))).toBe(false)
  expect(isHeld(rule(['get'], ['pods'], ['a', 'b']), rule(['get'], ['pods'], ['a']))).toBe(true)
  expect(isHeld({ verbs: ['get'], nonResourceURLs: ['/a*'] }, { verbs: ['get'], nonResourceURLs: ['/abc'] })).toBe(true)
  expect(isHeld({ verbs: ['get'], nonResourceURLs: ['/a'] }, { verbs: ['get'], nonResourceURLs: ['/abc'] })).toBe(false)
  expect(
    missingRules([rule(['get'], ['pods']), rule(['list'], ['pods'])], [rule(['get', 'list', 'watch'], ['pods'])]).map(ruleText),
  ).toEqual(['{APIGroups:[""], Resources:["pods"], Verbs:["watch"]}'])
})
