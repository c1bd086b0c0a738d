import { expect, test } from 'vitest'
import { RBAC_GROUP } from '../../../../src/apimachinery/rbac.js'
import { aggregatedRules } from '../../../../src/kinds/core/clusterrole/reconcile.js'
import { anAccessWorld } from '../../apiserver/auth/support.js'

const rbac = { group: RBAC_GROUP, verb: 'create' } as const
const reads = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
const toView = { kind: 'ClusterRole', name: 'view' }

test.each([
  ['roles', { rules: [{ ...reads, verbs: [] }] }, 'rules[0].verbs: Required value: verbs must contain at least one value'],
  [
    'roles',
    { rules: [{ verbs: ['get'], resources: ['pods'] }] },
    'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
  ],
  [
    'roles',
    { rules: [{ verbs: ['get'], apiGroups: [''] }] },
    'rules[0].resources: Required value: resource rules must supply at least one resource',
  ],
  [
    'roles',
    { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] },
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
  ],
  [
    'clusterroles',
    { rules: [{ ...reads, nonResourceURLs: ['/x'] }] },
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
  ],
  [
    'clusterroles',
    { aggregationRule: { clusterRoleSelectors: [] } },
    'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
  ],
  [
    'rolebindings',
    { roleRef: { kind: 'Rule', name: 'x' } },
    'roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterRole"',
  ],
  [
    'clusterrolebindings',
    { roleRef: { kind: 'Role', name: 'x' } },
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
  ],
  ['rolebindings', { roleRef: { kind: 'Role', name: 'a/b' } }, 'roleRef.name: Invalid value: "a/b": may not contain \'/\''],
  [
    'rolebindings',
    { roleRef: toView, subjects: [{ kind: 'Robot', name: 'x' }] },
    'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
  ],
  ['clusterrolebindings', { roleRef: toView, subjects: [{ kind: 'ServiceAccount', name: 'x' }] }, 'subjects[0].namespace: Required value'],
])('%s refuse what makes no sense: %o', async (plural, rest, message) => {
  const { refusal } = await anAccessWorld()
  const refused = await refusal({ ...rbac, plural, object: { metadata: { name: 'x' }, ...rest } })
  expect(refused).toMatchObject({ code: 422, message: expect.stringContaining(message) })
})

test('a binding gets the groups that everyone leaves out, and keeps its role for life', async () => {
  const { call, refusal } = await anAccessWorld()
  const object = {
    metadata: { name: 'b' },
    roleRef: toView,
    subjects: [
      { kind: 'User', name: 'bob' },
      { kind: 'ServiceAccount', name: 'robot' },
    ],
  }
  expect((await call({ ...rbac, plural: 'rolebindings', object })).object).toMatchObject({
    roleRef: { apiGroup: RBAC_GROUP, ...toView },
    subjects: [
      { apiGroup: RBAC_GROUP, kind: 'User', name: 'bob' },
      { kind: 'ServiceAccount', name: 'robot' },
    ],
  })
  const changed = { ...object, roleRef: { kind: 'ClusterRole', name: 'edit' } }
  expect((await refusal({ ...rbac, verb: 'update', plural: 'rolebindings', name: 'b', object: changed })).message).toBe(
    'RoleBinding.rbac.authorization.k8s.io "b" is invalid: roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef',
  )
})

test('names of roles may be more than other names may', async () => {
  const { call, refusal } = await anAccessWorld()
  expect((await call({ ...rbac, plural: 'clusterroles', object: { metadata: { name: 'system:Odd name' }, rules: [] } })).code).toBe(201)
  expect((await refusal({ ...rbac, plural: 'clusterroles', object: { metadata: { name: 'a/b' } } })).code).toBe(422)
})

test('an aggregated role takes the rules of those it selects, each once, never its own', () => {
  const role = (name: string, labels: Record<string, string>, rules: object[]) =>
    ({ apiVersion: `${RBAC_GROUP}/v1`, kind: 'ClusterRole', metadata: { name, labels }, rules }) as never
  const writes = { ...reads, verbs: ['create'] }
  const whole = {
    ...(role('all', { to: 'x' }, [{ verbs: ['*'] }]) as object),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'x' } }, { matchLabels: { to: 'y' } }] },
  } as never
  const others = [
    role('c', { to: 'y' }, [writes]),
    role('b', { to: 'x' }, [reads, writes]),
    role('a', { to: 'z' }, [{ verbs: ['no'] }]),
    whole,
  ]
  expect(aggregatedRules(whole, others)).toEqual([reads, writes])
})
