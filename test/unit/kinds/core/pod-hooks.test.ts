import { afterEach, expect, test } from 'vitest'
import { podKind } from '../../../../src/kinds/core/pod/kind.js'
import type { Container } from '../../../../src/kinds/core/pod/schema.js'
import { validatePodSpec } from '../../../../src/kinds/core/pod/validate-spec.js'
import { aPod, type Cluster, condition, startCluster } from './support.js'

let cluster: Cluster
afterEach(() => cluster?.stop())

const start = async (lifecycle: Container['lifecycle'], spec: object = {}): Promise<void> => {
  cluster = await startCluster()
  await cluster.client.create(podKind, aPod('web', { container: { lifecycle: lifecycle! }, ...spec }))
  await cluster.settle()
}
const remove = (): Promise<unknown> => cluster.client.delete(podKind, { namespace: 'default', name: 'web' })
/** The last run of the hook's command. */
const hook = () => cluster.runtime.last('app.probe')
const app = () => cluster.runtime.last('app')
const isReady = async (): Promise<boolean> => condition(await cluster.pod('web'), 'Ready')?.status === 'True'

test('a container is ready once its postStart has succeeded', async () => {
  await start({ postStart: { exec: { command: ['warm', 'up'] } } })
  expect(hook().request.command).toEqual(['warm', 'up'])
  expect(await isReady()).toBe(false)
  expect((await cluster.pod('web')).status?.containerStatuses?.[0]?.state.running).toBeDefined()
  hook().exit(0)
  await cluster.settle()
  expect(await isReady()).toBe(true)
})

test('a postStart that fails ends the container, which starts again; its Event keeps the reason to itself', async () => {
  await start({ postStart: { exec: { command: ['warm', 'up'] } } })
  const first = app()
  hook().exit(1)
  await cluster.settle()
  expect(first.stoppedWithMs).toBe(30_000)
  expect(first.isRunning()).toBe(false)
  expect((await cluster.events('FailedPostStartHook')).map(({ type, message }) => [type, message])).toEqual([
    ['Warning', 'PostStartHook failed'],
  ])
  expect((await cluster.events('Killing')).map(({ message }) => message)).toEqual(['FailedPostStartHook'])
  expect((await cluster.pod('web')).status?.containerStatuses?.[0]?.restartCount).toBe(1)
})

test('a program is told to end once its preStop is done, with what is left of the grace', async () => {
  await start({ preStop: { exec: { command: ['say', 'goodbye'] } } })
  await remove()
  await cluster.settle()
  expect(hook().request.command).toEqual(['say', 'goodbye'])
  await cluster.real.advance(10_000)
  expect(app().stoppedWithMs).toBeUndefined()
  hook().exit(0)
  await cluster.settle()
  expect(app().stoppedWithMs).toBeGreaterThan(15_000)
  expect(app().stoppedWithMs).toBeLessThanOrEqual(20_000)
  expect(await cluster.client.find(podKind, { namespace: 'default', name: 'web' })).toBeUndefined()
  expect(await cluster.events('FailedPreStopHook')).toEqual([])
})

test('a preStop that takes all of the grace leaves its program a moment, and one that fails is only told', async () => {
  await start({ preStop: { exec: { command: ['hang'] } } }, { terminationGracePeriodSeconds: 5 })
  await remove()
  await cluster.settle()
  await cluster.real.advance(5000)
  expect(app().stoppedWithMs).toBe(2000)
  await cluster.stop()

  await start({ preStop: { exec: { command: ['fail'] } } })
  await remove()
  await cluster.settle()
  hook().exit(9)
  await cluster.settle()
  expect(app().stoppedWithMs).toBeGreaterThan(25_000)
  expect((await cluster.events('FailedPreStopHook')).map(({ message }) => message)).toEqual(['PreStopHook failed'])
})

test('a forced deletion waits for no hook longer than the second that it leaves', async () => {
  await start({ preStop: { sleep: { seconds: 20 } } })
  await cluster.client.delete(podKind, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 })
  await cluster.settle()
  expect(app().stoppedWithMs).toBe(1000)
})

test('a preStop that sleeps is waited for, and a program that ends meanwhile is not', async () => {
  await start({ preStop: { sleep: { seconds: 15 } } })
  await remove()
  await cluster.settle()
  await cluster.real.advance(5000)
  expect(app().stoppedWithMs).toBeUndefined()
  await cluster.real.advance(10_000)
  expect(app().stoppedWithMs).toBe(15_000)
  await cluster.stop()

  await start({ preStop: { sleep: { seconds: 20 } } })
  await remove()
  await cluster.settle()
  app().exit(0)
  await cluster.settle()
  expect(await cluster.client.find(podKind, { namespace: 'default', name: 'web' })).toBeUndefined()
})

test('any answer to an httpGet is enough; only no answer fails', async () => {
  await start({ postStart: { httpGet: { port: 8080, path: '/warm' } } })
  expect(await isReady()).toBe(true)
  await cluster.stop()
  cluster = await startCluster()
  cluster.failing.add('all')
  await cluster.client.create(podKind, aPod('web', { container: { lifecycle: { postStart: { httpGet: { port: 8080 } } } } }))
  await cluster.settle()
  expect(await cluster.events('FailedPostStartHook')).toHaveLength(1)
})

test('what a hook may say', () => {
  const causesOf = (lifecycle: Container['lifecycle'], isInit = false): string[] => {
    const container = { name: 'a', image: 'a', imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }
    const withHooks = { ...container, lifecycle: lifecycle! }
    const spec = isInit ? { containers: [container], initContainers: [{ ...withHooks, name: 'b' }] } : { containers: [withHooks] }
    return validatePodSpec({ ...spec, restartPolicy: 'Always' }, 'spec').map(({ field, message }) => `${field}: ${message}`)
  }
  expect(causesOf({ postStart: { exec: { command: ['a'] } }, preStop: { sleep: { seconds: 0 } } })).toEqual([])
  expect(causesOf({ postStart: {} })).toEqual(['spec.containers[0].lifecycle.postStart: Required value: must specify a handler type'])
  expect(causesOf({ preStop: { exec: { command: ['a'] }, sleep: { seconds: 1 } } })).toEqual([
    'spec.containers[0].lifecycle.preStop.sleep: Forbidden: may not specify more than 1 handler type',
  ])
  expect(causesOf({ preStop: { sleep: { seconds: 31 } } })).toEqual([
    'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
  ])
  expect(causesOf({ preStop: { httpGet: { port: 70_000 } } })).toEqual([
    'spec.containers[0].lifecycle.preStop.httpGet.port: Invalid value: 70000: must be between 1 and 65535, inclusive',
  ])
  expect(causesOf({ preStop: { sleep: { seconds: 1 } } }, true)).toEqual([
    'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
  ])
})
