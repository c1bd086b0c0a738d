import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.js'
import { fetchFrom, run, startTestEmulator } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

const MANIFESTS = join(process.cwd(), 'templates', 'manifests')
const kubectls = findKubectls()
console.log(`kubectl: ${kubectls.map(({ version }) => version).join(', ') || 'none found'}`)

test('there is a kubectl to test with', () => {
  expect(kubectls.length).toBeGreaterThan(0)
})

describe.each(kubectls)('kubectl $version', ({ path, version }) => {
  let emulator: Awaited<ReturnType<typeof startTestEmulator>>
  const kubectl = async (...args: string[]) => run(path, args, emulator.env)
  const ok = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubectl(...args)
    expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
    return stdout
  }
  const isAtLeast = (minor: number): boolean => Number(/^v1\.(\d+)/.exec(version)![1]) >= minor

  beforeAll(async () => {
    emulator = await startTestEmulator()
    await ok('apply', '-f', join(MANIFESTS, 'hello.yaml'))
    await ok('wait', '--for=condition=Ready', 'ksvc/hello', '--timeout=30s')
  })
  afterAll(async () => {
    await emulator.close()
  })

  test('get shows every kind of a service with the columns of a cluster', async () => {
    const text = await ok('get', 'ksvc,revisions,routes,configurations,pods,deployments', '-A')
    const headers = text
      .split('\n')
      .filter((line) => line.startsWith('NAMESPACE'))
      .map((line) => line.split(/\s{2,}|\s(?=[A-Z])/).join(' '))
    expect(headers).toEqual([
      'NAMESPACE NAME URL LATESTCREATED LATESTREADY READY REASON',
      'NAMESPACE NAME CONFIG NAME GENERATION READY REASON ACTUAL REPLICAS DESIRED REPLICAS',
      'NAMESPACE NAME URL READY REASON',
      'NAMESPACE NAME LATESTCREATED LATESTREADY READY REASON',
      'NAMESPACE NAME READY STATUS RESTARTS AGE',
      'NAMESPACE NAME READY UP-TO-DATE AVAILABLE AGE',
    ])
    expect(text).toMatch(
      /^default +service.serving.knative.dev\/hello +http:\/\/hello\.default\.localhost:\d+ +hello-00001 +hello-00001 +True *$/m,
    )
    expect(text).toMatch(/^default +pod\/hello-00001-deployment-[a-z0-9]+-[a-z0-9]{5} +2\/2 +Running +0 +\d+s$/m)
    expect(text).toMatch(/^default +deployment.apps\/hello-00001-deployment +1\/1 +1 +1 +\d+s$/m)
  })

  test('the service answers under the URL that get shows', async () => {
    const url = await ok('get', 'ksvc', 'hello', '-o', 'jsonpath={.status.url}')
    expect(await fetchFrom(url)).toMatchObject({ status: 200, body: 'Hello World!\n' })
  })

  test('get -o wide, yaml, json, name and jsonpath', async () => {
    expect((await ok('get', 'pods', '-o', 'wide')).split('\n')[0]).toMatch(
      /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES *$/,
    )
    expect((await ok('get', 'deployments', '-o', 'wide')).split('\n')[0]).toMatch(/AGE +CONTAINERS +IMAGES +SELECTOR *$/)
    expect(await ok('get', 'ksvc', 'hello', '-o', 'yaml')).toContain('apiVersion: serving.knative.dev/v1\nkind: Service\n')
    const list = JSON.parse(await ok('get', 'revisions', '-o', 'json')) as { items: { metadata: { name: string } }[] }
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['hello-00001'])
    expect(await ok('get', 'rt', '-o', 'name')).toBe('route.serving.knative.dev/hello\n')
    expect(await ok('get', 'cfg', '-o', 'jsonpath={range .items[*]}{.metadata.name}:{.status.latestReadyRevisionName}{"\\n"}{end}')).toBe(
      'hello:hello-00001\n',
    )
  })

  test('describe tells the story of a service and of a pod', async () => {
    const service = await ok('describe', 'ksvc', 'hello')
    expect(service).toContain('Latest Ready Revision Name:')
    expect(service).toMatch(/Normal +Created +.*Created Configuration "hello"/)
    const pod = await ok('describe', 'pods', '-l', 'serving.knative.dev/service=hello')
    expect(pod).toMatch(/^Node: +kn-local\/127\.0\.0\.1$/m)
    expect(pod).toMatch(/Normal +Started +\S+ +kubelet +Container started/)
  })

  test('get events shows what happened to what, without names', async () => {
    const text = await ok('get', 'events')
    expect(text.split('\n')[0]).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE *$/)
    expect(text).toMatch(/Normal +Created +service\/hello +Created Configuration "hello"/)
  })

  test('get -w shows a change as it happens', async () => {
    const child = spawn(path, ['get', 'configmaps', '-n', 'default', '-w', '-o', 'name'], { env: emulator.env })
    let seen = ''
    child.stdout.on('data', (bytes) => {
      seen += bytes
    })
    try {
      await until(() => seen.includes('kube-root-ca.crt') || undefined)
      await emulator.client.create(
        { group: '', version: 'v1', kind: 'ConfigMap', plural: 'configmaps', singular: 'configmap', namespaced: true },
        { metadata: { name: 'watched', namespace: 'default' } },
      )
      await until(() => seen.includes('configmap/watched') || undefined)
      expect(seen.trim().split('\n').at(-1)).toBe('configmap/watched')
    } finally {
      child.kill()
      await ok('delete', 'configmap', 'watched')
    }
  })

  test('apply creates, changes and leaves alone; delete takes all that belongs to it', async () => {
    const file = join(MANIFESTS, 'hello.yaml')
    // kubectl says `configured` since its patch replaces the list of containers, which the server had filled in; nothing is stored.
    const version = await ok('get', 'ksvc', 'hello', '-o', 'jsonpath={.metadata.resourceVersion}')
    expect(await ok('apply', '-f', file)).toBe('service.serving.knative.dev/hello configured\n')
    expect(await ok('get', 'ksvc', 'hello', '-o', 'jsonpath={.metadata.resourceVersion}')).toBe(version)
    await ok(
      'patch',
      'ksvc',
      'hello',
      '--type=merge',
      '-p',
      '{"spec":{"template":{"spec":{"containers":[{"image":"ghcr.io/knative/helloworld-go","env":[{"name":"TARGET","value":"You"}]}]}}}}',
    )
    await ok('wait', '--for=jsonpath={.status.latestReadyRevisionName}=hello-00002', 'ksvc/hello', '--timeout=30s').catch(async () => {
      // kubectl before 1.23 waits for conditions only.
      await until(async () =>
        (await ok('get', 'ksvc', 'hello', '-o', 'jsonpath={.status.latestReadyRevisionName}')) === 'hello-00002' ? true : undefined,
      )
    })
    expect(await ok('apply', '-f', file)).toBe('service.serving.knative.dev/hello configured\n')

    await ok('create', 'configmap', 'settings', '--from-literal=a=1', '--dry-run=client', '-o', 'yaml')
    const other = `${emulator.directory}/other.yaml`
    const { writeFileSync } = await import('node:fs')
    writeFileSync(
      other,
      'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: other\nspec:\n  template:\n    spec:\n      containers:\n        - image: ghcr.io/knative/helloworld-go\n',
    )
    expect(await ok('apply', '-f', other)).toBe('service.serving.knative.dev/other created\n')
    await ok('wait', '--for=condition=Ready', 'ksvc/other', '--timeout=30s')
    expect(await ok('delete', '-f', other)).toBe('service.serving.knative.dev "other" deleted\n')
    await until(
      async () => ((await ok('get', 'revisions,pods,deployments,kingress', '-o', 'name')).includes('other') ? undefined : true),
      40_000,
    )
  })

  test('api-resources lists the kinds with their short names and verbs', async () => {
    const text = await ok('api-resources', '-o', 'wide')
    expect(text).toMatch(/^services +kservice,ksvc +serving\.knative\.dev\/v1 +true +Service +/m)
    expect(text).toMatch(/^pods +po +v1 +true +Pod +/m)
    expect(await ok('api-resources', '--api-group=apps', '-o', 'name')).toBe(
      'controllerrevisions.apps\ndaemonsets.apps\ndeployments.apps\nreplicasets.apps\nstatefulsets.apps\n',
    )
  })

  test('explain knows fields of Knative and of Kubernetes', async () => {
    if (isAtLeast(27)) expect(await ok('explain', 'ksvc.spec.template.spec.containerConcurrency')).toMatch(/containerConcurrency/)
    if (isAtLeast(27)) expect(await ok('explain', 'deployment.spec.replicas')).toMatch(/replicas/)
  })

  test('what is refused says why in the server’s words', async () => {
    const missing = await kubectl('get', 'ksvc', 'ghost')
    expect(missing).toMatchObject({ exitCode: 1, stderr: 'Error from server (NotFound): services.serving.knative.dev "ghost" not found\n' })
    const file = `${emulator.directory}/bad.yaml`
    const { writeFileSync } = await import('node:fs')
    writeFileSync(
      file,
      'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: bad\nspec:\n  template:\n    spec:\n      timeoutSeconds: 700\n      containers:\n        - image: ghcr.io/knative/helloworld-go\n',
    )
    const refused = await kubectl('create', '-f', file)
    expect(refused.exitCode).toBe(1)
    expect(refused.stderr).toContain(
      'admission webhook "validation.webhook.serving.knative.dev" denied the request: validation failed: expected 0 <= 700 <= 600: spec.template.spec.timeoutSeconds',
    )
  })
})
