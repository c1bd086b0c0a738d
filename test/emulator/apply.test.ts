import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, startTestEmulator } from '../support/emulator.js'
import { findOldestAndNewest } from '../support/kubectl.js'

interface Entry {
  manager: string
  operation: string
  subresource?: string
  fieldsV1: Record<string, unknown>
}

const configMap = (data: Record<string, string>): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings', namespace: 'default' },
  data,
})

const deployment = (replicas: number | undefined, more: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    ...(replicas !== undefined && { replicas }),
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{ name: 'web', image: 'ghcr.io/knative/helloworld-go', ports: [{ containerPort: 8080 }], ...more }],
      },
    },
  },
})

describe.each(findOldestAndNewest())('kubectl $version', ({ path, version }) => {
  let emulator: Awaited<ReturnType<typeof startTestEmulator>>
  const minor = Number(/^v1\.(\d+)/.exec(version)![1])
  const kubectl = async (...args: string[]) => run(path, args, emulator.env)
  const ok = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubectl(...args)
    expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
    return stdout
  }
  const fileOf = (object: object): string => {
    const file = join(emulator.directory, 'manifest.json')
    writeFileSync(file, JSON.stringify(object))
    return file
  }
  const applying = (object: object, ...flags: string[]): string[] => ['apply', '--server-side', '-f', fileOf(object), ...flags]
  const entriesOf = async (resource: string, name: string): Promise<Entry[]> => {
    const object = JSON.parse(await ok('get', '--raw', `${resource}/${name}`)) as { metadata: { managedFields?: Entry[] } }
    return object.metadata.managedFields ?? []
  }
  const CONFIGMAPS = '/api/v1/namespaces/default/configmaps'
  const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'

  beforeAll(async () => {
    emulator = await startTestEmulator()
  })
  afterAll(async () => {
    await emulator.close()
  })

  test('apply --server-side creates, changes, leaves alone, and takes back what is no longer applied', async () => {
    expect(await ok(...applying(configMap({ a: '1', b: '1' })))).toBe('configmap/settings serverside-applied\n')
    const [first] = await entriesOf(CONFIGMAPS, 'settings')
    expect(first).toMatchObject({ manager: 'kubectl', operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } } })

    const version = await ok('get', 'configmap', 'settings', '-o', 'jsonpath={.metadata.resourceVersion}')
    await ok(...applying(configMap({ a: '1', b: '1' })))
    expect(await ok('get', 'configmap', 'settings', '-o', 'jsonpath={.metadata.resourceVersion}')).toBe(version)

    await ok(...applying(configMap({ a: '2' })))
    expect(await ok('get', 'configmap', 'settings', '-o', 'jsonpath={.data}')).toMatch(/^(\{"a":"2"\}|map\[a:2\])$/)
  })

  test('a field of another manager is a conflict, until it is forced or shared', async () => {
    await ok(...applying(configMap({ a: '2' })))
    const refused = await kubectl(...applying(configMap({ a: '3' }), '--field-manager=other'))
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain('Apply failed with 1 conflict: conflict with "kubectl": .data.a\n')
    expect(refused.stderr).toContain('--force-conflicts')

    await ok(...applying(configMap({ a: '2' }), '--field-manager=other'))
    const shared = await entriesOf(CONFIGMAPS, 'settings')
    expect(shared.map(({ manager, fieldsV1 }) => [manager, fieldsV1])).toEqual([
      ['kubectl', { 'f:data': { 'f:a': {} } }],
      ['other', { 'f:data': { 'f:a': {} } }],
    ])

    await ok(...applying(configMap({ a: '3' }), '--field-manager=other', '--force-conflicts'))
    const forced = await entriesOf(CONFIGMAPS, 'settings')
    expect(forced.map(({ manager }) => manager)).toEqual(['other'])
  })

  test('who shares a field and stops applying it leaves it to the other', async () => {
    await ok('delete', 'configmap', 'settings')
    await ok(...applying(configMap({ shared: '1', mine: '1' })))
    await ok(...applying(configMap({ shared: '1', theirs: '1' }), '--field-manager=other'))
    await ok(...applying(configMap({ mine: '1' })))
    expect(JSON.parse(await ok('get', '--raw', `${CONFIGMAPS}/settings`))).toMatchObject({ data: { mine: '1', shared: '1', theirs: '1' } })
    await ok(...applying(configMap({ theirs: '1' }), '--field-manager=other'))
    expect((JSON.parse(await ok('get', '--raw', `${CONFIGMAPS}/settings`)) as { data: object }).data).toEqual({ mine: '1', theirs: '1' })
  })

  test('items of keyed lists are owned one by one, and defaults by nobody', async () => {
    await ok(...applying(deployment(1)))
    const applied = (await entriesOf(DEPLOYMENTS, 'web')).find(({ operation }) => operation === 'Apply')!
    expect(applied.fieldsV1).toEqual({
      'f:spec': {
        'f:replicas': {},
        'f:selector': {},
        'f:template': {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': {
            'f:containers': {
              'k:{"name":"web"}': {
                '.': {},
                'f:image': {},
                'f:name': {},
                'f:ports': { 'k:{"containerPort":8080,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
              },
            },
          },
        },
      },
    })
    await ok('scale', 'deployment', 'web', '--replicas=2')
    const scaled = (await entriesOf(DEPLOYMENTS, 'web')).find(({ subresource }) => subresource === 'scale')
    expect(scaled).toMatchObject({ operation: 'Update', fieldsV1: { 'f:spec': { 'f:replicas': {} } } })
    const refused = await kubectl(...applying(deployment(1)))
    expect(refused.stderr).toContain(
      `Apply failed with 1 conflict: conflict with "${scaled!.manager}" with subresource "scale" using apps/v1: .spec.replicas\n`,
    )
    // Leaving the number to whoever scales is what one does about it.
    await ok(...applying(deployment(undefined)))
    expect(await ok('get', 'deployment', 'web', '-o', 'jsonpath={.spec.replicas}')).toBe('2')
  })

  test('a field that the type does not have is refused', async () => {
    const refused = await kubectl(...applying({ ...configMap({}), spec: { no: 'such' } }, '--validate=false'))
    expect(refused.stderr).toBe(
      'Error from server: failed to create typed patch object (default/settings; /v1, Kind=ConfigMap): .spec: field not declared in schema\n',
    )
  })

  test('what client-side apply made is taken over without a conflict', async () => {
    await ok('delete', 'deployment', 'web')
    await ok('apply', '-f', fileOf(deployment(1, { env: [{ name: 'A', value: '1' }] })))
    await ok(...applying(deployment(1, { env: [{ name: 'A', value: '2' }] })))
    const entries = (await entriesOf(DEPLOYMENTS, 'web')).filter(({ subresource }) => !subresource)
    expect(entries.find(({ manager }) => manager === 'kubectl')).toMatchObject({ operation: 'Apply' })
    await ok(...applying(deployment(1)))
    const env = await ok('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].env}')
    // From 1.26 on kubectl hands what the client-side apply owned to its new manager; before, the item stays shared with the old one.
    expect(entries.some(({ manager }) => manager === 'kubectl-client-side-apply')).toBe(minor < 26)
    expect(env === '').toBe(minor >= 26)
  })

  test('diff --server-side shows what an apply would do, and does nothing', async () => {
    await ok('delete', 'configmap', 'settings')
    await ok(...applying(configMap({ a: '1' })))
    const diff = await kubectl('diff', '--server-side', '-f', fileOf(configMap({ a: '2' })))
    expect([diff.exitCode, diff.stderr]).toEqual([1, ''])
    expect(diff.stdout).toContain('-  a: "1"\n+  a: "2"\n')
    expect(await ok('get', 'configmap', 'settings', '-o', 'jsonpath={.data.a}')).toBe('1')
    expect((await kubectl('diff', '--server-side', '-f', fileOf(configMap({ a: '1' })))).exitCode).toBe(0)
  })

  test('get -o yaml keeps managed fields to itself unless asked', async () => {
    // Hiding them came with 1.21.
    if (minor >= 21) {
      expect(await ok('get', 'configmap', 'settings', '-o', 'yaml')).not.toContain('managedFields')
      expect(await ok('get', 'configmap', 'settings', '-o', 'yaml', '--show-managed-fields')).toContain('fieldsType: FieldsV1')
    } else {
      expect(await ok('get', 'configmap', 'settings', '-o', 'yaml')).toContain('fieldsType: FieldsV1')
    }
  })

  test('a Knative Service is applied, and its controller owns the status', async () => {
    const service = {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'hello', namespace: 'default' },
      spec: { template: { spec: { containers: [{ image: 'ghcr.io/knative/helloworld-go' }] } } },
    }
    expect(await ok(...applying(service))).toBe('service.serving.knative.dev/hello serverside-applied\n')
    await ok('wait', '--for=condition=Ready', 'ksvc/hello', '--timeout=30s')
    const entries = await entriesOf('/apis/serving.knative.dev/v1/namespaces/default/services', 'hello')
    expect(entries[0]).toMatchObject({
      manager: 'kubectl',
      operation: 'Apply',
      fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': {} } } } },
    })
    expect(entries.filter(({ subresource }) => subresource === 'status').map(({ manager }) => manager)).toEqual(['controller'])
  })
})
