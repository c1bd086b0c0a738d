import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApi } from '../support/api.js'
import { HELLO_IMAGE, type Ran, run, startTestEmulator } from '../support/emulator.js'
import { findOldestAndNewest, minorOf } from '../support/kubectl.js'

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

interface ResourceList {
  kind: string
  groupVersion: string
  resources: { name: string; kind: string; group?: string; version?: string; verbs: string[]; namespaced: boolean; singularName: string }[]
}

let emulator: Awaited<ReturnType<typeof startTestEmulator>>
let api: ReturnType<typeof createApi>
let groupVersions: string[]
beforeAll(async () => {
  emulator = await startTestEmulator()
  api = createApi(emulator)
  const { groups } = (await api('/apis')).json<{ groups: { versions: { groupVersion: string }[] }[] }>()
  groupVersions = groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion))
})
afterAll(() => emulator.close())

test('the version is one that Knative’s own programs accept, whole, with or without a slash behind it', async () => {
  const version = (await api('/version')).json()
  expect(Object.keys(version).sort()).toEqual([
    'buildDate',
    'compiler',
    'gitCommit',
    'gitTreeState',
    'gitVersion',
    'goVersion',
    'major',
    'minor',
    'platform',
  ])
  expect(version).toMatchObject({ major: '1', minor: '35', gitVersion: expect.stringMatching(/^v1\.35\.\d+$/) })
  for (const path of ['/version', '/api', '/apis', '/api/v1', '/apis/apps', '/apis/apps/v1']) {
    const [bare, slashed] = await Promise.all([api(path), api(`${path}/`)])
    expect({ path, status: slashed.status, body: slashed.body }).toEqual({ path, status: 200, body: bare.body })
  }
})

test('health is ok in one word, a list on request, and each check by itself', async () => {
  for (const endpoint of ['healthz', 'livez', 'readyz']) {
    const plain = await api(`/${endpoint}`)
    expect([plain.status, plain.headers['content-type'], plain.body]).toEqual([200, 'text/plain; charset=utf-8', 'ok'])
    expect((await api(`/${endpoint}?verbose`)).body).toBe(`[+]ping ok\n${endpoint} check passed\n`)
    expect((await api(`/${endpoint}?verbose&exclude=ping&exclude=etcd`)).body).toBe(
      `[+]ping excluded: ok\nwarn: some health checks cannot be excluded: no matches for "etcd"\n${endpoint} check passed\n`,
    )
    expect((await api(`/${endpoint}/ping`)).body).toBe('ok')
    expect((await api(`/${endpoint}/etcd`)).status).toBe(404)
  }
  expect((await api('/')).json<{ paths: string[] }>().paths).toEqual(
    expect.arrayContaining(['/api', '/apis/apps/v1', '/healthz', '/version']),
  )
})

test('metrics count requests by what they asked for, and watches that are open', async () => {
  await api('/api/v1/namespaces/default/configmaps/missing')
  const watch = await api.open('/api/v1/nodes?watch=true')
  const { headers, body } = await api('/metrics')
  expect(headers['content-type']).toContain('text/plain; version=0.0.4')
  expect(body).toMatch(/^apiserver_request_total\{code="404",resource="configmaps",verb="GET"\} 1$/m)
  expect(body).toMatch(/^apiserver_registered_watchers\{resource="nodes"\} 1$/m)
  watch.destroy()
})

test('every group version that is listed answers, in all forms of discovery and in OpenAPI', async () => {
  const aggregated = (await api('/apis', { headers: { Accept: AGGREGATED } })).json<{
    items: { metadata: { name: string }; versions: { version: string; resources: { resource: string }[] }[] }[]
  }>()
  const openApi = (await api('/openapi/v3')).json<{ paths: Record<string, { serverRelativeURL: string }> }>()
  expect(aggregated.items.flatMap(({ metadata, versions }) => versions.map(({ version }) => `${metadata.name}/${version}`))).toEqual(
    groupVersions,
  )
  expect(Object.keys(openApi.paths).sort()).toEqual(['api/v1', ...groupVersions.map((name) => `apis/${name}`)].sort())
  // kubectl asks for each of them, and holds itself back beyond a hundred.
  expect(groupVersions.length).toBeLessThan(50)

  for (const name of groupVersions) {
    const list = (await api(`/apis/${name}`)).json<ResourceList>()
    expect({ kind: list.kind, groupVersion: list.groupVersion }).toEqual({ kind: 'APIResourceList', groupVersion: name })
    const [group] = name.split('/')
    const listed = aggregated.items
      .find(({ metadata }) => metadata.name === group)!
      .versions.find(({ version }) => name.endsWith(`/${version}`))
    expect(list.resources.map((row) => row.name).filter((row) => !row.includes('/'))).toEqual(
      listed!.resources.map(({ resource }) => resource),
    )
    const listable = list.resources.filter(({ verbs }) => verbs.includes('list'))
    for (const { name: plural } of listable) expect((await api(`/apis/${name}/${plural}?limit=1`)).status, `${name} ${plural}`).toBe(200)
    expect((await api(openApi.paths[`apis/${name}`]!.serverRelativeURL)).status).toBe(200)
  }
})

test('aggregated discovery says what it is in its Content-Type, and that it has not changed', async () => {
  for (const path of ['/api', '/apis']) {
    const first = await api(path, { headers: { Accept: `${AGGREGATED},application/json` } })
    expect(first.headers).toMatchObject({ 'content-type': AGGREGATED, 'cache-control': 'public', vary: 'Accept' })
    expect(first.headers.etag).toMatch(/^"[0-9A-F]+"$/)
    const again = await api(path, { headers: { Accept: AGGREGATED, 'If-None-Match': first.headers.etag! } })
    expect([again.status, again.body]).toEqual([304, ''])
  }
  const plain = await api('/apis', { headers: { Accept: 'application/json' } })
  expect([plain.headers['content-type'], plain.json()]).toMatchObject(['application/json', { kind: 'APIGroupList' }])
})

test('subresources are rows of their own, with the kind that is sent to them', async () => {
  const rows = [...(await api('/api/v1')).json<ResourceList>().resources, ...(await api('/apis/apps/v1')).json<ResourceList>().resources]
  const row = (name: string) => rows.find((one) => one.name === name)
  expect(row('pods')).toMatchObject({ kind: 'Pod', singularName: 'pod', namespaced: true, shortNames: ['po'], categories: ['all'] })
  expect(row('pods/log')).toEqual({ name: 'pods/log', singularName: '', namespaced: true, kind: 'Pod', verbs: ['get'] })
  expect(row('pods/eviction')).toMatchObject({ group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] })
  expect(row('serviceaccounts/token')).toMatchObject({ group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' })
  expect(row('deployments/scale')).toMatchObject({ group: 'autoscaling', version: 'v1', kind: 'Scale' })
})

test('OpenAPI v3 is read under its hash for good, v2 in both formats that clients read', async () => {
  const { paths } = (await api('/openapi/v3')).json<{ paths: Record<string, { serverRelativeURL: string }> }>()
  const url = paths['apis/serving.knative.dev/v1']!.serverRelativeURL
  expect(url).toMatch(/^\/openapi\/v3\/apis\/serving\.knative\.dev\/v1\?hash=[0-9A-F]{64}$/)
  const document = await api(url)
  expect(document.headers).toMatchObject({ 'cache-control': 'public, immutable', vary: 'Accept', etag: `"${url.split('=')[1]}"` })
  expect(Date.parse(document.headers.expires!) - Date.parse(document.headers.date!)).toBeGreaterThan(364 * 86_400_000)
  const stale = await api(url.replace(/hash=.*/, 'hash=0123'))
  expect([stale.status, stale.headers.location]).toEqual([301, url])

  const json = await api('/openapi/v2', { headers: { Accept: 'application/json' } })
  expect(json.json()).toMatchObject({ swagger: '2.0', info: { title: 'Kubernetes' } })
  const protobuf = await api('/openapi/v2', { headers: { Accept: V2_PROTOBUF } })
  expect(protobuf.headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf')
  expect(protobuf.body.startsWith('\n\x032.0')).toBe(true)
})

describe.each(findOldestAndNewest())('kubectl $version', ({ path, version }) => {
  const kubectl = (args: string, input?: string): Promise<Ran> => {
    const home = join(emulator.directory, version)
    mkdirSync(home, { recursive: true })
    return run(path, args.split(' '), { ...emulator.env, HOME: home }, input === undefined ? {} : { input })
  }

  test('names the server it speaks to', async () => {
    const { stdout } = await kubectl('version -o json')
    expect(JSON.parse(stdout)).toMatchObject({ serverVersion: { major: '1', minor: '35', gitVersion: expect.stringMatching(/^v1\.35\./) } })
  })

  test('says what it does not find, and finds what is there by its full name', async () => {
    expect(await kubectl('get nosuch')).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: the server doesn\'t have a resource type "nosuch"\n',
    })
    expect(await kubectl('get services.serving.knative.dev')).toMatchObject({
      exitCode: 0,
      stderr: 'No resources found in default namespace.\n',
    })
    expect(await kubectl('top pods')).toMatchObject({ exitCode: 1, stderr: 'error: Metrics API not available\n' })
    expect((await kubectl('api-versions')).stdout.trim().split('\n').sort()).toEqual(['v1', ...groupVersions].sort())
  })

  test('leaves validation to the server, which refuses and warns as it is told', async () => {
    const odd = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'odd' }, dta: { a: 'b' } })
    const strict = await kubectl('create -f -', odd)
    if (minorOf(version) < 25) {
      // It looks at the document itself, and knows only yes and no.
      expect(strict).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('unknown field "dta" in io.k8s.api.core.v1.ConfigMap') })
      expect(await kubectl('create -f - --validate=false', odd)).toMatchObject({ exitCode: 0 })
      expect(await kubectl('delete cm odd')).toMatchObject({ exitCode: 0 })
      return
    }
    expect(strict).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('strict decoding error: unknown field "dta"') })
    const warned = await kubectl('create -f - --validate=warn', odd)
    expect(warned).toMatchObject({ exitCode: 0, stderr: 'Warning: unknown field "dta"\n' })
    expect(await kubectl('replace -f - --validate=false', odd)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await kubectl('delete cm odd')).toMatchObject({ exitCode: 0 })
  })

  test('explains kinds of Kubernetes and of Knative, from either document', async () => {
    expect((await kubectl('explain pod.spec.containers.image')).stdout).toMatch(/FIELD: +image <string>/)
    expect((await kubectl('explain ksvc.spec.template')).stdout).toContain('metadata')
    const older = minorOf(version) < 27 ? '' : ' --output plaintext-openapiv2'
    expect((await kubectl(`explain deployment.spec.replicas${older}`)).stdout).toMatch(/replicas +<integer>/)
  })

  test('applies built-in kinds over and over', async () => {
    const manifest = (color: string): string =>
      JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { color } })
    expect((await kubectl('apply -f -', manifest('red'))).stdout).toBe('configmap/applied created\n')
    expect((await kubectl('apply -f -', manifest('red'))).stdout).toBe('configmap/applied unchanged\n')
    expect((await kubectl('apply -f -', manifest('blue'))).stdout).toBe('configmap/applied configured\n')
    expect((await kubectl('delete cm applied')).exitCode).toBe(0)
  })

  test('drains the node by evictions, and lets it be used again', { timeout: 120_000 }, async () => {
    expect((await kubectl(`create deployment drained --image=${HELLO_IMAGE}`)).exitCode).toBe(0)
    expect((await kubectl('rollout status deployment/drained --timeout=60s')).exitCode).toBe(0)
    const [node] = (await kubectl('get nodes -o name')).stdout.trim().split('\n')
    const drained = await kubectl(`drain ${node} --ignore-daemonsets --force --timeout=60s`)
    expect(drained).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/pod\/drained-\S+ evicted/) })
    expect((await kubectl(`uncordon ${node}`)).exitCode).toBe(0)
    expect((await kubectl('rollout status deployment/drained --timeout=60s')).exitCode).toBe(0)
    expect((await kubectl('delete deployment drained')).exitCode).toBe(0)
  })
})
