import { afterEach, beforeEach, expect, test } from 'vitest'
import { configMapKind } from '../../../../src/kinds/core/configmap/kind.js'
import { deploymentKind } from '../../../../src/kinds/core/deployment/kind.js'
import { namespaceKind } from '../../../../src/kinds/core/namespace/kind.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { serviceAccountKind } from '../../../../src/kinds/core/serviceaccount/kind.js'
import { type Cluster, condition, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
  await cluster.client.create(namespaceKind, { metadata: { name: 'team' } })
  await cluster.settle()
})
afterEach(() => cluster.stop())

const team = { name: 'team' }

test('a namespace has its label, its service account and the CA, and gets them back when they are deleted', async () => {
  const namespace = await cluster.client.get(namespaceKind, team)
  expect(namespace).toMatchObject({
    metadata: { labels: { 'kubernetes.io/metadata.name': 'team' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
  expect((await cluster.client.get(configMapKind, { namespace: 'team', name: 'kube-root-ca.crt' })).data).toEqual({ 'ca.crt': 'the CA' })

  await cluster.client.delete(serviceAccountKind, { namespace: 'team', name: 'default' })
  await cluster.settle()
  expect(await cluster.client.find(serviceAccountKind, { namespace: 'team', name: 'default' })).toBeDefined()
})

test('a deleted namespace waits for its pods to end, says so, and then is gone with everything in it', async () => {
  cluster.runtime.polite = false
  await cluster.client.create(deploymentKind, {
    metadata: { namespace: 'team', name: 'web' },
    spec: {
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'app', image: 'app' }] } },
    },
  })
  await cluster.settle()
  await cluster.client.delete(namespaceKind, team)
  for (let turn = 0; turn < 20; turn++) await cluster.real.advance(10)

  const terminating = await cluster.client.get(namespaceKind, team)
  expect(terminating.status!.phase).toBe('Terminating')
  expect(condition(terminating as never, 'NamespaceContentRemaining')).toMatchObject({
    status: 'True',
    reason: 'SomeResourcesRemain',
    message: expect.stringContaining('pods. has 1 resource instances'),
  })
  expect(await cluster.client.list(deploymentKind, 'team')).toEqual([])

  cluster.runtime.last('app').exit(0)
  await cluster.settle()
  expect(await cluster.client.find(namespaceKind, team)).toBeUndefined()
  expect(await cluster.client.list(podKind, 'team')).toEqual([])
  expect(await cluster.client.list(configMapKind, 'team')).toEqual([])
})
