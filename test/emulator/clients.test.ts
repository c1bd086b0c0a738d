import { join } from 'node:path'
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  Watch,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Home, makeHome, until } from '../support/daemon.js'
import { HELLO_IMAGE, run, startTestEmulator } from '../support/emulator.js'
import { findPython } from '../support/python.js'

const namespace = 'default'
const SERVING = { group: 'serving.knative.dev', version: 'v1', namespace, plural: 'services' }

function configFrom(path: string, context?: string): KubeConfig {
  const config = new KubeConfig()
  config.loadFromFile(path)
  if (context !== undefined) config.setCurrentContext(context)
  return config
}

/** Code and reason of what a call is refused with. */
async function refusal(call: Promise<unknown>): Promise<[number, string]> {
  try {
    await call
  } catch (error) {
    if (!(error instanceof ApiException)) throw error
    const body = (typeof error.body === 'string' ? JSON.parse(error.body) : error.body) as { reason: string }
    return [error.code, body.reason]
  }
  throw new Error('the call was not refused')
}

describe('@kubernetes/client-node', () => {
  let emulator: Awaited<ReturnType<typeof startTestEmulator>>
  let config: KubeConfig
  beforeAll(async () => {
    emulator = await startTestEmulator()
    config = configFrom(emulator.kubeconfig)
  })
  afterAll(() => emulator.close())

  test('typed objects are created, listed in pages, changed by each kind of patch, replaced and deleted', async () => {
    const core = config.makeApiClient(CoreV1Api)
    const aConfigMap = (name: string): { namespace: string; body: V1ConfigMap } => ({
      namespace,
      body: { metadata: { name, labels: { from: 'node' } }, data: { a: '1' } },
    })
    const created = await core.createNamespacedConfigMap(aConfigMap('one'))
    expect(created).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'one', creationTimestamp: expect.any(Date) } })
    await core.createNamespacedConfigMap(aConfigMap('two'))
    expect(await refusal(core.createNamespacedConfigMap(aConfigMap('one')))).toEqual([409, 'AlreadyExists'])

    const page = { namespace, labelSelector: 'from=node', limit: 1 }
    const first = await core.listNamespacedConfigMap(page)
    const second = await core.listNamespacedConfigMap({ ...page, _continue: first.metadata!._continue! })
    expect([...first.items, ...second.items].map(({ metadata }) => metadata!.name)).toEqual(['one', 'two'])
    expect(second.metadata!._continue).toBeUndefined()

    const one = { name: 'one', namespace }
    const patched = async (strategy: PatchStrategy, body: object): Promise<V1ConfigMap['data']> => {
      const options = setHeaderOptions('Content-Type', strategy)
      return (
        await core.patchNamespacedConfigMap(
          { ...one, body, fieldManager: 'node', ...(strategy === PatchStrategy.ServerSideApply && { force: true }) },
          options,
        )
      ).data
    }
    expect((await core.patchNamespacedConfigMap({ ...one, body: [{ op: 'add', path: '/data/b', value: '2' }] })).data).toEqual({
      a: '1',
      b: '2',
    })
    expect(await patched(PatchStrategy.MergePatch, { data: { a: null } })).toEqual({ b: '2' })
    expect(await patched(PatchStrategy.StrategicMergePatch, { data: { $patch: 'replace', c: '3' } })).toEqual({ c: '3' })
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { d: '4' } }
    expect(await patched(PatchStrategy.ServerSideApply, applied)).toEqual({ c: '3', d: '4' })

    const stale = await core.readNamespacedConfigMap(one)
    await core.replaceNamespacedConfigMap({ ...one, body: { ...stale, data: { e: '5' } } })
    expect(await refusal(core.replaceNamespacedConfigMap({ ...one, body: { ...stale, data: {} } }))).toEqual([409, 'Conflict'])
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'from=node' })
    expect(await refusal(core.readNamespacedConfigMap(one))).toEqual([404, 'NotFound'])
  })

  test('a Deployment is scaled through its subresource, and its rollout is watched to the end', async () => {
    const apps = config.makeApiClient(AppsV1Api)
    const labels = { app: 'node' }
    const container = { name: 'main', image: 'kn.local/shell', command: ['sh', '-c', 'exec sleep 1000'] }
    const template = { metadata: { labels }, spec: { containers: [container], terminationGracePeriodSeconds: 1 } }
    await apps.createNamespacedDeployment({
      namespace,
      body: { metadata: { name: 'web' }, spec: { selector: { matchLabels: labels }, template } },
    })
    const web = { name: 'web', namespace }
    const scale = await apps.readNamespacedDeploymentScale(web)
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 1 }, status: { selector: 'app=node' } })
    // Without the version, which its controller changes all the time.
    await apps.replaceNamespacedDeploymentScale({ ...web, body: { ...scale, metadata: web, spec: { replicas: 2 } } })

    const types: string[] = []
    let available = 0
    const request = await new Watch(config).watch(
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
      { fieldSelector: 'metadata.name=web' },
      (type: string, { status }: { status?: { availableReplicas?: number } }) => {
        types.push(type)
        available = status?.availableReplicas ?? 0
      },
      () => {},
    )
    await until(() => available === 2 || undefined, 20_000, 'the rollout')
    await apps.deleteNamespacedDeployment({ ...web, propagationPolicy: 'Foreground' })
    await until(() => types.at(-1) === 'DELETED' || undefined, 20_000, 'the deletion')
    request.abort()
    expect(types[0]).toBe('ADDED')
  })

  test('a Knative Service is a custom object, also for the client of any object', async () => {
    const custom = config.makeApiClient(CustomObjectsApi)
    const body = {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: { name: 'hello', namespace },
      spec: { template: { spec: { containers: [{ image: HELLO_IMAGE }] } } },
    }
    await custom.createNamespacedCustomObject({ ...SERVING, body })
    const hello = { ...SERVING, name: 'hello' }
    const latest = async (): Promise<string | undefined> => {
      const { status } = (await custom.getNamespacedCustomObject(hello)) as { status?: { latestReadyRevisionName?: string } }
      return status?.latestReadyRevisionName
    }
    await until(async () => (await latest()) === 'hello-00001' || undefined, 20_000, 'the first revision')
    const env = [{ op: 'add', path: '/spec/template/spec/containers/0/env', value: [{ name: 'TARGET', value: 'You' }] }]
    await custom.patchNamespacedCustomObject({ ...hello, body: env })
    await until(async () => (await latest()) === 'hello-00002' || undefined, 20_000, 'the second revision')

    // Its patches are strategic merge unless told otherwise, which custom resources have not.
    const objects = KubernetesObjectApi.makeApiClient(config)
    const labelled = { ...body, metadata: { ...body.metadata, labels: { by: 'node' } }, spec: undefined } as KubernetesObject
    expect(await refusal(objects.patch(labelled))).toEqual([415, 'UnsupportedMediaType'])
    const merged = await objects.patch(labelled, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
    expect(merged.metadata!.labels).toEqual({ by: 'node' })
    const { items } = await objects.list(
      'serving.knative.dev/v1',
      'Service',
      namespace,
      undefined,
      undefined,
      undefined,
      undefined,
      'by=node',
    )
    expect(items.map(({ metadata }) => metadata!.name)).toEqual(['hello'])
    await custom.deleteNamespacedCustomObject(hello)
    expect(await refusal(custom.getNamespacedCustomObject(hello))).toEqual([404, 'NotFound'])
  })
})

describe('an informer over a restart of the emulator', () => {
  let home: Home
  beforeAll(async () => {
    home = makeHome({ KN_EMULATOR: '1' })
    expect(await home.kn(['emulator', 'start', ...(await home.portFlags())])).toMatchObject({ exitCode: 0 })
  })
  afterAll(() => home.remove())

  test.each([
    ['stopped', async (_pid: number) => void expect(await home.kn(['emulator', 'stop'])).toMatchObject({ exitCode: 0 })],
    ['killed', async (pid: number) => void process.kill(pid, 'SIGKILL')],
  ])('goes on where it was once an emulator that was %s is there again, and misses and repeats nothing', async (how, end) => {
    const { context, kubeconfig, pid } = await home.status()
    const config = configFrom(kubeconfig, context)
    const core = config.makeApiClient(CoreV1Api)
    const labelSelector = `how=${how}`
    const aConfigMap = (name: string): V1ConfigMap => ({ metadata: { name: `${how}-${name}`, labels: { how } }, data: { a: '1' } })
    const list = () => core.listNamespacedConfigMap({ namespace, labelSelector })
    const told: string[] = []
    const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, list, labelSelector)
    informer.on('add', ({ metadata }) => told.push(`add ${metadata!.name}`))
    informer.on('update', ({ metadata }) => told.push(`update ${metadata!.name}`))
    informer.on('delete', ({ metadata }) => told.push(`delete ${metadata!.name}`))
    // What its documentation tells everyone to do.
    let stopped = false
    informer.on('error', () => {
      if (!stopped) setTimeout(() => void informer.start(), 50)
    })
    try {
      for (const name of ['kept', 'changed', 'deleted']) await core.createNamespacedConfigMap({ namespace, body: aConfigMap(name) })
      await informer.start()
      await until(() => told.length === 3 || undefined, 10_000, 'the first objects')

      await end(pid)
      expect(await home.kn(['emulator', 'start'])).toMatchObject({ exitCode: 0 })
      await core.deleteNamespacedConfigMap({ namespace, name: `${how}-deleted` })
      await core.patchNamespacedConfigMap({ namespace, name: `${how}-changed`, body: [{ op: 'replace', path: '/data/a', value: '2' }] })
      await core.createNamespacedConfigMap({ namespace, body: aConfigMap('added') })
      await until(() => told.includes(`add ${how}-added`) || undefined, 20_000, 'the change after the restart')

      expect(told.slice(0, 3).sort()).toEqual([`add ${how}-changed`, `add ${how}-deleted`, `add ${how}-kept`])
      expect(told.slice(3)).toEqual([`delete ${how}-deleted`, `update ${how}-changed`, `add ${how}-added`])
      const byName = (objects: readonly V1ConfigMap[]): V1ConfigMap[] =>
        [...objects].sort((a, b) => a.metadata!.name!.localeCompare(b.metadata!.name!))
      const plain = (objects: readonly V1ConfigMap[]): unknown =>
        byName(objects).map(({ metadata, data }) => ({
          name: metadata!.name,
          version: metadata!.resourceVersion,
          uid: metadata!.uid,
          data,
        }))
      expect(plain(informer.list())).toEqual(plain((await list()).items))
    } finally {
      stopped = true
      await informer.stop()
    }
  })
})

const python = findPython()
const title = 'creates, lists, watches, patches and deletes, typed, custom and dynamic'
describe(`the Python client ${python?.version ?? '(neither installed nor unpacked by .ci/run: skipped)'}`, () => {
  test.skipIf(!python)(title, { timeout: 180_000 }, async () => {
    const emulator = await startTestEmulator()
    try {
      const script = join(process.cwd(), 'test/fixtures/clients/python_client.py')
      const env = { ...emulator.env, ...python!.env }
      const { exitCode, stdout, stderr } = await run(python!.path, ['-W', 'ignore', script], env, { timeoutMs: 150_000 })
      expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' })
      expect(JSON.parse(stdout)).toEqual({
        version: '1',
        exists: [409, 'AlreadyExists'],
        'first page': ['one'],
        'second page': ['two'],
        patched: { a: '3', b: '2' },
        replaced: { c: '4' },
        conflict: [409, 'Conflict'],
        missing: [404, 'NotFound'],
        deployment: [1, '25%'],
        rollout: ['ADDED', true],
        'merged by name': [['main', 'kn.local/shell', 'b']],
        scale: 2,
        log: 'hello from a pod\n',
        deleted: 'DELETED',
        generation: 2,
        revisions: ['hello-00001', 'hello-00002'],
        refused: [422, 'Invalid'],
        dynamic: [true, 100],
        gone: [404, 'NotFound'],
      })
    } finally {
      await emulator.close()
    }
  })
})
