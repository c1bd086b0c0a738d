import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { expect } from 'vitest'
import type { Client } from '../../src/client/client.js'
import { podKind } from '../../src/kinds/core/pod/kind.js'
import type { Pod } from '../../src/kinds/core/pod/schema.js'
import { coreServiceKind } from '../../src/kinds/core/service/kind.js'
import type { CoreService } from '../../src/kinds/core/service/schema.js'
import { until } from '../support/daemon.js'
import { fetchFrom, HELLO_IMAGE, type Ran, run, type TestEmulator, test } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'
import { eventuallyIs } from '../support/objects.js'

const { path: kubectl } = findKubectls().at(-1)!
const raw = (emulator: TestEmulator, path: string, ...flags: string[]): Promise<Ran> =>
  run(kubectl, ['get', '--raw', `/api/v1/namespaces/default/${path}`, ...flags], emulator.env)

/** A web server as a Pod that is ready, and its Service. */
async function startWeb(client: Client): Promise<void> {
  const namespace = 'default'
  const container = {
    name: 'web',
    image: HELLO_IMAGE,
    env: [{ name: 'TARGET', value: 'proxy' }],
    ports: [{ containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  }
  await client.create(podKind, {
    metadata: { name: 'web', namespace, labels: { app: 'web' } },
    spec: { containers: [container] },
  } as never as Pod)
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'other', port: 81, targetPort: 9 },
  ]
  await client.create(coreServiceKind, {
    metadata: { name: 'web', namespace },
    spec: { selector: { app: 'web' }, ports },
  } as never as CoreService)
  const isReady = ({ status }: Pod): boolean => status?.containerStatuses?.every(({ ready }) => ready) ?? false
  await eventuallyIs(client, podKind, { namespace, name: 'web' }, 10_000, 'ready', isReady)
}

test('Pods and Services answer below the API, by number and by name of a port', async ({ client, emulator }) => {
  await startWeb(client)
  await until(async () => (await raw(emulator, 'services/web:80/proxy/')).exitCode === 0 || undefined, 10_000, 'the endpoints')
  for (const path of [
    'pods/web/proxy/',
    'pods/web:8080/proxy/',
    'services/web:80/proxy/a//b?c=%2F',
    'services/web:http/proxy/',
    'services/http:web:http/proxy/',
  ])
    expect(await raw(emulator, path), path).toEqual({ exitCode: 0, stdout: 'Hello proxy!\n', stderr: '' })
})

test('what is not there says so, and no port of this machine is reached', async ({ client, emulator }) => {
  await startWeb(client)
  const own = createServer((_request, response) => response.end('not for you'))
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve))
  const { port } = own.address() as { port: number }
  try {
    for (const [path, why] of [
      ['services/nobody/proxy/', 'services "nobody" not found'],
      ['pods/nobody/proxy/', 'pods "nobody" not found'],
      ['services/web:82/proxy/', 'no service port 82 found for service "web"'],
      ['services/a:b:c:d/proxy/', 'invalid service request "a:b:c:d"'],
      [`pods/web:${port}/proxy/`, 'connect: connection refused'],
    ] as const) {
      const { exitCode, stderr } = await raw(emulator, path)
      expect({ exitCode, stderr }, path).toEqual({ exitCode: 1, stderr: expect.stringContaining(why) })
    }
  } finally {
    own.close()
  }
})

test('it takes the right to the subresource', async ({ client, emulator }) => {
  await startWeb(client)
  await run(kubectl, ['create', 'role', 'reader', '--verb=get', '--resource=pods,services'], emulator.env)
  await run(kubectl, ['create', 'rolebinding', 'reader', '--role=reader', '--serviceaccount=default:default'], emulator.env)
  const token = (await run(kubectl, ['create', 'token', 'default'], emulator.env)).stdout.trim()
  const asked = await raw(
    emulator,
    'pods/web/proxy/',
    '--token',
    token,
    '--kubeconfig',
    '/dev/null',
    '--insecure-skip-tls-verify',
    '--server',
    `https://127.0.0.1:${emulator.ports.control}`,
  )
  expect(asked.exitCode).toBe(1)
  expect(asked.stderr).toContain('cannot get resource "pods/proxy" in API group "" in the namespace "default"')
})

test('kubectl proxy leads there as well, with what a request carries', async ({ client, emulator }) => {
  await startWeb(client)
  const proxy = spawn(kubectl, ['proxy', '--port=0'], { env: emulator.env })
  let said = ''
  proxy.stdout.on('data', (bytes) => {
    said += bytes
  })
  try {
    const address = await until(() => /127\.0\.0\.1:\d+/.exec(said)?.[0], 10_000, 'kubectl proxy')
    const base = `http://${address}/api/v1/namespaces/default/pods/web/proxy`
    expect(await fetchFrom(`${base}/`, { method: 'POST', body: 'anything' })).toMatchObject({ status: 200, body: 'Hello proxy!\n' })
    expect(await fetchFrom(base)).toMatchObject({ status: 301, headers: { location: expect.stringMatching(/\/pods\/web\/proxy\/$/) } })
  } finally {
    proxy.kill()
  }
})

test('an event reaches a Broker through the Service of its ingress', async ({ emulator }) => {
  await run(kubectl, ['create', '-f', '-'], emulator.env, {
    input: '{"apiVersion":"eventing.knative.dev/v1","kind":"Broker","metadata":{"name":"default","namespace":"default"}}',
  })
  await run(kubectl, ['wait', 'broker/default', '--for=condition=Ready', '--timeout=20s'], emulator.env)
  const event = { specversion: '1.0', id: '1', type: 'test', source: 'here' }
  const path = '/api/v1/namespaces/knative-eventing/services/broker-ingress:80/proxy/default/default'
  const address = `https://127.0.0.1:${emulator.ports.control}${path}`
  const headers = ['-H', 'Content-Type: application/cloudevents+json', '-H', `Authorization: Bearer ${emulator.token}`]
  const sent = await run(
    'curl',
    ['-sk', '-o', '/dev/null', '-w', '%{http_code}', ...headers, '-d', JSON.stringify(event), address],
    emulator.env,
  )
  expect(sent.stdout).toBe('202')
})
