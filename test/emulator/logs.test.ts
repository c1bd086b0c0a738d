import { spawn } from 'node:child_process'
import { describe, expect } from 'vitest'
import { createSystemClock } from '../../src/base/clock.js'
import type { Client } from '../../src/client/client.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { deploymentKind } from '../../src/kinds/core/deployment/kind.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import type { Pod } from '../../src/kinds/core/pod/schema.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { until } from '../support/daemon.js'
import { fetchFrom, type Ran, run, type TestEmulator, test } from '../support/emulator.js'
import { findKubectls, type Kubectl } from '../support/kubectl.js'
import { aService, eventually, eventuallyIs } from '../support/objects.js'

const kubectls = findKubectls()
const oldestAndNewest = [...new Set([kubectls[0]!, kubectls.at(-1)!])]
const realClock = createSystemClock()

const shell = (script: string, name = 'main') => ({ name, image: 'kn.local/shell', command: ['sh', '-c', script] })
const aPod = (name: string, spec: object) => ({ metadata: { name, namespace: 'default', labels: { app: name } }, spec }) as never as Pod

/** A Pod whose containers have all begun to run, or have ended. */
async function startPod(client: Client, pod: Pod): Promise<Pod> {
  await client.create(podKind, pod)
  const started = ({ status }: Pod): boolean =>
    status?.containerStatuses?.every(({ state }) => state.running !== undefined || state.terminated !== undefined) ?? false
  return eventuallyIs(client, podKind, { namespace: 'default', name: pod.metadata.name }, 10_000, 'started', started)
}

/** A kubectl that goes on until it is stopped or comes to its end. */
function following({ path }: Kubectl, emulator: TestEmulator, ...args: string[]) {
  const child = spawn(path, ['logs', ...args], { env: emulator.env })
  let text = ''
  child.stdout.on('data', (bytes) => {
    text += bytes
  })
  const ended = new Promise<number | null>((resolve) => void child.once('close', resolve))
  return {
    text: () => text,
    says: (what: string) => until(() => text.includes(what) || undefined, 10_000, what),
    ended,
    stop: () => child.kill(),
  }
}

const logs = ({ path }: Kubectl, { env }: TestEmulator, ...args: string[]): Promise<Ran> => run(path, ['logs', ...args], env)

async function configure(client: Client, data: Record<string, string | null>): Promise<void> {
  const config = { namespace: 'knative-serving', name: 'config-observability' }
  await client.patch(configMapKind, config, { type: 'application/merge-patch+json', body: { data } })
}

describe.each(oldestAndNewest)('kubectl $version', (kubectl) => {
  test('logs gives what was asked for: the end, since when, with times, up to a size', async ({ client, emulator }) => {
    await startPod(client, aPod('talk', { containers: [shell('echo one; echo two >&2; sleep 1.2; echo grüße; exec sleep 300')] }))
    await until(async () => (await logs(kubectl, emulator, 'talk')).stdout.includes('grüße') || undefined)
    const text = async (...args: string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await logs(kubectl, emulator, ...args)
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
      return stdout
    }
    expect(await text('talk')).toBe('one\ntwo\ngrüße\n')
    expect(await text('talk', '-c', 'main', '--tail=2')).toBe('two\ngrüße\n')
    expect(await text('talk', '--tail=0')).toBe('')
    expect(await text('talk', '--limit-bytes=6')).toBe('one\ntw')
    expect(await text('talk', '--limit-bytes=8')).toBe('one\ntwo\n')

    const timed = await text('talk', '--timestamps')
    const lines = timed.split('\n').map((line) => /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (.*)$/.exec(line))
    expect(lines.map((line) => line?.[2])).toEqual(['one', 'two', 'grüße', undefined])
    expect(await text('talk', `--since-time=${lines[2]![1]!}`)).toBe('grüße\n')
    expect(await text('talk', `--since-time=${lines[2]![1]!.slice(0, 19)}Z`, '--tail=1')).toBe('grüße\n')
    expect(await text('talk', '--since=1h')).toBe('one\ntwo\ngrüße\n')
    await realClock.sleep(1100)
    expect(await text('talk', '--since=1s')).toBe('')
  })

  test('logs of several containers, Pods and of what owns them', async ({ client, emulator }) => {
    await startPod(
      client,
      aPod('pair', { containers: [shell('echo from a; exec sleep 300', 'a'), shell('echo from b; exec sleep 300', 'b')] }),
    )
    const template = {
      metadata: { labels: { app: 'pair' } },
      spec: { containers: [shell('echo from a Pod of two; exec sleep 300', 'a')] },
    }
    await client.create(deploymentKind, {
      metadata: { name: 'two', namespace: 'default' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'pair' } }, template },
    } as never)
    await until(
      async () => (await client.list(podKind, 'default')).filter(({ status }) => status?.phase === 'Running').length === 3 || undefined,
    )
    await until(async () => (await logs(kubectl, emulator, 'pair', '-c', 'b')).stdout === 'from b\n' || undefined)
    expect((await logs(kubectl, emulator, 'pair', '-c', 'a')).stdout).toBe('from a\n')
    const missing = await logs(kubectl, emulator, 'pair', '-c', 'ghost')
    expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('container ghost is not valid for pod pair') })
    // kubectl 1.20 asks for all at once.
    expect((await logs(kubectl, emulator, 'pair', '--all-containers')).stdout.split('\n').sort()).toEqual(['', 'from a', 'from b'])

    await until(async () => (await logs(kubectl, emulator, '-l', 'app=pair', '-c', 'a')).stdout.split('\n').length === 4 || undefined)
    const labelled = (await logs(kubectl, emulator, '-l', 'app=pair', '--all-containers', '--prefix')).stdout.trimEnd().split('\n').sort()
    expect(labelled).toEqual([
      '[pod/pair/a] from a',
      '[pod/pair/b] from b',
      expect.stringMatching(/^\[pod\/two-\w+-\w+\/a\] from a Pod of two$/),
      expect.stringMatching(/^\[pod\/two-\w+-\w+\/a\] from a Pod of two$/),
    ])
    const { stdout, stderr } = await logs(kubectl, emulator, 'deployment/two', '-c', 'a')
    expect(stdout).toMatch(/^from a( Pod of two)?\n$/)
    expect(stderr).toMatch(/^Found \d pods, using pod\//)
  })

  test('logs -f follows until the container ends, and across the end of its Pod', async ({ client, emulator }) => {
    const polite = `process.on('SIGTERM', () => { console.log('going'); process.exit() }); console.log('up'); setInterval(() => {}, 1e6)`
    const pod = await startPod(client, aPod('live', { containers: [{ ...shell(''), command: ['node', '-e', polite] }] }))
    const follower = following(kubectl, emulator, '-f', 'live')
    await follower.says('up')
    await client.delete(podKind, pod.metadata)
    expect(await follower.ended).toBe(0)
    expect(follower.text()).toBe('up\ngoing\n')

    await startPod(client, aPod('short', { restartPolicy: 'Never', containers: [shell('echo begun; sleep 0.5; echo done')] }))
    const short = following(kubectl, emulator, '-f', 'short')
    expect(await short.ended).toBe(0)
    expect(short.text()).toBe('begun\ndone\n')
  })

  test('logs --previous is of the run before; where there was none it says so', async ({ client, emulator, clock }) => {
    const counting = 'cd "$HOME"; echo x >> runs; n=$(wc -l < runs); echo run $n; test $n -ge 4 && exec sleep 300; exit 1'
    await startPod(client, aPod('once', { containers: [shell('echo hello; exec sleep 300')] }))
    expect(await logs(kubectl, emulator, 'once', '--previous')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('previous terminated container "main" in pod "once" not found'),
    })

    await client.create(podKind, aPod('again', { containers: [shell(counting)] }))
    const at = (what: string, holds: (status: NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]) => boolean) =>
      eventuallyIs(client, podKind, { namespace: 'default', name: 'again' }, 10_000, what, ({ status }) =>
        Boolean(status?.containerStatuses?.[0] && holds(status.containerStatuses[0])),
      )
    await at('in its first back-off', ({ state, restartCount }) => state.waiting?.reason === 'CrashLoopBackOff' && restartCount === 1)
    expect((await logs(kubectl, emulator, 'again')).stdout).toBe('run 2\n')
    expect((await logs(kubectl, emulator, 'again', '-p')).stdout).toBe('run 2\n')
    await clock.advance(10_000)
    await at('in its second back-off', ({ state, restartCount }) => state.waiting?.reason === 'CrashLoopBackOff' && restartCount === 2)
    await clock.advance(20_000)
    await at('running', ({ state, restartCount }) => state.running !== undefined && restartCount === 3)
    await until(async () => (await logs(kubectl, emulator, 'again')).stdout === 'run 4\n' || undefined)
    expect((await logs(kubectl, emulator, 'again', '-p')).stdout).toBe('run 3\n')
  })

  test('a service’s logs are those of its program; its queue-proxy has said nothing', async ({ client, emulator }) => {
    await client.create(serviceKind, aService({ name: 'hello' }))
    const { status } = await eventually(client, serviceKind, 'hello', { status: 'True' })
    expect((await fetchFrom(status!.url!)).status).toBe(200)
    const [pod] = await client.list(podKind, 'default')
    const { name } = pod!.metadata
    expect(await logs(kubectl, emulator, name, '-c', 'queue-proxy')).toMatchObject({ exitCode: 0, stdout: '' })
    expect((await logs(kubectl, emulator, name, '-c', 'user-container')).stdout).toContain('helloworld: received a request')
    expect(
      (await logs(kubectl, emulator, '-l', 'serving.knative.dev/service=hello', '-c', 'user-container', '--tail=-1')).stdout,
    ).toContain('helloworld: starting server...')
    const raw = await run(kubectl.path, ['get', '--raw', `/api/v1/namespaces/default/pods/${name}/log`], emulator.env)
    expect(raw.exitCode).toBe(1)
    expect(raw.stderr).toContain(`a container name must be specified for pod ${name}, choose one of: [user-container queue-proxy]`)
    const minor = Number(/^v1\.(\d+)/.exec(kubectl.version)![1])
    // Knative names the default container in an annotation that kubectl reads from 1.21 on.
    const plain = await logs(kubectl, emulator, name)
    if (minor >= 21) expect(plain.stdout).toContain('helloworld: received a request')
    else expect(plain.stderr).toContain(`a container name must be specified for pod ${name}, choose one of: [user-container queue-proxy]`)
  })

  test('the request log is in the queue-proxy’s log from when it is switched on to when it is switched off', async ({
    client,
    emulator,
  }) => {
    await client.create(serviceKind, aService({ name: 'echo', container: { image: 'kn.local/echo' } }))
    const { status } = await eventually(client, serviceKind, 'echo', { status: 'True' })
    const url = status!.url!
    const [pod] = await client.list(podKind, 'default')
    const ask = (path: string, init: Parameters<typeof fetchFrom>[1] = {}) => fetchFrom(`${url}${path}`, init)
    const lines = async (): Promise<string[]> =>
      (await logs(kubectl, emulator, pod!.metadata.name, '-c', 'queue-proxy')).stdout.split('\n').slice(0, -1)
    const settled = async (): Promise<void> => realClock.sleep(50)

    await ask('/before')
    await configure(client, { 'logging.enable-request-log': 'true' })
    await settled()
    const follower = following(kubectl, emulator, '-f', pod!.metadata.name, '-c', 'queue-proxy')
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const { body } = await ask('/path?q=<1>', {
      method: 'POST',
      body: 'four',
      headers: { 'user-agent': 'tests/"1.0"', referer: 'http://from.test/', traceparent, 'content-length': '4' },
    })
    await follower.says('tests/')
    const [first, ...others] = await lines()
    expect(others).toEqual([])
    const { httpRequest, traceId } = JSON.parse(first!) as { httpRequest: Record<string, string>; traceId: string }
    expect(httpRequest).toEqual({
      requestMethod: 'POST',
      requestUrl: '/path?q=%3C1%3E',
      requestSize: '4',
      status: 200,
      responseSize: String(Buffer.byteLength(body)),
      userAgent: 'tests/"1.0"',
      remoteIp: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      serverIp: pod!.status!.podIP,
      referer: 'http://from.test/',
      latency: expect.stringMatching(/^\d+(\.\d+)?s$/),
      protocol: 'HTTP/1.1',
    })
    expect(traceId).toBe('0af7651916cd43dd8448eb211c80319c')

    // Probes only when they are asked for, and any template.
    await ask('/probe', { headers: { 'user-agent': 'kube-probe/1.35' } })
    const template =
      '{{if .Request.UserAgent}}{{printf "%s %d" .Request.RequestURI .Response.Code}}{{else}}nobody{{end}} {{.Revision.Name}} of {{.Revision.Service}}'
    await configure(client, { 'logging.request-log-template': template, 'logging.enable-probe-request-log': 'true' })
    await settled()
    await ask('/probe', { headers: { 'user-agent': 'kube-probe/1.35' } })
    await ask('/plain')
    await follower.says('nobody')
    expect((await lines()).slice(1)).toEqual(['/probe 200 echo-00001 of echo', 'nobody echo-00001 of echo'])

    await configure(client, { 'logging.enable-request-log': 'false' })
    await settled()
    await ask('/after')
    expect(await lines()).toHaveLength(3)
    await configure(client, { 'logging.enable-request-log': 'true', 'logging.request-log-template': 'last: {{.Request.RequestURI}}' })
    await settled()

    // The last request is in the log although its Pod is on its way out, and the log ends with the Pod.
    await ask('/goodbye')
    await client.delete(serviceKind, { namespace: 'default', name: 'echo' })
    expect(await follower.ended).toBe(0)
    expect(follower.text().trimEnd().split('\n').at(-1)).toBe('last: /goodbye')
  })
})
