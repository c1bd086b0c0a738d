import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { refusals } from '../../../src/apimachinery/status-error.js'
import type { Service } from '../../../src/kinds/service/schema.js'
import { type FakeApiServer, json, startFakeApiServer } from '../client/fake-api-server.js'
import { emulatorKubeconfig } from '../client/kubeconfigs.js'
import { runKn } from './run-kn.js'

let home: string
let server: FakeApiServer
/** What the server holds, by name. */
const services = new Map<string, Service>()
/** Whether what is written becomes ready by itself. */
let becomesReady = true

const kn = (...argv: string[]) => runKn(argv, { HOME: home, KUBECONFIG: join(home, 'kubeconfig') })
const list = (kind: string, items: readonly unknown[]) => ({
  kind: `${kind}List`,
  apiVersion: 'serving.knative.dev/v1',
  metadata: { resourceVersion: '1' },
  items,
})

function ready(service: Service, generation: number): Service {
  const { name } = service.metadata
  const status = becomesReady ? ('True' as const) : ('False' as const)
  const revision = `${name}-0000${generation}`
  const conditions = ['ConfigurationsReady', 'Ready', 'RoutesReady'].map((type) => ({
    type,
    status,
    reason: 'Broken',
    message: 'it does not work',
  }))
  return {
    ...service,
    metadata: { ...service.metadata, generation, resourceVersion: String(generation), uid: 'u', creationTimestamp: '2020-01-01T00:00:00Z' },
    status: {
      observedGeneration: generation,
      url: `http://${name}.default.localhost:19080`,
      latestReadyRevisionName: revision,
      latestCreatedRevisionName: revision,
      traffic: [{ latestRevision: true, percent: 100, revisionName: revision }],
      conditions,
    },
  }
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'kn-commands-'))
  const socket = join(home, 'api.sock')
  writeFileSync(join(home, 'kubeconfig'), emulatorKubeconfig({ socket }))
  server = await startFakeApiServer(
    ({ method, path, body }, response) => {
      const name = /\/services\/([^/?]+)/.exec(path)?.[1]
      const notFound = (): void =>
        json(response, 404, refusals.notFound({ group: 'serving.knative.dev', plural: 'services' }, name!).status)
      if (/\/(routes|revisions)(\?|$)/.test(path)) return json(response, 200, list('X', []))
      if (/[?&]watch=true/.test(path)) return void response.writeHead(200).flushHeaders()
      if (method === 'POST') {
        const made = ready(JSON.parse(body) as Service, 1)
        services.set(made.metadata.name, made)
        return json(response, 201, made, { Warning: ['299 - "mind the gap"', '299 - "mind the gap"'] })
      }
      if (!name) return json(response, 200, list('Service', [...services.values()]))
      const present = services.get(name)
      if (!present) return notFound()
      if (method === 'PUT') {
        const next = JSON.parse(body) as Service
        const isSame = JSON.stringify(next.spec) === JSON.stringify(present.spec)
        services.set(name, ready(next, present.metadata.generation! + (isSame ? 0 : 1)))
      }
      if (method === 'DELETE') {
        services.delete(name)
        return json(response, 200, { kind: 'Status', status: 'Success' })
      }
      return json(response, 200, services.get(name))
    },
    { socket },
  )
})
afterAll(async () => {
  await server.close()
  rmSync(home, { recursive: true, force: true })
})
beforeEach(() => {
  becomesReady = true
})
afterEach(() => {
  services.clear()
  server.asked.length = 0
})

const CREATED = `Creating service 'hello' in namespace 'default':

  0.000s Ready to serve.

Service 'hello' created to latest revision 'hello-00001' is available at URL:
http://hello.default.localhost:19080
`
/** How long a command took is nothing to compare. */
const timeless = (text: string): string => text.replaceAll(/\d+\.\d{3}s/g, '0.000s')

test('service create waits and says where the service is; warnings of the server appear once, on standard error', async () => {
  const { exitCode, stdout, stderr } = await kn('service', 'create', 'hello', '--image', 'example.org/hello', '--env', 'A=1')
  expect({ exitCode, stdout: timeless(stdout), stderr }).toEqual({ exitCode: 0, stdout: CREATED, stderr: 'Warning: mind the gap\n' })
  expect(services.get('hello')?.spec.template.spec.containers).toEqual([{ image: 'example.org/hello', env: [{ name: 'A', value: '1' }] }])
  expect(server.asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /apis/serving.knative.dev/v1/namespaces/default/services/hello',
    'POST /apis/serving.knative.dev/v1/namespaces/default/services?fieldManager=kn',
    'GET /apis/serving.knative.dev/v1/namespaces/default/services/hello',
  ])
  expect(server.asked[0]!.headers).toMatchObject({ authorization: 'Bearer secret', host: '127.0.0.1:19443' })
})

test('service create does not touch a service that exists, unless --force replaces it', async () => {
  await kn('service', 'create', 'hello', '--image', 'a', '--env', 'A=1')
  const again = await kn('service', 'create', 'hello', '--image', 'b')
  expect(again).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `Error: cannot create service 'hello' in namespace 'default' because the service already exists and no --force option was given\nRun 'kn --help' for usage\n`,
  })
  const forced = await kn('service', 'create', 'hello', '--image', 'b', '--force')
  expect(timeless(forced.stdout)).toBe(
    CREATED.replace('Creating', 'Replacing').replace('created', 'replaced').replace('hello-00001', 'hello-00002'),
  )
  expect(services.get('hello')?.spec.template.spec.containers).toEqual([{ image: 'b' }])
})

test('service create --no-wait says that it was created and nothing more', async () => {
  expect(await kn('service', 'create', 'hello', '--image', 'a', '--no-wait', '-n', 'demo')).toMatchObject({
    exitCode: 0,
    stdout: "Service 'hello' created in namespace 'demo'.\n",
  })
})

test('service create fails when the service stays not ready for the window', async () => {
  becomesReady = false
  const { exitCode, stdout, stderr } = await kn('service', 'create', 'hello', '--image', 'a', '--wait-window', '0')
  expect({ exitCode, stdout: timeless(stdout), stderr }).toEqual({
    exitCode: 1,
    stdout: "Creating service 'hello' in namespace 'default':\n\n  0.000s it does not work\n",
    stderr: "Warning: mind the gap\nError: Broken: it does not work\nRun 'kn --help' for usage\n",
  })
})

test('service create takes a file, and flags change what it says', async () => {
  const file = join(home, 'service.yaml')
  writeFileSync(
    file,
    'apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: hello\n  namespace: elsewhere\nspec:\n  template:\n    spec:\n      containers:\n      - image: from-file\n        env:\n        - name: A\n          value: "1"\n',
  )
  await kn('service', 'create', '-f', file, '--env', 'B=2', '--no-wait')
  expect(services.get('hello')).toMatchObject({
    metadata: { namespace: 'default' },
    spec: {
      template: {
        spec: {
          containers: [
            {
              image: 'from-file',
              env: [
                { name: 'A', value: '1' },
                { name: 'B', value: '2' },
              ],
            },
          ],
        },
      },
    },
  })
  expect(await kn('service', 'create', 'other', '-f', file)).toMatchObject({
    stderr: expect.stringContaining("provided service name 'other' doesn't match name from file 'hello'"),
  })
})

test('service update makes a new revision, or says that there is none', async () => {
  await kn('service', 'create', 'hello', '--image', 'a')
  const updated = await kn('service', 'update', 'hello', '--env', 'A=2')
  expect(timeless(updated.stdout)).toBe(
    CREATED.replace('Creating service', 'Updating Service').replace('created', 'updated').replace('hello-00001', 'hello-00002'),
  )
  const labelled = await kn('service', 'update', 'hello', '--cluster-local')
  expect(labelled.stdout).toBe("Service 'hello' updated in namespace 'default'.\nNo new revision has been created.\n")
  expect(services.get('hello')?.metadata.labels).toEqual({ 'networking.knative.dev/visibility': 'cluster-local' })
})

test('service update sets traffic and tags', async () => {
  await kn('service', 'create', 'hello', '--image', 'a')
  await kn('service', 'update', 'hello', '--tag', '@latest=current', '--traffic', 'hello-00001=40,@latest=60', '--no-wait')
  expect(services.get('hello')?.spec.traffic).toEqual([
    { latestRevision: true, percent: 60, tag: 'current' },
    { revisionName: 'hello-00001', latestRevision: false, percent: 40 },
  ])
})

test('service delete goes on after an error and fails at the end', async () => {
  await kn('service', 'create', 'a', '--image', 'i', '--no-wait')
  await kn('service', 'create', 'b', '--image', 'i', '--no-wait')
  expect(await kn('service', 'delete', 'a', 'ghost', 'b', 'spook')).toEqual({
    exitCode: 1,
    stdout: "Service 'a' successfully deleted in namespace 'default'.\nService 'b' successfully deleted in namespace 'default'.\n",
    stderr: `Error: services.serving.knative.dev "ghost" not found\nError: services.serving.knative.dev "spook" not found\nRun 'kn --help' for usage\n`,
  })
  expect(await kn('service', 'delete', '--all')).toMatchObject({ exitCode: 0, stdout: 'No services found.\n' })
})

test('lists print their table, an empty one its sentence, and with -o an empty list', async () => {
  expect(await kn('service', 'list')).toMatchObject({ exitCode: 0, stdout: 'No services found.\n' })
  expect(JSON.parse((await kn('service', 'list', '-o', 'json')).stdout)).toEqual({
    apiVersion: 'serving.knative.dev/v1',
    items: [],
    kind: 'ServiceList',
  })
  expect(await kn('revision', 'list')).toMatchObject({ stdout: 'No revisions found.\n' })
  expect(await kn('route', 'list')).toMatchObject({ stdout: 'No routes found.\n' })
  await kn('service', 'create', 'hello', '--image', 'i', '--no-wait')
  const { stdout } = await kn('service', 'ls', '-A')
  // Only the age differs from one day to the next.
  expect(stdout.replace(/\S+( +)3 OK/, 'AGE$13 OK').replaceAll(/ {3,}/g, '   ')).toBe(
    'NAMESPACE   NAME   URL   LATEST   AGE   CONDITIONS   READY   REASON\ndefault   hello   http://hello.default.localhost:19080   hello-00001   AGE   3 OK / 3   True   \n',
  )
  expect((await kn('service', 'list', '--no-headers')).stdout).toMatch(/^hello /)
})

test('a command that is told to log writes to standard error and still prints its result', async () => {
  const { stdout, stderr } = await kn('service', 'list', '--log-http')
  expect(stdout).toBe('No services found.\n')
  expect(stderr).toContain('Authorization: ********')
})
