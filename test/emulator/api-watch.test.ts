import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { createApi } from '../support/api.js'
import { run, startTestEmulator } from '../support/emulator.js'
import { findOldestAndNewest, minorOf } from '../support/kubectl.js'
import { openWebSocket, type PlainAnswer, type WebSocketClient } from '../support/websocket.js'

const CONFIG_MAPS = '/api/v1/namespaces/watched/configmaps'
const WATCH_LIST = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'

let emulator: Awaited<ReturnType<typeof startTestEmulator>>
let api: ReturnType<typeof createApi>
beforeAll(async () => {
  emulator = await startTestEmulator()
  api = createApi(emulator)
  expect((await api('/api/v1/namespaces', { method: 'POST', body: { metadata: { name: 'watched' } } })).status).toBe(201)
})
afterAll(() => emulator.close())

interface Seen {
  type: string
  object: { kind?: string; apiVersion?: string; metadata: { name?: string; resourceVersion: string; annotations?: object }; code?: number }
}

/** The first events of a watch, as many as asked for or until it ends. */
async function seen(path: string, most = Number.POSITIVE_INFINITY): Promise<Seen[]> {
  const events: Seen[] = []
  if (most === 0) return events
  for await (const event of api.watch(path)) {
    events.push(event as unknown as Seen)
    if (events.length === most) break
  }
  return events
}
const told = (events: readonly Seen[]): string[] => events.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim())
const make = async (name: string, rest: object = {}): Promise<number> => {
  const created = await api(CONFIG_MAPS, {
    method: 'POST',
    body: { ...rest, metadata: { name, ...(rest as { metadata?: object }).metadata } },
  })
  return Number(created.json<Seen['object']>().metadata.resourceVersion)
}
const change = (name: string, body: object) =>
  api(`${CONFIG_MAPS}/${name}`, { method: 'PATCH', headers: { 'Content-Type': 'application/merge-patch+json' }, body })
const newest = async (): Promise<string> => (await api(`${CONFIG_MAPS}?limit=1`)).json<Seen['object']>().metadata.resourceVersion

test('a watch is answered at once, tells what is there, then every change in the order of its version', async () => {
  await make('first')
  const response = await api.open(`${CONFIG_MAPS}?watch=1&timeoutSeconds=2`)
  expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
  response.destroy()
  const from = await newest()
  const watching = seen(`${CONFIG_MAPS}?watch=true&timeoutSeconds=2&resourceVersion=${from}`)
  await make('second')
  await change('second', { data: { a: '1' } })
  const removed = (await api(`${CONFIG_MAPS}/second`, { method: 'DELETE' })).json()
  expect(removed).toMatchObject({ status: 'Success', details: { name: 'second', kind: 'configmaps', uid: expect.any(String) } })
  const events = await watching
  expect(told(events)).toEqual(['ADDED second', 'MODIFIED second', 'DELETED second'])
  const versions = events.map(({ object }) => Number(object.metadata.resourceVersion))
  expect([Number(from), ...versions].every((version, index, all) => index === 0 || version > all[index - 1]!)).toBe(true)
  expect(events[2]!.object).toMatchObject({ data: { a: '1' } })
})

test('from version 0 and without a version a watch begins with what there is, from another with what came after', async () => {
  await make('there')
  const from = await newest()
  await make('later')
  expect(told(await seen(`${CONFIG_MAPS}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dthere`, 1))).toEqual(['ADDED there'])
  expect(told(await seen(`${CONFIG_MAPS}?watch=true&fieldSelector=metadata.name%3Dthere`, 1))).toEqual(['ADDED there'])
  expect(told(await seen(`${CONFIG_MAPS}?watch=true&resourceVersion=${from}`, 1))).toEqual(['ADDED later'])
  expect(told(await seen('/api/v1/watch/namespaces/watched/configmaps/there', 1))).toEqual(['ADDED there'])
})

test('a watch without a version that is told to start with what there is marks the end of it', async () => {
  await make('initial', { metadata: { labels: { only: 'me' } } })
  for (const version of ['', '&resourceVersion=', '&resourceVersion=0']) {
    const events = await seen(`${CONFIG_MAPS}?watch=true&${WATCH_LIST}${version}&labelSelector=only%3Dme`, 2)
    expect(told(events)).toEqual(['ADDED initial', 'BOOKMARK'])
    expect(events[1]!.object).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { resourceVersion: await newest(), annotations: { 'k8s.io/initial-events-end': 'true' } },
    })
  }
  for (const query of [
    'watch=true&sendInitialEvents=true',
    'watch=true&resourceVersionMatch=NotOlderThan',
    'watch=true&sendInitialEvents=true&resourceVersionMatch=Exact',
    'sendInitialEvents=true',
  ])
    expect((await api(`${CONFIG_MAPS}?${query}`)).json()).toMatchObject({ code: 422, reason: 'Invalid' })
  expect((await api(`${CONFIG_MAPS}?sendInitialEvents=true`)).body).toContain('sendInitialEvents is forbidden for list')
})

test('a bookmark of the watched kind comes before the end of the time that was asked for, and then the end', async () => {
  const events = await seen(`${CONFIG_MAPS}?watch=true&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion=${await newest()}`)
  expect(events).toMatchObject([
    { type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { creationTimestamp: null } } },
  ])
  const service = await seen(
    `/apis/serving.knative.dev/v1/services?watch=true&allowWatchBookmarks=true&timeoutSeconds=3&resourceVersion=${await newest()}`,
  )
  expect(service).toMatchObject([{ type: 'BOOKMARK', object: { kind: 'Service', apiVersion: 'serving.knative.dev/v1' } }])
})

test('a change into and out of a selection is told as coming and going', async () => {
  await make('moving')
  const from = await newest()
  const watching = seen(`${CONFIG_MAPS}?watch=true&timeoutSeconds=2&resourceVersion=${from}&labelSelector=team%3Da`)
  await change('moving', { metadata: { labels: { team: 'a' } } })
  await change('moving', { data: { k: 'v' } })
  const last = await change('moving', { metadata: { labels: { team: 'b' } }, data: { k: 'w' } })
  const events = await watching
  expect(told(events)).toEqual(['ADDED moving', 'MODIFIED moving', 'DELETED moving'])
  expect(events[2]!.object).toMatchObject({ metadata: { labels: { team: 'a' } }, data: { k: 'v' } })
  expect(events[2]!.object.metadata.resourceVersion).toBe(last.json<Seen['object']>().metadata.resourceVersion)
})

test('the version that is asked for says how old an answer may be', async () => {
  const version = await make('aged')
  const get = async (query: string): Promise<number> => (await api(`${CONFIG_MAPS}/aged${query}`)).status
  const list = async (query: string): Promise<unknown> => {
    const { status, json } = await api(`${CONFIG_MAPS}?fieldSelector=metadata.name%3Daged&${query}`)
    return status === 200 ? json<{ items: object[] }>().items.length : status
  }
  for (const query of ['', '?resourceVersion=', '?resourceVersion=0', `?resourceVersion=${version}`]) expect(await get(query)).toBe(200)
  expect(await get('?resourceVersion=999999')).toBe(504)
  expect(await get('?resourceVersion=odd')).toBe(400)
  expect(await list('resourceVersion=0')).toBe(1)
  expect(await list(`resourceVersion=${version}`)).toBe(1)
  expect(await list(`resourceVersion=${version}&resourceVersionMatch=NotOlderThan`)).toBe(1)
  expect(await list(`resourceVersion=1&resourceVersionMatch=NotOlderThan`)).toBe(1)
  expect(await list('resourceVersion=999999')).toBe(504)
})

test('a list is read in pages of one moment, and an unknown place in it is refused', async () => {
  for (const name of ['page-a', 'page-b', 'page-c']) await make(name, { metadata: { labels: { paged: 'yes' } } })
  interface List {
    metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
    items: { metadata: { name: string }; kind?: string }[]
  }
  const page = async (query: string): Promise<List> => (await api(`${CONFIG_MAPS}?${query}`)).json<List>()
  const first = await page('limit=2&labelSelector=paged')
  expect(first.items.map(({ metadata, kind }) => [metadata.name, kind])).toEqual([
    ['page-a', undefined],
    ['page-b', undefined],
  ])
  expect(first.metadata).not.toHaveProperty('remainingItemCount')
  expect((await page('limit=1')).metadata.remainingItemCount).toBeGreaterThan(0)
  await make('page-b2', { metadata: { labels: { paged: 'yes' } } })
  const rest = await page(`limit=2&labelSelector=paged&continue=${first.metadata.continue}`)
  expect(rest.items.map(({ metadata }) => metadata.name)).toEqual(['page-c'])
  expect(rest.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion })
  expect((await page('labelSelector=no%3Done')).items).toEqual([])

  expect((await api(`${CONFIG_MAPS}?continue=nonsense`)).json()).toMatchObject({
    code: 400,
    message: expect.stringMatching(/^continue key is not valid/),
  })
  const old = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: 1, start: 'watched/page-b' })).toString('base64url')
  const gone = (await api(`${CONFIG_MAPS}?continue=${old}`)).json<{ metadata: { continue: string } }>()
  expect(gone).toMatchObject({
    code: 410,
    reason: 'Expired',
    message: expect.stringMatching(/^The provided continue parameter is too old to display a consistent list result\. /),
  })
  const fresh = await page(`labelSelector=paged&continue=${gone.metadata.continue}`)
  expect(fresh.items.map(({ metadata }) => metadata.name)).toEqual(['page-b2', 'page-c'])
})

test('selectors that cannot be read, and fields that a kind does not offer, are refused', async () => {
  const refused = async (query: string): Promise<unknown> => {
    const { code, message } = (await api(`${CONFIG_MAPS}?${query}`)).json<{ code: number; message: string }>()
    return [code, message]
  }
  expect(await refused('labelSelector=a%3D%3D%3Db')).toEqual([400, "unable to parse requirement: found '=', expected: identifier"])
  expect(await refused('labelSelector=a+in+b')).toEqual([400, "unable to parse requirement: found 'b' expected: '('"])
  expect(await refused('fieldSelector=spec.size%3D1')).toEqual([400, 'field label not supported: spec.size'])
  expect(await refused('fieldSelector=metadata.name')).toEqual([400, "invalid selector: 'metadata.name'; can't understand 'metadata.name'"])
})

test('every kind can be selected by name and namespace, and built-in kinds by the fields that tools ask for', async () => {
  const labels: Record<string, string[]> = {
    '/api/v1/pods': ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'spec.hostNetwork'],
    '/api/v1/pods?': ['status.phase', 'status.podIP', 'status.podIPs', 'status.nominatedNodeName'],
    '/api/v1/nodes': ['spec.unschedulable'],
    '/api/v1/events': ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'].map(
      (field) => `involvedObject.${field}`,
    ),
    '/api/v1/events?': ['reason', 'reportingComponent', 'source', 'type'],
    '/api/v1/namespaces': ['status.phase'],
    '/api/v1/secrets': ['type'],
    '/api/v1/services': ['spec.clusterIP', 'spec.type'],
    '/apis/apps/v1/replicasets': ['status.replicas'],
    '/apis/serving.knative.dev/v1/services': ['metadata.namespace'],
  }
  for (const [path, fields] of Object.entries(labels)) {
    const selector = encodeURIComponent(['metadata.name', ...fields].map((field) => `${field}=no-such-value`).join(','))
    const { status, body } = await api(`${path.replace('?', '')}?fieldSelector=${selector}`)
    expect({ path, status, items: body.includes('"items":[]') }).toEqual({ path, status: 200, items: true })
  }
  const described = 'spec.unschedulable%3Dfalse,metadata.name%21%3Dx'
  expect((await api(`/api/v1/nodes?fieldSelector=${described}`)).json<{ items: object[] }>().items).toHaveLength(1)
  const ofNode = 'involvedObject.namespace=,involvedObject.kind=Node'
  expect((await api(`/api/v1/events?fieldSelector=${encodeURIComponent(ofNode)}`)).status).toBe(200)
})

describe('a watch over WebSocket', () => {
  const open = (path: string, headers: object = {}): Promise<WebSocketClient | PlainAnswer> =>
    openWebSocket({
      host: '127.0.0.1',
      port: emulator.ports.control,
      path,
      tls: { ca: emulator.certificates.caCertificate, servername: 'localhost' },
      headers: { Authorization: `Bearer ${emulator.token}`, ...headers },
    })

  test('is one text frame for each event, to clients that open it as fabric8 does', async () => {
    const watch = (await open(`${CONFIG_MAPS}?watch=true&resourceVersion=${await newest()}`, {
      Origin: `https://${api.host}`,
    })) as WebSocketClient
    await make('framed')
    expect(await watch.event()).toMatchObject({ type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'framed' } } })
    await api(`${CONFIG_MAPS}/framed`, { method: 'DELETE' })
    expect(await watch.event()).toMatchObject({ type: 'DELETED' })
    void watch.send(8)
    expect(await watch.frame()).toMatchObject({ opcode: 8 })
    expect(await watch.frame()).toBeUndefined()
  })

  test('needs a credential and an origin of its own, as every request does', async () => {
    const path = `${CONFIG_MAPS}?watch=true`
    expect(await open(path, { Authorization: 'Bearer wrong' })).toMatchObject({ status: 401 })
    expect(await open(path, { Origin: 'https://evil.example' })).toMatchObject({ status: 403 })
    expect(await open(path, { Host: 'evil.example' })).toMatchObject({ status: 403 })
    expect(await open(path, { 'Impersonate-User': 'eve' })).toMatchObject({ status: 403 })
    expect(await open(`${path}&resourceVersion=999999`)).toMatchObject({ status: 504 })
  })

  test('ends with a goodbye when its time is up', async () => {
    const watch = (await open(`${CONFIG_MAPS}?watch=true&timeoutSeconds=1&resourceVersion=${await newest()}`)) as WebSocketClient
    expect(await watch.frame()).toMatchObject({ opcode: 8 })
    expect(await watch.frame()).toBeUndefined()
  })
})

test('a client that closes its side ends its watch', async () => {
  const watchers = async (): Promise<string | undefined> =>
    /apiserver_registered_watchers\{resource="secrets"\} (\d+)/.exec((await api('/metrics')).body)?.[1]
  const socket = connect({ host: '127.0.0.1', port: emulator.ports.control, ca: emulator.certificates.caCertificate })
  socket.write(`GET /api/v1/secrets?watch=true HTTP/1.1\r\nHost: ${api.host}\r\nAuthorization: Bearer ${emulator.token}\r\n\r\n`)
  await new Promise((resolve) => socket.once('data', resolve))
  expect(await watchers()).toBe('1')
  socket.end()
  await expect.poll(watchers).toBe('0')
})

test('readers that do not read cost little, end cleanly, and go on where they were', { timeout: 120_000 }, async () => {
  const { client } = emulator
  const ref = { namespace: 'watched', name: 'busy' }
  await make('busy')
  const from = await newest()
  const path = (version: string): string =>
    `${CONFIG_MAPS}?watch=true&timeoutSeconds=10&resourceVersion=${version}&fieldSelector=metadata.name%3Dbusy`
  const readers = await Promise.all(Array.from({ length: 80 }, () => api.open(path(from))))
  for (const reader of readers) reader.pause()
  let written = 0
  const write = async (count: number): Promise<void> => {
    for (const most = written + count; written < most; written++)
      await client.patch(configMapKind, ref, {
        type: 'application/merge-patch+json',
        body: { data: { n: `${written} ${'x'.repeat(3000)}` } },
      })
  }
  const usedMiB = (): number => {
    const { heapUsed, external } = process.memoryUsage()
    return (heapUsed + external) / 1024 / 1024
  }
  const before = usedMiB()
  await write(4500)
  // As text for each reader it would be a gigabyte.
  expect(usedMiB() - before).toBeLessThan(300)
  await write(2500)

  // Each change is seen once, in order, first by the slow reader and then by the one that takes over from it.
  let next = 0
  let last = from
  const take = ({ object }: Seen): void => {
    expect((object as unknown as { data: { n: string } }).data.n.split(' ', 1)).toEqual([String(next++)])
    last = object.metadata.resourceVersion
  }
  let rest = ''
  for await (const chunk of readers[0]!) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop()!
    for (const line of lines) take(JSON.parse(line))
  }
  expect([rest, readers[0]!.complete]).toEqual(['', true])
  for (const reader of readers) reader.destroy()
  expect(next).toBeLessThan(written)
  for (const event of await seen(path(last), written - next)) take(event)
  expect(next).toBe(written)

  await write(4000)
  // The beginning is out of the window by now.
  const gone = await api(`${CONFIG_MAPS}?watch=true&resourceVersion=${from}`)
  expect([gone.status, gone.json()]).toMatchObject([
    410,
    { reason: 'Expired', message: expect.stringMatching(new RegExp(`^too old resource version: ${from} \\(\\d+\\)$`)) },
  ])
})

describe.each(findOldestAndNewest())('kubectl $version', ({ path, version }) => {
  test('watches until its time is up and ends well, and waits for what comes and goes', async () => {
    const name = `waited-${version.replace(/\W/g, '-')}`
    const kubectl = (args: string) => run(path, args.split(' '), emulator.env)
    const isOld = minorOf(version) < 23
    const made = kubectl(`wait -n watched --for=delete cm/${name} --timeout=30s`)
    expect(await made).toMatchObject({ exitCode: isOld ? 1 : 0 })
    await make(name)
    const watching = kubectl(`get cm ${name} -n watched -w -o name --request-timeout=3s`)
    const waiting = isOld ? undefined : kubectl(`wait -n watched --for=jsonpath={.data.done}=yes cm/${name} --timeout=30s`)
    await change(name, { data: { done: 'yes' } })
    if (waiting) expect(await waiting).toMatchObject({ exitCode: 0, stdout: `configmap/${name} condition met\n` })
    expect((await watching).stdout).toContain(`configmap/${name}\n`)
    const gone = kubectl(`wait -n watched --for=delete cm/${name} --timeout=30s`)
    await api(`${CONFIG_MAPS}/${name}`, { method: 'DELETE' })
    const { exitCode } = await gone
    // What is gone before it looks is an error to an old one.
    if (!isOld) expect(exitCode).toBe(0)
  })
})
