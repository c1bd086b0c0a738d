import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiRequest, createApi } from '../support/api.js'
import { HELLO_IMAGE, type Ran, run, startTestEmulator } from '../support/emulator.js'
import { findOldestAndNewest } from '../support/kubectl.js'

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const SERVICES = '/apis/serving.knative.dev/v1/namespaces/default/services'
const MERGE = { 'Content-Type': 'application/merge-patch+json' }
const JSON_PATCH = { 'Content-Type': 'application/json-patch+json' }
const named = (name: string, rest: object = {}): object => ({ metadata: { name }, ...rest })

let emulator: Awaited<ReturnType<typeof startTestEmulator>>
let api: ReturnType<typeof createApi>
beforeAll(async () => {
  emulator = await startTestEmulator()
  api = createApi(emulator)
  expect((await api(CONFIG_MAPS, { method: 'POST', body: named('taken', { data: { a: 'b' } }) })).status).toBe(201)
  const held = { metadata: { name: 'held', finalizers: ['example.dev/hold'] } }
  expect((await api(CONFIG_MAPS, { method: 'POST', body: held })).status).toBe(201)
  expect((await api(`${CONFIG_MAPS}/held`, { method: 'DELETE' })).json()).toMatchObject({ metadata: { deletionGracePeriodSeconds: 0 } })
  const service = named('ksvc', { spec: { template: { spec: { containers: [{ image: HELLO_IMAGE }] } } } })
  expect((await api(SERVICES, { method: 'POST', body: service })).status).toBe(201)
})
afterAll(() => emulator.close())

type Refused = [what: string, path: string, asked: ApiRequest, expected: object]
const refusals: Refused[] = [
  [
    'an object that is missing',
    `${SERVICES}/ghost`,
    {},
    {
      code: 404,
      reason: 'NotFound',
      message: 'services.serving.knative.dev "ghost" not found',
      details: { name: 'ghost', group: 'serving.knative.dev', kind: 'services' },
    },
  ],
  [
    'a resource that is unknown',
    '/api/v1/namespaces/default/gadgets',
    {},
    { code: 404, reason: 'NotFound', message: 'the server could not find the requested resource', details: {} },
  ],
  ['a group that is unknown', '/apis/no.such.group/v1/things', {}, { code: 404, reason: 'NotFound' }],
  [
    'an object that exists',
    CONFIG_MAPS,
    { method: 'POST', body: named('taken') },
    { code: 409, reason: 'AlreadyExists', message: 'configmaps "taken" already exists', details: { name: 'taken', kind: 'configmaps' } },
  ],
  [
    'an object that is on its way out',
    CONFIG_MAPS,
    { method: 'POST', body: named('held') },
    { code: 409, reason: 'AlreadyExists', message: 'object is being deleted: configmaps "held" already exists' },
  ],
  [
    'a version that is stale',
    `${CONFIG_MAPS}/taken`,
    { method: 'PUT', body: { metadata: { name: 'taken', resourceVersion: '1' } } },
    {
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "taken": the object has been modified; please apply your changes to the latest version and try again',
    },
  ],
  [
    'a deletion of another object of the name',
    `${CONFIG_MAPS}/taken`,
    { method: 'DELETE', body: { preconditions: { uid: 'another' } } },
    {
      code: 409,
      reason: 'Conflict',
      message: expect.stringMatching(
        /^Operation cannot be fulfilled on configmaps "taken": the UID in the precondition \(another\) does not match the UID in record \([0-9a-f-]{36}\)\. The object might have been deleted and then recreated$/,
      ),
    },
  ],
  [
    'a deletion of another version',
    `${CONFIG_MAPS}/taken`,
    { method: 'DELETE', body: { preconditions: { resourceVersion: '1' } } },
    { code: 409, reason: 'Conflict', message: expect.stringContaining('the ResourceVersion in the precondition (1) does not match') },
  ],
  [
    'values that are not valid',
    CONFIG_MAPS,
    { method: 'POST', body: { metadata: { name: 'ok', labels: { ok: 'not ok' } }, data: { 'a b': '' } } },
    {
      code: 422,
      reason: 'Invalid',
      message: expect.stringMatching(/^ConfigMap "ok" is invalid: /),
      details: { kind: 'ConfigMap', name: 'ok' },
    },
  ],
  [
    'a replacement of a custom resource without its version',
    `${SERVICES}/ksvc`,
    { method: 'PUT', body: named('ksvc', { spec: {} }) },
    {
      code: 422,
      reason: 'Invalid',
      message: 'Service.serving.knative.dev "ksvc" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    },
  ],
  [
    'a JSON patch whose test fails',
    `${CONFIG_MAPS}/taken`,
    { method: 'PATCH', headers: JSON_PATCH, body: [{ op: 'test', path: '/data/a', value: 'z' }] },
    { code: 422, reason: 'Invalid', message: 'the server rejected our request due to an error in our request' },
  ],
  [
    'a JSON patch of what is not there',
    `${CONFIG_MAPS}/taken`,
    { method: 'PATCH', headers: JSON_PATCH, body: [{ op: 'replace', path: '/spec/x', value: 1 }] },
    { code: 422, reason: 'Invalid' },
  ],
  [
    'JSON that is none',
    CONFIG_MAPS,
    { method: 'POST', body: '{"metadata":' },
    { code: 400, reason: 'BadRequest', message: expect.stringContaining('json parse error') },
  ],
  [
    'unknown and repeated fields where fields are held strictly',
    `${CONFIG_MAPS}?fieldValidation=Strict`,
    { method: 'POST', body: '{"metadata":{"name":"x"},"data":{"a":"1","a":"2"},"dta":1}' },
    {
      code: 400,
      reason: 'BadRequest',
      message:
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a", unknown field "dta"',
    },
  ],
  [
    'what Knative’s webhook denies',
    SERVICES,
    { method: 'POST', body: named('denied', { spec: { template: { spec: { containers: [] } } } }) },
    {
      code: 400,
      reason: 'BadRequest',
      message: expect.stringMatching(
        /^admission webhook "validation\.webhook\.serving\.knative\.dev" denied the request: validation failed: /,
      ),
    },
  ],
  [
    'somebody who may not',
    '/api/v1/namespaces/default/pods',
    { headers: { 'Impersonate-User': 'eve' } },
    {
      code: 403,
      reason: 'Forbidden',
      message: 'pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "default"',
    },
  ],
  [
    'somebody who may not, anywhere',
    '/apis/serving.knative.dev/v1/services',
    { headers: { 'Impersonate-User': 'eve' } },
    {
      code: 403,
      message:
        'services.serving.knative.dev is forbidden: User "eve" cannot list resource "services" in API group "serving.knative.dev" at the cluster scope',
    },
  ],
  [
    'what admission refuses',
    '/api/v1/namespaces/default',
    { method: 'DELETE' },
    { code: 403, reason: 'Forbidden', message: 'namespaces "default" is forbidden: this namespace may not be deleted' },
  ],
  [
    'a credential that is wrong',
    CONFIG_MAPS,
    { headers: { Authorization: 'Bearer wrong' } },
    { code: 401, reason: 'Unauthorized', message: 'Unauthorized' },
  ],
  [
    'a verb that is not offered',
    '/api/v1/namespaces',
    { method: 'DELETE' },
    { code: 405, reason: 'MethodNotAllowed', message: 'the server does not allow this method on the requested resource' },
  ],
  [
    'an answer in a format that is not spoken',
    CONFIG_MAPS,
    { headers: { Accept: 'text/html' } },
    {
      code: 406,
      reason: 'NotAcceptable',
      message: expect.stringMatching(/^only the following media types are accepted: application\/json/),
    },
  ],
  [
    'a body in a format that is not spoken',
    CONFIG_MAPS,
    { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body: 'x' },
    {
      code: 415,
      reason: 'UnsupportedMediaType',
      message: expect.stringMatching(/^the body of the request was in an unknown format - accepted media types include: application\/json/),
    },
  ],
  [
    'a version from the future',
    `${CONFIG_MAPS}?resourceVersion=999999`,
    {},
    {
      code: 504,
      reason: 'Timeout',
      message: expect.stringMatching(/^Timeout: Too large resource version: 999999, current: \d+$/),
      details: {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version', field: '' }],
        retryAfterSeconds: 1,
      },
    },
  ],
  [
    'a body of another version',
    CONFIG_MAPS,
    { method: 'POST', body: { apiVersion: 'v2', kind: 'ConfigMap', metadata: { name: 'x' } } },
    { code: 400, message: 'the API version in the data (v2) does not match the expected API version (v1)' },
  ],
  [
    'a body of another namespace',
    CONFIG_MAPS,
    { method: 'POST', body: { metadata: { name: 'x', namespace: 'other' } } },
    { code: 400, message: 'the namespace of the provided object does not match the namespace sent on the request' },
  ],
  [
    'a body of another name',
    `${CONFIG_MAPS}/taken`,
    { method: 'PUT', body: named('other') },
    { code: 400, message: 'the name of the object (other) does not match the name on the URL (taken)' },
  ],
  [
    'a deletion that is told something else',
    `${CONFIG_MAPS}/taken`,
    { method: 'DELETE', body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'taken' } } },
    { code: 400, message: 'decoded object cannot be converted to DeleteOptions' },
  ],
  [
    'a dry run of some of it',
    `${CONFIG_MAPS}?dryRun=Some`,
    { method: 'POST', body: named('x') },
    { code: 422, reason: 'Invalid', message: expect.stringContaining('dryRun: Unsupported value') },
  ],
  [
    'a field manager of more than 128 bytes',
    `${CONFIG_MAPS}?fieldManager=${'m'.repeat(129)}`,
    { method: 'POST', body: named('x') },
    { code: 422, reason: 'Invalid', message: expect.stringContaining('fieldManager: Too long: may not be more than 128 bytes') },
  ],
  [
    'an object that brings its version along',
    CONFIG_MAPS,
    { method: 'POST', body: { metadata: { name: 'x', resourceVersion: '5' } } },
    { code: 500, message: 'resourceVersion should not be set on objects to be created' },
  ],
  [
    'a namespace that is missing',
    '/api/v1/namespaces/nowhere/configmaps',
    { method: 'POST', body: named('x') },
    { code: 404, message: 'namespaces "nowhere" not found' },
  ],
  ['a path with a broken escape', `${CONFIG_MAPS}/%E0%A4%A`, {}, { code: 400, reason: 'BadRequest' }],
]

test.each(refusals)('%s is refused as a cluster would', async (_what, path, asked, expected) => {
  const { status, headers, body, json } = await api(path, asked)
  expect(json()).toMatchObject({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...expected })
  expect(status).toBe((expected as { code: number }).code)
  expect(headers).toMatchObject({
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-cache, private',
    'audit-id': expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/),
  })
})

test('whoever is refused for a moment is told when to come again', async () => {
  expect((await api(`${CONFIG_MAPS}?resourceVersion=999999`)).headers['retry-after']).toBe('1')
})

test('parameters that mean nothing here are passed over', async () => {
  const { status } = await api(`${CONFIG_MAPS}/taken?pretty=true&exact=1&timeout=32s&__proto__=x&constructor=y`)
  expect(status).toBe(200)
  const watched = await api(`${CONFIG_MAPS}?watch=false&allowWatchBookmarks=true&timeout=5s&limit=0`)
  expect(watched.json()).toMatchObject({ kind: 'ConfigMapList' })
})

test('times come back as Kubernetes writes them, however they were sent', async () => {
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
  const lease = { metadata: { name: 'timed' }, spec: { holderIdentity: 'me', renewTime: '2026-01-02T04:04:05.25+01:00' } }
  const created = await api(leases, { method: 'POST', body: lease })
  expect(created.json()).toMatchObject({ spec: { renewTime: '2026-01-02T03:04:05.250000Z' } })
  const { metadata } = created.json<{ metadata: { creationTimestamp: string; resourceVersion: string } }>()
  expect(metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  // What a client reads as an instant and writes back in its own way changes nothing.
  const echoed = { ...metadata, creationTimestamp: new Date(metadata.creationTimestamp).toISOString() }
  const again = await api(`${leases}/timed`, { method: 'PUT', body: { ...lease, metadata: echoed } })
  expect(again.json()).toMatchObject({ metadata })
  const event = {
    metadata: { name: 'timed' },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    firstTimestamp: '2026-01-02T03:04:05.000Z',
    eventTime: '2026-01-02T03:04:05.5Z',
    series: { count: 2, lastObservedTime: '2026-01-02T03:04:06Z' },
  }
  expect((await api('/api/v1/namespaces/default/events', { method: 'POST', body: event })).json()).toMatchObject({
    firstTimestamp: '2026-01-02T03:04:05Z',
    eventTime: '2026-01-02T03:04:05.500000Z',
    series: { lastObservedTime: '2026-01-02T03:04:06.000000Z' },
  })
})

test('a body may leave out what the path says, and be YAML', async () => {
  const bare = await api(CONFIG_MAPS, { method: 'POST', body: named('bare') })
  expect(bare.json()).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bare', namespace: 'default' } })
  const yaml = await api(CONFIG_MAPS, {
    method: 'POST',
    headers: { 'Content-Type': 'application/yaml' },
    body: 'metadata:\n  name: yaml\ndata:\n  a: "1"\n',
  })
  expect([yaml.status, yaml.json()]).toMatchObject([201, { data: { a: '1' } }])
})

test('a write that changes nothing keeps its version and tells nobody', async () => {
  const before = (await api(`${CONFIG_MAPS}/taken`)).json<{ metadata: { resourceVersion: string } }>()
  const { resourceVersion } = before.metadata
  const same = await api(`${CONFIG_MAPS}/taken`, { method: 'PATCH', headers: MERGE, body: {} })
  expect(same.json()).toEqual(before)
  const replaced = await api(`${CONFIG_MAPS}/taken`, { method: 'PUT', body: before })
  expect(replaced.json()).toEqual(before)
  const events = []
  const query = `watch=true&timeoutSeconds=1&resourceVersion=${resourceVersion}&fieldSelector=metadata.name%3Dtaken`
  for await (const event of api.watch(`${CONFIG_MAPS}?${query}`)) events.push(event)
  expect(events).toEqual([])
})

test('the generation counts what each kind means by it', async () => {
  const deployments = '/apis/apps/v1/namespaces/default/deployments'
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: HELLO_IMAGE }] } }
  const spec = { replicas: 0, paused: true, selector: { matchLabels: { a: 'b' } }, template }
  const generation = async (path: string, method: string, body: unknown, headers = {}): Promise<number | undefined> =>
    (await api(path, { method, body, headers })).json<{ metadata: { generation?: number } }>().metadata.generation
  const patched = (body: object): Promise<number | undefined> => generation(`${deployments}/counted`, 'PATCH', body, MERGE)
  expect(await generation(deployments, 'POST', named('counted', { spec }))).toBe(1)
  expect(await patched({ metadata: { labels: { x: 'y' } } })).toBe(1)
  expect(await patched({ metadata: { annotations: { x: 'y' } } })).toBe(2)
  expect(await patched({ spec: { minReadySeconds: 1 } })).toBe(3)
  expect(await patched({ metadata: { finalizers: ['example.dev/hold'] } })).toBe(3)
  expect(await generation(`${deployments}/counted`, 'DELETE', undefined)).toBe(4)
  expect((await api(`${deployments}/counted`, { method: 'PATCH', headers: MERGE, body: { metadata: { finalizers: null } } })).status).toBe(
    200,
  )
  expect((await api(`${deployments}/counted`)).status).toBe(404)

  for (const plural of ['configmaps', 'secrets', 'serviceaccounts'])
    expect(await generation(`/api/v1/namespaces/default/${plural}`, 'POST', named('uncounted'))).toBeUndefined()
  expect(await generation(`${SERVICES}/ksvc`, 'PATCH', { metadata: { annotations: { 'example.dev/x': 'y' } } }, MERGE)).toBe(1)
  const more = { spec: { template: { spec: { containerConcurrency: 5 } } } }
  expect(await generation(`${SERVICES}/ksvc`, 'PATCH', more, MERGE)).toBe(2)
})

test('an eviction deletes a pod, with the options it carries, and is answered with success', async () => {
  const pods = '/api/v1/namespaces/default/pods'
  const pod = { metadata: { name: 'evicted' }, spec: { containers: [{ name: 'c', image: HELLO_IMAGE }] } }
  expect((await api(pods, { method: 'POST', body: pod })).status).toBe(201)
  const eviction = (rest: object): ApiRequest => ({ method: 'POST', body: { apiVersion: 'policy/v1', kind: 'Eviction', ...rest } })
  const path = `${pods}/evicted/eviction`
  expect((await api(path, eviction({ metadata: { name: 'another' } }))).status).toBe(400)
  expect((await api(path, { method: 'POST', body: {} })).status).toBe(400)
  expect((await api(path, { method: 'GET' })).status).toBe(405)
  expect((await api(path, eviction({ deleteOptions: { preconditions: { uid: 'another' } } }))).status).toBe(409)
  expect((await api(path, eviction({ deleteOptions: { dryRun: ['All'] } }))).status).toBe(201)
  expect((await api(`${pods}/evicted`)).json()).not.toMatchObject({ metadata: { deletionTimestamp: expect.anything() } })
  const evicted = await api(path, eviction({ metadata: { name: 'evicted' }, deleteOptions: { gracePeriodSeconds: 0 } }))
  expect([evicted.status, evicted.json()]).toEqual([201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }])
  expect((await api(`${pods}/evicted`)).status).toBe(404)
  expect((await api('/api/v1/namespaces/default/configmaps/taken/eviction', eviction({}))).status).toBe(404)
})

describe.each(findOldestAndNewest())('kubectl $version', ({ path }) => {
  const kubectl = (args: string, input?: string): Promise<Ran> =>
    run(path, args.split(' '), emulator.env, input === undefined ? {} : { input })

  test('prints refusals in its own form and fails', async () => {
    expect(await kubectl('get cm ghost')).toMatchObject({
      exitCode: 1,
      stderr: 'Error from server (NotFound): configmaps "ghost" not found\n',
    })
    expect(await kubectl('create cm taken')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /^(Error from server \(AlreadyExists\)|error: failed to create configmap): configmaps "taken" already exists\n$/,
      ),
    })
    const invalid = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'odd' }, spec: { ports: [{ port: 0 }, { port: 99999 }] } }
    const { exitCode, stderr } = await kubectl('create -f -', JSON.stringify(invalid))
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/^The Service "odd" is invalid: \n\* spec\.ports\[0\]\.name: Required value/)
    const { stderr: unauthorized } = await run(
      path,
      ['get', 'cm', `--server=https://127.0.0.1:${emulator.ports.control}`, '--insecure-skip-tls-verify', '--token=wrong'],
      { ...emulator.env, KUBECONFIG: '/nonexistent' },
    )
    expect(unauthorized).toContain('error: You must be logged in to the server (')
  })

  test('waits for a deletion, and deletes in every way it knows', async () => {
    const make = (name: string): string =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { made: 'here' } } })
    for (const cascade of ['background', 'foreground', 'orphan']) {
      expect((await kubectl('create -f -', make(cascade))).exitCode).toBe(0)
      expect(await kubectl(`delete cm ${cascade} --cascade=${cascade} --timeout=20s`)).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining(`configmap "${cascade}" deleted`),
      })
    }
    for (const name of ['one', 'two']) expect((await kubectl('create -f -', make(name))).exitCode).toBe(0)
    const all = await kubectl('delete cm -l made=here --timeout=20s')
    expect(all.stdout.match(/deleted/g)).toHaveLength(2)
  })
})
