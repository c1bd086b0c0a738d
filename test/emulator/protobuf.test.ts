import { request } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, startTestEmulator } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'
import { bodyOf, number, part } from '../unit/apiserver/protobuf/support.js'

const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' }

/** From this release on kubectl writes protobuf. */
const senders = findKubectls().filter(({ version }) => Number(/^v1\.(\d+)/.exec(version)![1]) >= 32)

let emulator: Awaited<ReturnType<typeof startTestEmulator>>
beforeAll(async () => {
  emulator = await startTestEmulator()
})
afterAll(async () => {
  await emulator.close()
})

/** One request with a protobuf body, as client-go makes it. */
function send(method: string, path: string, body: Buffer): Promise<{ code: number; contentType: string | undefined; answer: unknown }> {
  const headers = {
    Authorization: `Bearer ${emulator.token}`,
    Accept: `${PROTOBUF},application/json`,
    'Content-Type': PROTOBUF,
    'Content-Length': body.length,
  }
  const ca = emulator.certificates.caCertificate
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: emulator.ports.control, path, method, headers, ca, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ code: response.statusCode!, contentType: response.headers['content-type'], answer: JSON.parse(text) as unknown }),
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

const configMap = (name: string): Buffer => bodyOf(CONFIG_MAP, part(1, part(1, name)), part(2, part(1, 'color'), part(2, 'red')))

test('an object in protobuf is created, and answered in JSON', async () => {
  expect(await send('POST', CONFIG_MAPS, configMap('red'))).toMatchObject({
    code: 201,
    contentType: 'application/json',
    answer: { ...CONFIG_MAP, metadata: { name: 'red', namespace: 'default' }, data: { color: 'red' } },
  })
  expect(await send('PUT', `${CONFIG_MAPS}/red`, bodyOf(CONFIG_MAP, part(1, part(1, 'red'))))).toMatchObject({ code: 200 })
  expect(await send('POST', CONFIG_MAPS, configMap('red'))).toMatchObject({ code: 409, answer: { reason: 'AlreadyExists' } })
})

test('options of a deletion are heeded in protobuf, of custom resources too', async () => {
  await send('POST', CONFIG_MAPS, configMap('kept'))
  const other = bodyOf({ apiVersion: 'v1', kind: 'DeleteOptions' }, part(2, part(1, 'another-uid')))
  expect(await send('DELETE', `${CONFIG_MAPS}/kept`, other)).toMatchObject({ code: 409, answer: { reason: 'Conflict' } })
  const dry = bodyOf({ apiVersion: 'v1', kind: 'DeleteOptions' }, number(1, 0), part(5, 'All'))
  expect(await send('DELETE', `${CONFIG_MAPS}/kept`, dry)).toMatchObject({ code: 200 })
  expect(await send('DELETE', `${CONFIG_MAPS}/kept`, bodyOf(undefined))).toMatchObject({ code: 200 })
  expect(await send('DELETE', `${CONFIG_MAPS}/kept`, bodyOf(undefined))).toMatchObject({ code: 404 })
  const service = '/apis/serving.knative.dev/v1/namespaces/default/services/ghost'
  expect(await send('DELETE', service, dry)).toMatchObject({ code: 404, answer: { reason: 'NotFound' } })
})

test('custom resources are not taken in protobuf, and neither is what is none or too much', async () => {
  const services = '/apis/serving.knative.dev/v1/namespaces/default/services'
  const message = 'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml'
  expect(await send('POST', services, configMap('a'))).toMatchObject({ code: 415, answer: { message } })
  expect(await send('POST', CONFIG_MAPS, Buffer.from('{}'))).toMatchObject({ code: 400, answer: { reason: 'BadRequest' } })
  expect(await send('POST', CONFIG_MAPS, bodyOf({ apiVersion: 'v1', kind: 'Secret' }))).toMatchObject({ code: 400 })
  const huge = bodyOf(CONFIG_MAP, part(2, part(2, Buffer.alloc(3 * 1024 * 1024))))
  expect(await send('POST', CONFIG_MAPS, huge)).toMatchObject({ code: 413, answer: { reason: 'RequestEntityTooLarge' } })
})

describe.each(senders)('kubectl $version', ({ path, version }) => {
  const namespace = version.replace(/[^a-z0-9]+/g, '-')
  const kubectl = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await run(path, args, emulator.env)
    expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 0, stderr: '' })
    return stdout
  }

  beforeAll(async () => {
    expect(await kubectl('create', 'namespace', namespace)).toBe(`namespace/${namespace} created\n`)
  })

  test.each([
    ['configmap', 'settings', ['--from-literal=color=red', '--from-literal=empty='], '{.data}', '{"color":"red","empty":""}'],
    ['secret generic', 'keys', ['--from-literal=password=s3cret'], '{.type} {.data.password}', 'Opaque czNjcmV0'],
    [
      'deployment',
      'web',
      ['--image=ghcr.io/knative/helloworld-go', '--replicas=0', '--port=8080'],
      '{.spec.replicas} {.spec.selector.matchLabels} {.spec.template.spec.containers[0].ports[0].containerPort} {.spec.strategy.type}',
      '0 {"app":"web"} 8080 RollingUpdate',
    ],
    ['service clusterip', 'web', ['--tcp=80:8080'], '{.spec.ports[0].port} {.spec.ports[0].targetPort} {.spec.type}', '80 8080 ClusterIP'],
    ['serviceaccount', 'robot', [], '{.metadata.name}', 'robot'],
  ])('create %s, first tried on the server, then for good, then deleted', async (kind, name, flags, shown, expected) => {
    const resource = kind.split(' ', 1)[0]!
    const words = ['create', ...kind.split(' '), name, ...flags, '-n', namespace]
    expect(await kubectl(...words, '--dry-run=server')).toMatch(/created \(server dry run\)\n$/)
    expect(await kubectl('get', resource, name, '-n', namespace, '--ignore-not-found')).toBe('')
    expect(await kubectl(...words)).toMatch(/created\n$/)
    expect(await kubectl('get', resource, name, '-n', namespace, '-o', `jsonpath=${shown}`)).toBe(expected)
    expect(await kubectl('delete', resource, name, '-n', namespace, '--grace-period=1')).toContain(`"${name}" deleted`)
  })
})
