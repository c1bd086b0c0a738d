import { afterEach, beforeEach, expect, test } from 'vitest'
import { configMapKind } from '../../../../src/kinds/core/configmap/kind.js'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import { PORTS_ANNOTATION } from '../../../../src/kinds/core/pod/schema.js'
import { secretKind } from '../../../../src/kinds/core/secret/kind.js'
import { aPod, type Cluster, startCluster } from './support.js'

let cluster: Cluster
beforeEach(async () => {
  cluster = await startCluster()
})
afterEach(() => cluster.stop())

const create = async (pod: ReturnType<typeof aPod>): Promise<void> => {
  await cluster.client.create(podKind, pod)
  await cluster.settle()
}
const waitingOf = async (name: string) => (await cluster.pod(name)).status!.containerStatuses![0]!.state.waiting

test('the environment takes from ConfigMaps, Secrets, fields and resources, in the order of Kubernetes', async () => {
  await cluster.client.create(configMapKind, { metadata: { namespace: 'default', name: 'settings' }, data: { color: 'blue', size: 'big' } })
  await cluster.client.create(secretKind, { metadata: { namespace: 'default', name: 'keys' }, stringData: { token: 'hush' } })
  const pod = aPod('web', {
    container: {
      command: ['/run', '$(color)', '$$(color)', '$(nobody)'],
      envFrom: [
        { configMapRef: { name: 'settings' } },
        { prefix: 'K_', secretRef: { name: 'keys' } },
        { configMapRef: { name: 'absent', optional: true } },
      ],
      env: [
        { name: 'size', value: 'small' },
        { name: 'BOTH', value: '$(size)-$(color)' },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
        { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'settings', key: 'none', optional: true } } },
        { name: 'ME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
        { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
        { name: 'MIB', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
        { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      ],
      resources: { limits: { memory: '64Mi' } },
    },
  })
  await create(pod)

  const { request } = cluster.runtime.last('app')
  expect(request.env).toMatchObject({
    color: 'blue',
    size: 'small',
    BOTH: 'small-blue',
    K_token: 'hush',
    TOKEN: 'hush',
    ME: 'web',
    APP: 'web',
  })
  expect(request.env).toMatchObject({ IP: '10.244.0.2', NODE: 'kn-local', MIB: '64', CPUS: '4' })
  expect(request.env).not.toHaveProperty('NONE')
  expect(request.command).toEqual(['/run', 'blue', '$(color)', '$(nobody)'])
})

test('what the environment refers to is waited for, and the container starts once it is there', async () => {
  await create(aPod('web', { container: { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }] } }))
  expect(await waitingOf('web')).toEqual({ reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' })
  expect((await cluster.events('Failed')).map(({ message }) => message)).toEqual(['Error: configmap "settings" not found'])

  await cluster.client.create(configMapKind, { metadata: { namespace: 'default', name: 'settings' }, data: { b: '1' } })
  await cluster.settle()
  expect(await waitingOf('web')).toMatchObject({ message: "couldn't find key a in ConfigMap default/settings" })

  await cluster.client.patch(
    configMapKind,
    { namespace: 'default', name: 'settings' },
    { type: 'application/merge-patch+json', body: { data: { a: '1' } } },
  )
  await cluster.settle()
  expect((await cluster.pod('web')).status!.phase).toBe('Running')
})

test('a pod with volumes does not run and says why', async () => {
  await create(
    aPod('web', { volumes: [{ name: 'data', emptyDir: {} }], container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] } }),
  )

  expect(await waitingOf('web')).toEqual({
    reason: 'CreateContainerConfigError',
    message: 'volumes need a container engine or mount namespaces, which this version does not offer: "data"',
  })
  expect(cluster.runtime.processes).toEqual([])
})

test('an image that is not here is an ErrImagePull, then an ImagePullBackOff, tried again after 10 s and 20 s', async () => {
  await create(aPod('web', { container: { image: 'missing:1' } }))
  const text = 'failed to pull and unpack image "missing:1": "missing:1" is not here'
  expect(await waitingOf('web')).toEqual({ reason: 'ErrImagePull', message: text })

  await cluster.clock.advance(2000)
  expect(await waitingOf('web')).toEqual({
    reason: 'ImagePullBackOff',
    message: `Back-off pulling image "missing:1": ErrImagePull: ${text}`,
  })
  expect((await cluster.events('BackOff')).map(({ message }) => message)).toEqual(['Back-off pulling image "missing:1"'])
  await cluster.clock.advance(8000)
  expect((await cluster.events('Pulling'))[0]!.count).toBe(2)
  await cluster.clock.advance(19_000)
  expect((await cluster.events('Pulling'))[0]!.count).toBe(2)
  await cluster.clock.advance(1000)
  expect((await cluster.events('Pulling'))[0]!.count).toBe(3)
})

test('an image that may not be pulled says so', async () => {
  await create(aPod('web', { container: { image: 'missing:1', imagePullPolicy: 'Never' } }))

  expect(await waitingOf('web')).toEqual({
    reason: 'ErrImageNeverPull',
    message: 'Container image "missing:1" is not present with pull policy of Never',
  })
})

test('a program that cannot be started is a crash with exit code 128', async () => {
  cluster.runtime.missing.add('/nothing')
  await create(aPod('web', { container: { command: ['/nothing'] } }))

  const status = (await cluster.pod('web')).status!.containerStatuses![0]!
  const message = 'exec: "/nothing": executable file not found in $PATH'
  expect(status.state.waiting).toEqual({ reason: 'RunContainerError', message })
  expect(status.lastState.terminated).toMatchObject({ exitCode: 128, reason: 'StartError', message })
})

test('every declared port has a loopback port; a container without one is expected at 8080', async () => {
  await create(
    aPod('web', {
      containers: [
        { name: 'one', image: 'a', ports: [{ containerPort: 80 }, { containerPort: 81 }] },
        { name: 'two', image: 'b' },
      ],
    }),
  )
  await create(aPod('bare'))

  const ports = JSON.parse((await cluster.pod('web')).metadata.annotations![PORTS_ANNOTATION]!) as Record<string, number>
  expect(Object.keys(ports)).toEqual(['80', '81'])
  const own = cluster.runtime.processes.map(({ request }) => Number(request.env['PORT']))
  expect(own[0]).toBe(ports['80'])
  expect(new Set([...own, ports['81']]).size).toBe(4)
  expect(JSON.parse((await cluster.pod('bare')).metadata.annotations![PORTS_ANNOTATION]!)).toEqual({ 8080: own[2] })
})
