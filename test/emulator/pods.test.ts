import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { createSystemClock, type VirtualClock } from '../../src/base/clock.js'
import type { Client } from '../../src/client/client.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import type { Pod } from '../../src/kinds/core/pod/schema.js'
import { revisionKind } from '../../src/kinds/revision/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { processesWith, until } from '../support/daemon.js'
import { fetchFrom, run, type TestEmulator, test } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'
import { startLoad } from '../support/load.js'
import { aService, eventually, eventuallyIs } from '../support/objects.js'

const kubectls = findKubectls()
const oldestAndNewest = [...new Set([kubectls[0]!, kubectls.at(-1)!])]
const realClock = createSystemClock()

/** A server without any manners: SIGTERM ends it in the middle of its answers. `/slow` takes a second, `/slower` a minute. */
const RUDE = {
  image: 'kn.local/shell',
  command: ['node', '-e'],
  args: [
    `require('http').createServer((q, r) => setTimeout(() => r.end(process.env.K_REVISION + '\\n'), { '/slow': 1000, '/slower': 60000 }[q.url] ?? 5)).listen(process.env.PORT, '127.0.0.1')`,
  ],
}

const aPod = (name: string, spec: object) => ({ metadata: { name, namespace: 'default' }, spec }) as never as Pod
const shell = (script: string) => ({ name: 'main', image: 'kn.local/shell', command: ['sh', '-c', script] })

/** `kubectl get pods -w` as a person reads it: what changed in READY, STATUS and RESTARTS, one entry per change. */
async function watchPods(path: string, { env }: TestEmulator, client: Client) {
  const child = spawn(path, ['get', 'pods', '-w', '--no-headers'], { env })
  let text = ''
  child.stdout.on('data', (bytes) => {
    text += bytes
  })
  // A Pod that is held back shows when the watch has begun.
  await client.create(podKind, aPod('held-back', { containers: [shell('true')], schedulingGates: [{ name: 'example.test/gate' }] }))
  await until(() => text.includes('SchedulingGated') || undefined, 10_000, 'the watch')
  return {
    story(prefix: string): string[] {
      const lines = text.split('\n').filter((line) => line.startsWith(prefix))
      const cells = lines.map((line) =>
        line
          .split(/\s{2,}/)
          .slice(1, 4)
          .join(' '),
      )
      return cells.filter((cell, index) => cell !== cells[index - 1])
    },
    stop: () => void child.kill(),
  }
}

/** Moves the virtual clock in small steps while real things happen in between. */
async function pass(clock: VirtualClock, seconds: number, stepSeconds = 2): Promise<void> {
  for (let passed = 0; passed < seconds; passed += stepSeconds) {
    await clock.advance(stepSeconds * 1000)
    await realClock.sleep(20)
  }
}

const readyPods = async (client: Client): Promise<readonly Pod[]> => {
  const pods = await client.list(podKind, 'default')
  return pods.filter(
    ({ metadata, status }) =>
      !metadata.deletionTimestamp && status?.conditions?.some(({ type, status: verdict }) => type === 'Ready' && verdict === 'True'),
  )
}

describe.each(oldestAndNewest)('kubectl $version', ({ path }) => {
  test('get pods -w tells the story of a service from Pending to gone', async ({ client, emulator }) => {
    const watch = await watchPods(path, emulator, client)
    await client.create(serviceKind, aService({ name: 'hello' }))
    await eventually(client, serviceKind, 'hello', { status: 'True' })
    await client.delete(serviceKind, { namespace: 'default', name: 'hello' })
    await until(async () => (await client.list(podKind, 'default')).length === 1 || undefined)
    await until(() => watch.story('hello').at(-1)?.includes('Completed') || undefined)
    watch.stop()
    // How long a program takes to end decides whether it is seen ending.
    expect(watch.story('hello').filter((row) => row !== '0/2 Terminating 0')).toEqual([
      '0/2 Pending 0',
      '0/2 ContainerCreating 0',
      '1/2 Running 0',
      '2/2 Running 0',
      '2/2 Terminating 0',
      '1/2 Terminating 0',
      '0/2 Completed 0',
    ])
  })

  test('get pods -w tells of crashes, with waits that double from 10 s', async ({ client, emulator, clock }) => {
    const watch = await watchPods(path, emulator, client)
    const crash = { image: 'kn.local/shell', command: ['sh', '-c', 'echo out of luck; sleep 0.1; exit 3'] }
    await client.create(serviceKind, aService({ name: 'crash', container: crash }))
    const started = async (restarts: number): Promise<void> => {
      const said = (): boolean => watch.story('crash').some((row) => row.startsWith(`0/2 CrashLoopBackOff ${restarts} `))
      await until(() => said() || undefined, 10_000, `the back-off after restart ${restarts}`)
    }
    await started(1)
    await clock.advance(9_999)
    expect(watch.story('crash').at(-1)).toBe('0/2 CrashLoopBackOff 1 (0s ago)')
    await clock.advance(1)
    await started(2)
    await clock.advance(20_000)
    await started(3)
    watch.stop()
    expect(watch.story('crash').map((row) => row.replace(/ \(\d+s ago\)$/, ''))).toEqual([
      '0/2 Pending 0',
      '0/2 ContainerCreating 0',
      '1/2 Running 0',
      '0/2 Error 0',
      '1/2 Running 1',
      '0/2 Error 1',
      '0/2 CrashLoopBackOff 1',
      '1/2 Running 2',
      '0/2 Error 2',
      '0/2 CrashLoopBackOff 2',
      '1/2 Running 3',
      '0/2 Error 3',
      '0/2 CrashLoopBackOff 3',
    ])
    const [pod] = (await client.list(podKind, 'default')).filter(({ metadata }) => metadata.name.startsWith('crash'))
    expect(pod!.status!.containerStatuses![0]).toMatchObject({
      restartCount: 3,
      state: { waiting: { reason: 'CrashLoopBackOff', message: expect.stringContaining('back-off 40s restarting failed') } },
      lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'out of luck\n' } },
    })
  })

  test('get pods -w tells of images that cannot be pulled, and of programs that come to their end', async ({ client, emulator, clock }) => {
    const watch = await watchPods(path, emulator, client)
    await client.create(podKind, aPod('pull', { containers: [{ name: 'main', image: 'docker.io/library/nginx:1.27' }] }))
    await client.create(podKind, aPod('done', { restartPolicy: 'Never', containers: [shell('exit 0')] }))
    await client.create(podKind, aPod('failed', { restartPolicy: 'Never', containers: [shell('exit 7')] }))
    await until(() => watch.story('pull').at(-1)?.includes('ErrImagePull') || undefined)
    await clock.advance(2000)
    await until(() => watch.story('pull').at(-1)?.includes('ImagePullBackOff') || undefined)
    await clock.advance(8000)
    await until(() => watch.story('pull').filter((row) => row.includes('ErrImagePull')).length === 2 || undefined)
    await until(() => watch.story('failed').at(-1)?.includes('Error') || undefined)
    await until(() => watch.story('done').at(-1)?.includes('Completed') || undefined)
    watch.stop()
    expect(watch.story('pull')).toEqual([
      '0/1 Pending 0',
      '0/1 ContainerCreating 0',
      '0/1 ErrImagePull 0',
      '0/1 ImagePullBackOff 0',
      '0/1 ErrImagePull 0',
    ])
    expect(watch.story('done').at(-1)).toBe('0/1 Completed 0')
    expect(watch.story('failed').at(-1)).toBe('0/1 Error 0')
  })

  test('a Pod that is deleted under load is replaced, and every request is answered', async ({ client, emulator, clock }) => {
    await client.create(serviceKind, aService({ name: 'rude', container: RUDE }))
    const { status } = await eventually(client, serviceKind, 'rude', { status: 'True' })
    const load = startLoad(status!.url!, { concurrency: 10 })
    for (let round = 0; round < 2; round++) {
      const [before] = await readyPods(client)
      const deleted = await run(path, ['delete', 'pod', before!.metadata.name], emulator.env)
      expect(deleted).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^pod "rude-00001-deployment-\S+" deleted/) })
      await until(async () => (await readyPods(client)).some(({ metadata }) => metadata.uid !== before!.metadata.uid) || undefined)
      await pass(clock, 2)
    }
    await until(() => load.answered() > 500 || undefined)
    expect((await load.stop()).failures).toEqual([])
  })

  test('a container whose liveness probe fails is restarted, counted and told of', async ({ client, emulator, clock }) => {
    const script = `let asked = 0; require('http').createServer((q, r) => { r.statusCode = q.url === '/live' && ++asked > 2 ? 503 : 200; r.end('ok') }).listen(process.env.PORT, '127.0.0.1')`
    const livenessProbe = { httpGet: { path: '/live' }, periodSeconds: 1, failureThreshold: 2 } as never
    await client.create(
      serviceKind,
      aService({ name: 'live', container: { image: 'kn.local/shell', command: ['node', '-e', script], livenessProbe } }),
    )
    await eventually(client, serviceKind, 'live', { status: 'True' })
    const [pod] = await client.list(podKind, 'default')
    await eventuallyIs(client, podKind, pod!.metadata, 20_000, 'restarted', ({ status }) => status!.containerStatuses![0]!.restartCount > 0)
    await clock.advance(1000)
    const restarted = await eventuallyIs(client, podKind, pod!.metadata, 10_000, 'running', ({ status }) =>
      Boolean(status!.containerStatuses![0]!.state.running),
    )
    expect(restarted.status!.containerStatuses![0]!.lastState.terminated).toMatchObject({ exitCode: 143, reason: 'Error' })
    // Events are written a moment after what they tell of.
    await emulator.settled()
    const text = (await run(path, ['describe', 'pod', pod!.metadata.name], emulator.env)).stdout
    expect(text).toMatch(/Warning +Unhealthy +\S+ \(x2 over \S+\) +kubelet +Liveness probe failed: HTTP probe failed with statuscode: 503/)
    expect(text).toMatch(/Normal +Killing +\S+ +kubelet +Container user-container failed liveness probe, will be restarted/)
    expect((await run(path, ['get', 'pods'], emulator.env)).stdout).toMatch(/ 2\/2 +Running +1 \(\d+s ago\) /)
  })
})

test('kn says what a program that ends said last', async ({ kn }) => {
  const crashing = [
    '--image',
    'kn.local/shell',
    '--cmd',
    'sh',
    '--arg',
    '-c',
    '--arg',
    'echo out of luck; sleep 0.1; exit 3',
    '--wait-timeout',
    '20',
  ]
  expect((await kn(['service', 'create', 'crash', ...crashing])).exitCode).toBe(1)
  expect((await kn('revision list')).stdout).toMatch(/^crash-00001 .* ExitCode3 : Container failed with: out of luck$/m)

  expect((await kn('service create hello --image ghcr.io/knative/helloworld-go')).exitCode).toBe(0)
  const { exitCode, stderr } = await kn(['service', 'update', 'hello', ...crashing])
  expect(exitCode).toBe(1)
  expect(stderr).toContain('Error: RevisionFailed: Revision "hello-00002" failed with message: Container failed with: out of luck')
})

test('the Revision says what its container failed with, and is well again once the program runs', async ({ client }) => {
  const flag = `${process.env['TMPDIR'] ?? '/tmp'}/kn-pods-test-${process.pid}`
  const script = `test -e ${flag} && exec node -e "require('http').createServer((q, r) => r.end('ok')).listen(process.env.PORT, '127.0.0.1')"; touch ${flag}; echo not yet; exit 4`
  await client.create(serviceKind, aService({ name: 'second', container: { image: 'kn.local/shell', command: ['sh', '-c', script] } }))
  await run('rm', ['-f', flag], process.env)
  await eventually(client, serviceKind, 'second', { status: 'True' }, 20_000)
  await run('rm', ['-f', flag], process.env)
  const revision = await client.get(revisionKind, { namespace: 'default', name: 'second-00001' })
  expect(revision.status!.conditions!.find(({ type }) => type === 'ContainerHealthy')).toMatchObject({ status: 'True' })
})

test('a request in flight is answered before its program is told to end, and new ones go to another Pod at once', async ({
  client,
  clock,
}) => {
  await client.create(serviceKind, aService({ name: 'rude', container: RUDE }))
  const { status } = await eventually(client, serviceKind, 'rude', { status: 'True' })
  const [first] = await readyPods(client)
  const slow = fetchFrom(`${status!.url}/slow`)
  await realClock.sleep(100)
  await client.delete(podKind, first!.metadata)
  const leaving = await eventuallyIs(client, podKind, first!.metadata, 5000, 'draining', ({ metadata }) =>
    Boolean(metadata.deletionTimestamp),
  )
  expect(leaving.status!.containerStatuses![0]!.state.running).toBeDefined()

  const sentMs = realClock.now()
  expect(await fetchFrom(status!.url!)).toMatchObject({ status: 200, body: 'rude-00001\n' })
  expect(realClock.now() - sentMs).toBeLessThan(900)
  // The one that drains is still there: its answer is not due yet.
  expect(await client.find(podKind, first!.metadata)).toBeDefined()
  expect(await slow).toMatchObject({ status: 200, body: 'rude-00001\n' })
  await until(async () => ((await client.find(podKind, first!.metadata)) ? undefined : true), 5000, 'the end of the Pod')
  await clock.advance(1000)
})

test('a Pod without requests is told to end at once', async ({ client, emulator }) => {
  await client.create(serviceKind, aService({ name: 'rude', container: RUDE }))
  const { status } = await eventually(client, serviceKind, 'rude', { status: 'True' })
  expect((await fetchFrom(status!.url!)).status).toBe(200)
  const sentMs = realClock.now()
  await client.delete(serviceKind, { namespace: 'default', name: 'rude' })
  await until(() => processesWith(emulator.marker).length === 0 || undefined, 5000, 'the end of the processes')
  expect(realClock.now() - sentMs).toBeLessThan(2000)
})

test('draining ends with the grace period: whoever is in a hurry does not wait for requests', async ({ client }) => {
  await client.create(serviceKind, aService({ name: 'rude', container: RUDE }))
  const { status } = await eventually(client, serviceKind, 'rude', { status: 'True' })
  const [first] = await readyPods(client)
  const slower = fetchFrom(`${status!.url}/slower`)
  await realClock.sleep(100)
  await client.delete(podKind, first!.metadata)
  await realClock.sleep(200)
  expect(await client.find(podKind, first!.metadata)).toBeDefined()
  await client.delete(podKind, first!.metadata, { gracePeriodSeconds: 1 })
  expect((await slower).status).toBe(502)
  await until(async () => ((await client.find(podKind, first!.metadata)) ? undefined : true), 5000, 'the end of the Pod')
})

test('updates and scaling down lose no request', async ({ client, clock }) => {
  const service = (target: string) =>
    aService({
      name: 'rude',
      container: { ...RUDE, env: [{ name: 'TARGET', value: target }] },
      annotations: { 'autoscaling.knative.dev/initial-scale': '3' },
    })
  await client.create(serviceKind, service('one'))
  const created = await eventually(client, serviceKind, 'rude', { status: 'True' })
  expect(await readyPods(client)).toHaveLength(3)
  const load = startLoad(created.status!.url!, { concurrency: 10, slowEvery: 40 })

  for (const [target, name] of [
    ['two', 'rude-00002'],
    ['three', 'rude-00003'],
  ] as const) {
    const present = await client.get(serviceKind, { namespace: 'default', name: 'rude' })
    await client.update(serviceKind, { ...present, spec: service(target).spec as typeof present.spec })
    await eventuallyIs(client, serviceKind, present.metadata, 20_000, `at ${name}`, (now) => now.status?.latestReadyRevisionName === name)
    await load.answers(`${name}\n`)
    await pass(clock, 4)
  }
  // The first two revisions go to zero, and the third from three Pods to one.
  for (let passed = 0; passed < 200 && (await readyPods(client)).length > 1; passed += 10) await pass(clock, 10)
  expect(await readyPods(client)).toHaveLength(1)
  const { failures, answers } = await load.stop()
  expect(failures).toEqual([])
  expect(Object.keys(answers).sort()).toEqual(['rude-00001\n', 'rude-00002\n', 'rude-00003\n'])
})

test('hooks run beside the container: before it is ready, and before it is told to end', async ({ client, emulator }) => {
  const said = `${emulator.directory}/said`
  const hook = (text: string) => ({ exec: { command: ['sh', '-c', text] } })
  const lifecycle = {
    postStart: hook(`echo started >> ${said}`),
    preStop: hook(`echo stopping >> ${said}; sleep 0.3; echo done >> ${said}`),
  }
  const program = shell(`trap 'echo told >> ${said}; exit 0' TERM; while :; do sleep 0.05; done`)
  await client.create(podKind, aPod('hooked', { containers: [{ ...program, lifecycle }] }))
  const at = { namespace: 'default', name: 'hooked' }
  const isReady = ({ status }: Pod): boolean => status?.containerStatuses?.[0]?.ready === true
  await eventuallyIs(client, podKind, at, 10_000, 'ready', isReady)
  expect(readFileSync(said, 'utf8')).toBe('started\n')
  await client.delete(podKind, at)
  await until(async () => (await client.find(podKind, at)) === undefined || undefined, 10_000, 'the end')
  expect(readFileSync(said, 'utf8')).toBe('started\nstopping\ndone\ntold\n')
})
