import { expect } from 'vitest'
import type { Client } from '../../src/client/client.js'
import { routeKind } from '../../src/kinds/route/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import type { TrafficOverview } from '../../src/plugins/traffic/overview.js'
import { type EmulatorFixtures, fetchFrom, HELLO_IMAGE, test } from '../support/emulator.js'

type Kn = EmulatorFixtures['kn']

/** The service `hello` with that many revisions; revision N answers `Hello N!`. */
async function withRevisions(kn: Kn, count: number): Promise<void> {
  await kn(['service', 'create', 'hello', '--image', HELLO_IMAGE, '--env', 'TARGET=1'])
  for (let number = 2; number <= count; number++) await kn(['service', 'update', 'hello', '--env', `TARGET=${number}`])
}

/** How many of 40 requests each revision answered, by what it says. */
async function answers(port: number, name = 'hello'): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (let request = 0; request < 40; request++) {
    const { body } = await fetchFrom(`http://${name}.default.localhost:${port}/`)
    counts[body.trim()] = (counts[body.trim()] ?? 0) + 1
  }
  return counts
}

const targets = async (client: Client) => (await client.get(serviceKind, { namespace: 'default', name: 'hello' })).spec.traffic
const overview = async (kn: Kn): Promise<TrafficOverview> => JSON.parse((await kn('traffic show hello -o json')).stdout) as TrafficOverview

test('service update --traffic splits requests between two revisions', async ({ kn, client, emulator }) => {
  await withRevisions(kn, 2)
  const { exitCode, stdout } = await kn(['service', 'update', 'hello', '--traffic', 'hello-00001=50', '--traffic', '@latest=50'])
  expect(exitCode).toBe(0)
  expect(stdout).toContain("Service 'hello' with latest revision 'hello-00002' (unchanged) is available at URL:\n")
  const counts = await answers(emulator.ports.external)
  expect(Object.keys(counts).sort()).toEqual(['Hello 1!', 'Hello 2!'])
  expect(Math.min(...Object.values(counts))).toBeGreaterThan(5)
  expect(await targets(client)).toEqual([
    { latestRevision: true, percent: 50 },
    { latestRevision: false, revisionName: 'hello-00001', percent: 50 },
  ])
})

test('service update --tag gives a revision an address of its own, --untag takes it away', async ({ kn, client, emulator }) => {
  await withRevisions(kn, 2)
  expect((await kn(['service', 'update', 'hello', '--tag', 'hello-00001=old', '--tag', '@latest=new'])).exitCode).toBe(0)
  const port = emulator.ports.external
  expect(await answers(port, 'old-hello')).toEqual({ 'Hello 1!': 40 })
  expect(await answers(port, 'new-hello')).toEqual({ 'Hello 2!': 40 })
  expect(await answers(port)).toEqual({ 'Hello 2!': 40 })
  const { status } = await client.get(routeKind, { namespace: 'default', name: 'hello' })
  expect(status?.traffic?.map(({ tag, url }) => [tag, url])).toEqual([
    ['new', `http://new-hello.default.localhost:${port}`],
    ['old', `http://old-hello.default.localhost:${port}`],
  ])
  expect((await kn('service update hello --untag old')).exitCode).toBe(0)
  expect(await targets(client)).toEqual([{ latestRevision: true, percent: 100, tag: 'new' }])
  expect((await fetchFrom(`http://old-hello.default.localhost:${port}/`)).status).toBe(404)
  expect((await kn('service update hello --untag old')).stderr).toContain(
    'Error: tag(s) old not present for any revisions of service hello\n',
  )
})

test('with all traffic on a named revision, a new one is reached by its tag only', async ({ kn, emulator }) => {
  await withRevisions(kn, 1)
  expect((await kn('service update hello --traffic hello-00001=100')).exitCode).toBe(0)
  expect((await kn('service update hello --env TARGET=2 --tag @latest=candidate')).exitCode).toBe(0)
  const port = emulator.ports.external
  expect(await answers(port)).toEqual({ 'Hello 1!': 40 })
  expect(await answers(port, 'candidate-hello')).toEqual({ 'Hello 2!': 40 })
  expect((await kn('service update hello --traffic candidate=100')).exitCode).toBe(0)
  expect(await answers(port)).toEqual({ 'Hello 2!': 40 })
})

test('service update with a new revision puts the rest of the traffic on it', async ({ kn, client }) => {
  await withRevisions(kn, 1)
  expect((await kn('service update hello --env TARGET=2 --traffic hello-00001=90')).exitCode).toBe(0)
  expect(await targets(client)).toEqual([
    { latestRevision: true, percent: 10 },
    { latestRevision: false, revisionName: 'hello-00001', percent: 90 },
  ])
})

test('service update says when the route does not take the traffic', async ({ kn }) => {
  await withRevisions(kn, 1)
  const { exitCode, stderr } = await kn('service update hello --traffic nope=100 --wait-window 0')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('Error: RevisionMissing: Revision "nope" referenced in traffic not found.\n')
})

test('traffic show lists every revision with share, tags, readiness, age and URL', async ({ kn, emulator }) => {
  await withRevisions(kn, 3)
  await kn(['service', 'update', 'hello', '--traffic', 'hello-00001=20,@latest=80', '--tag', 'hello-00002=mid'])
  const { exitCode, stdout, stderr } = await kn('traffic show hello')
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const port = emulator.ports.external
  expect(stdout.replaceAll(/\b\ds /g, '0s ')).toBe(
    `REVISION                TRAFFIC   TAGS   READY   AGE   URL
@latest (hello-00003)   80%              True    0s    http://hello.default.localhost:${port}
hello-00002                       mid    True    0s    http://mid-hello.default.localhost:${port}
hello-00001             20%              True    0s    http://hello.default.localhost:${port}
`,
  )
  expect(await overview(kn)).toMatchObject({
    service: 'hello',
    namespace: 'default',
    url: `http://hello.default.localhost:${port}`,
    revisions: [
      { name: 'hello-00003', percent: 80, isLatest: true, tags: [], ready: 'True' },
      { name: 'hello-00002', percent: 0, isLatest: false, tags: [{ name: 'mid', url: `http://mid-hello.default.localhost:${port}` }] },
      { name: 'hello-00001', percent: 20, isLatest: false, tags: [] },
    ],
  })
  expect((await kn('traffic show ghost')).stderr).toBe(`Error: services.serving.knative.dev "ghost" not found\nRun 'kn --help' for usage\n`)
})

test('traffic set changes the traffic, waits for the route and says what changed', async ({ kn, client, emulator }) => {
  await withRevisions(kn, 2)
  const dry = await kn('traffic set hello hello-00001=75 @latest=25 --dry-run')
  const table =
    'REVISION                BEFORE   AFTER   TAGS\n@latest (hello-00002)   100%     25%     \nhello-00001             -        75%     \n'
  expect(dry).toEqual({ exitCode: 0, stdout: `Would set the traffic of service 'hello' in namespace 'default':\n\n${table}`, stderr: '' })
  expect(await targets(client)).toEqual([{ latestRevision: true, percent: 100 }])

  const { exitCode, stdout, stderr } = await kn('traffic set hello hello-00001=75 @latest=25')
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `Traffic of service 'hello' in namespace 'default' set:\n\n${table}` })
  expect(stderr).toContain("Waiting for the route of service 'hello' ...\n")
  const { status } = await client.get(routeKind, { namespace: 'default', name: 'hello' })
  expect(status?.traffic).toEqual([
    { latestRevision: true, percent: 25, revisionName: 'hello-00002' },
    { latestRevision: false, percent: 75, revisionName: 'hello-00001' },
  ])
  expect(Object.keys(await answers(emulator.ports.external)).sort()).toEqual(['Hello 1!', 'Hello 2!'])

  const unwaited = await kn('traffic set hello @latest=100 --no-wait')
  expect(unwaited.exitCode).toBe(0)
  expect(unwaited.stderr).not.toContain('Waiting')
  expect(await targets(client)).toEqual([{ latestRevision: true, percent: 100 }])
})

test('traffic set refuses what makes no 100 and what is not there, and changes nothing', async ({ kn, client }) => {
  await withRevisions(kn, 1)
  for (const [words, message] of [
    ['hello-00001=80', 'the percents make 80, not 100'],
    ['hello-00009=100', "service 'hello' has no revision or tag 'hello-00009', it has the revisions hello-00001"],
    ['', "'kn traffic set' requires the name of the service and at least one REVISION=PERCENT"],
  ] as const) {
    const { exitCode, stdout, stderr } = await kn(['traffic', 'set', 'hello', ...words.split(' ').filter(Boolean)])
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
    expect(stderr).toContain(`Error: ${message}\n`)
  }
  expect(await targets(client)).toEqual([{ latestRevision: true, percent: 100 }])
})

test('traffic rollback goes back revision by revision, and says when there is none before', async ({ kn, emulator }) => {
  await withRevisions(kn, 3)
  await kn('service update hello --tag @latest=new')
  const first = await kn('traffic rollback hello')
  expect(first.stdout).toBe(
    "Traffic of service 'hello' in namespace 'default' rolled back from 'hello-00003' to 'hello-00002':\n\n" +
      'REVISION                BEFORE   AFTER   TAGS\n@latest (hello-00003)   100%     -       new\nhello-00002             -        100%    \n',
  )
  expect(first.stderr).toContain("New revisions get no traffic until 'kn traffic set hello @latest=100'.\n")
  expect(await answers(emulator.ports.external)).toEqual({ 'Hello 2!': 40 })
  expect(await answers(emulator.ports.external, 'new-hello')).toEqual({ 'Hello 3!': 40 })

  expect((await kn('traffic rollback hello --dry-run')).stdout).toContain(
    "Would roll back the traffic of service 'hello' in namespace 'default' from",
  )
  expect((await overview(kn)).revisions.map(({ percent }) => percent)).toEqual([0, 100, 0])
  expect((await kn('traffic rollback hello')).stdout).toContain("rolled back from 'hello-00002' to 'hello-00001'")
  expect(await answers(emulator.ports.external)).toEqual({ 'Hello 1!': 40 })
  expect(await kn('traffic rollback hello')).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: "Error: service 'hello' has no ready revision older than 'hello-00001' to roll back to\nRun 'kn --help' for usage\n",
  })
})

test('traffic is rolled back while the newest revision is broken and the service not ready', async ({ kn, emulator }) => {
  await withRevisions(kn, 2)
  await kn(['service', 'update', 'hello', '--image', 'example.org/none', '--no-wait'])
  const { exitCode, stdout } = await kn('traffic rollback hello')
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("from 'hello-00002' to 'hello-00001'") })
  expect(await answers(emulator.ports.external)).toEqual({ 'Hello 1!': 40 })
  expect((await kn('traffic show hello')).stderr).toContain("Service 'hello' is not ready: ")
})
