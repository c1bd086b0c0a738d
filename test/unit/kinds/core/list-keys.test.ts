import { expect, test } from 'vitest'
import { listKeys } from '../../../../src/apimachinery/managed-fields/typed.js'
import type { Schema } from '../../../../src/apimachinery/schema.js'
import { applyStrategicMerge } from '../../../../src/apimachinery/strategic-merge.js'
import { coreServedKinds } from '../../../../src/kinds/core/index.js'

const schemaOf = (plural: string): Schema => coreServedKinds.find(({ kind }) => kind.plural === plural)!.schema!
const at = (path: string, value: unknown): Record<string, unknown> =>
  path
    .split('.')
    .reduceRight<unknown>((inner, name) => (name.endsWith('[]') ? { [name.slice(0, -2)]: [inner] } : { [name]: inner }), value) as never
const found = (object: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((outer, name) => {
    const inner = (outer as Record<string, unknown>)[name.replace('[]', '')]
    return name.endsWith('[]') ? (inner as unknown[])[0] : inner
  }, object)

// kubernetes/api v0.35, the patchMergeKey tags.
test.each([
  ['pods', 'spec.containers', 'name'],
  ['pods', 'spec.initContainers', 'name'],
  ['pods', 'spec.ephemeralContainers', 'name'],
  ['pods', 'spec.imagePullSecrets', 'name'],
  ['pods', 'spec.hostAliases', 'ip'],
  ['pods', 'spec.volumes', 'name'],
  ['pods', 'spec.topologySpreadConstraints', 'topologyKey'],
  ['pods', 'spec.schedulingGates', 'name'],
  ['pods', 'status.conditions', 'type'],
  ['pods', 'status.podIPs', 'ip'],
  ['pods', 'status.hostIPs', 'ip'],
  ['pods', 'metadata.ownerReferences', 'uid'],
  ['deployments', 'spec.template.spec.containers', 'name'],
  ['deployments', 'status.conditions', 'type'],
  ['replicasets', 'status.conditions', 'type'],
  ['jobs', 'status.conditions', 'type'],
  ['namespaces', 'status.conditions', 'type'],
  ['nodes', 'status.conditions', 'type'],
  ['nodes', 'status.addresses', 'type'],
  ['services', 'spec.ports', 'port'],
  ['services', 'status.conditions', 'type'],
  ['serviceaccounts', 'secrets', 'name'],
  ['serviceaccounts', 'imagePullSecrets', 'name'],
  ['mutatingwebhookconfigurations', 'webhooks', 'name'],
  ['validatingwebhookconfigurations', 'webhooks', 'name'],
])('of %s, a strategic merge takes items of %s together by %s', (plural, path, key) => {
  const options = { schema: schemaOf(plural), resource: plural }
  const merged = applyStrategicMerge(at(path, [{ [key]: 1, kept: true }, { [key]: 2 }]), at(path, [{ [key]: 1, added: true }]), options)
  expect(found(merged, path)).toEqual([{ [key]: 1, kept: true, added: true }, { [key]: 2 }])
})

test.each([
  ['env', 'name'],
  ['ports', 'containerPort'],
  ['volumeMounts', 'mountPath'],
  ['volumeDevices', 'devicePath'],
])('of a container, a strategic merge takes items of %s together by %s', (field, key) => {
  const options = { schema: schemaOf('pods'), resource: 'pods' }
  const pod = (items: object[]): Record<string, unknown> => at('spec.containers[]', { name: 'a', [field]: items })
  const merged = applyStrategicMerge(pod([{ [key]: 1, kept: true }, { [key]: 2 }]), pod([{ [key]: 1, added: true }]), options)
  expect(found(merged, `spec.containers[].${field}`)).toEqual([{ [key]: 1, kept: true, added: true }, { [key]: 2 }])
})

test.each([
  ['pods', 'spec.tolerations'],
  ['pods', 'spec.containers[].command'],
  ['pods', 'spec.containers[].args'],
  ['pods', 'spec.containers[].envFrom'],
  ['roles', 'rules'],
  ['rolebindings', 'subjects'],
  ['nodes', 'spec.taints'],
  ['endpoints', 'subsets'],
  ['endpointslices', 'endpoints'],
])('of %s, a strategic merge replaces %s', (plural, path) => {
  const options = { schema: schemaOf(plural), resource: plural }
  const list = (items: unknown[]): Record<string, unknown> => {
    const [outer, inner] = path.split('[].')
    return inner === undefined ? at(path, items) : at(`${outer}[]`, { name: 'a', [inner]: items })
  }
  expect(found(applyStrategicMerge(list(['a', 'b']), list(['c']), options), path)).toEqual(['c'])
})

test.each([
  ['pods', 'metadata.finalizers'],
  ['nodes', 'spec.podCIDRs'],
])('of %s, a strategic merge adds to %s', (plural, path) => {
  const options = { schema: schemaOf(plural), resource: plural }
  expect(found(applyStrategicMerge(at(path, ['a']), at(path, ['b']), options), path)).toEqual(['b', 'a'])
})

test.each([
  ['pods', 'spec.containers[].ports', ['containerPort', 'protocol']],
  ['services', 'spec.ports', ['port', 'protocol']],
  ['pods', 'spec.topologySpreadConstraints', ['topologyKey', 'whenUnsatisfiable']],
])('of %s, who applies items of %s owns them by %j', (plural, path, keys) => {
  const list = path.split('.').reduce<Schema>((schema, name) => {
    const inner = schema.properties![name.replace('[]', '')]!
    return name.endsWith('[]') ? (inner.items as Schema) : inner
  }, schemaOf(plural))
  expect(listKeys(list)).toEqual(keys)
})
