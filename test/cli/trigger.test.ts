import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { configMapKind } from '../../src/kinds/core/configmap/kind.js'
import { namespaceKind } from '../../src/kinds/core/namespace/kind.js'
import { coreServiceKind } from '../../src/kinds/core/service/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { triggerKind } from '../../src/kinds/trigger/kind.js'
import { test } from '../support/emulator.js'
import { aService, eventually } from '../support/objects.js'

const HINT = "Run 'kn --help' for usage\n"
const KSVC = { kind: 'Service', apiVersion: 'serving.knative.dev/v1', name: 'hello', namespace: 'default' }

test('trigger create connects a broker with a service; list and describe show it', async ({ kn, client }) => {
  expect(await kn('trigger list')).toEqual({ exitCode: 0, stdout: 'No triggers found.\n', stderr: '' })
  await client.create(brokerKind, { metadata: { namespace: 'default', name: 'default' } })
  await client.create(serviceKind, aService({ name: 'hello' }))
  await eventually(client, serviceKind, 'hello', { type: 'Ready', status: 'True' })
  // The name after a repeatable flag is the name.
  expect(await kn('trigger create --sink hello --filter type=a,source=/s mine')).toEqual({
    exitCode: 0,
    stdout: "Trigger 'mine' successfully created in namespace 'default'.\n",
    stderr: '',
  })
  const { spec } = await eventually(client, triggerKind, 'mine', { type: 'Ready', status: 'True' })
  expect(spec).toEqual({ broker: 'default', filter: { attributes: { type: 'a', source: '/s' } }, subscriber: { ref: KSVC } })
  expect((await kn('triggers ls ignored')).stdout).toBe(
    'NAME   BROKER    SINK         AGE   CONDITIONS   READY   REASON\n' + 'mine   default   ksvc:hello   0s    7 OK / 7     True    \n',
  )
  const { stdout } = await kn('trigger describe mine -v')
  expect(stdout.slice(stdout.indexOf('Age:'), stdout.indexOf('  ++ BrokerReady'))).toBe(
    [
      'Age:          0s',
      'Broker:       default',
      'Filter:       ',
      '  source:     /s',
      '  type:       a',
      '',
      'Sink:        ',
      '  Name:      hello',
      '  Resource:  Service (serving.knative.dev/v1)',
      '',
      'Conditions:  ',
      '  OK TYPE                      AGE REASON',
      '  ++ Ready                      0s ',
      '',
    ].join('\n'),
  )
  expect(stdout).toContain('DeadLetterSinkNotConfigured (No dead letter sink is configured.)\n')
  expect((await kn(['trigger', 'list', '-o', 'jsonpath={.kind} {.items[*].metadata.name}'])).stdout).toBe('TriggerList mine')
})

test('trigger create passes on what is wrong with the sink or a filter, and creates nothing', async ({ kn, client }) => {
  await client.create(brokerKind, { metadata: { namespace: 'default', name: 'b' } })
  const refused = "Error: cannot create trigger 'mine' in namespace 'default' because: "
  for (const [sink, why] of [
    ['ghost', 'services.serving.knative.dev "ghost" not found'],
    ['ksvc:ghost:elsewhere', 'services.serving.knative.dev "ghost" not found'],
    ['broker:ghost', 'brokers.eventing.knative.dev "ghost" not found'],
    ['svc:ghost', 'services "ghost" not found'],
    ['apps/v1/deployment:ghost', 'deployments.apps "ghost" not found'],
    ['foo:ghost', 'the server could not find the requested resource'],
    ['http://a:b', 'sink has invalid format: parse "http://a:b": invalid port ":b" after host'],
    ['', 'sink is required'],
  ] as const) {
    const said = { exitCode: 1, stdout: '', stderr: `${refused}${why}\n${HINT}` }
    expect(await kn(['trigger', 'create', 'mine', '--sink', sink]), sink).toEqual(said)
  }
  expect((await kn('trigger create mine --sink broker:b --filter type')).stderr).toBe(
    `Error: cannot create trigger 'mine' because Invalid --filter: Argument requires a value that contains the "=" character; got "type"\n${HINT}`,
  )
  expect((await kn('trigger create mine --sink broker:b --filter Type=x')).stderr).toContain(
    `${refused}admission webhook "validation.webhook.eventing.knative.dev" denied the request: validation failed: invalid key name "Type"`,
  )
  expect((await kn('trigger create mine')).stderr).toBe(`Error: required flag(s) "sink" not set\n${HINT}`)
  expect((await kn('trigger create --sink broker:b')).stderr).toBe(`Error: 'trigger create' requires the name of the trigger\n${HINT}`)
  expect((await kn('trigger create mine --sink broker:b --inject-broker')).stderr).toContain('Error: unknown flag: --inject-broker')
  expect(await client.list(triggerKind)).toEqual([])
})

test('a sink may be any object that is there, a URI, or what a prefix of the configuration file says', async ({ kn, client, emulator }) => {
  await client.create(coreServiceKind, { metadata: { namespace: 'default', name: 'web' }, spec: { ports: [{ port: 80 }] } })
  await client.create(configMapKind, { metadata: { namespace: 'default', name: 'cm' } })
  mkdirSync(join(emulator.directory, '.config', 'kn'), { recursive: true })
  const mapping = 'eventing:\n  sink-mappings:\n  - prefix: conf\n    version: v1\n    resource: configmaps\n'
  writeFileSync(join(emulator.directory, '.config', 'kn', 'config.yaml'), mapping)
  const sinks = { a: 'svc:web', b: 'http://example.org/in', c: 'v1/configmap:cm', d: 'conf:cm' }
  for (const [name, sink] of Object.entries(sinks)) expect(await kn(['trigger', 'create', name, '-s', sink])).toMatchObject({ exitCode: 0 })
  const ref = { apiVersion: 'v1', namespace: 'default' }
  expect((await client.list(triggerKind)).map(({ spec }) => spec.subscriber)).toEqual([
    { ref: { ...ref, kind: 'Service', name: 'web' } },
    { uri: 'http://example.org/in' },
    { ref: { ...ref, kind: 'ConfigMap', name: 'cm' } },
    { ref: { ...ref, kind: 'ConfigMap', name: 'cm' } },
  ])
  const cells = (await kn('trigger list --no-headers')).stdout.split('\n').map((line) => line.split(/ {2,}/)[2])
  expect(cells).toEqual(['svc:web', 'http://example.org/in', 'configmaps./v1:cm', 'configmaps./v1:cm', undefined])
})

test('trigger update changes filters and sink, and nothing else', async ({ kn, client }) => {
  await client.create(coreServiceKind, { metadata: { namespace: 'default', name: 'web' }, spec: { ports: [{ port: 80 }] } })
  await kn('trigger create mine --broker b --sink http://example.org --filter type=a --filter source=/s')
  const spec = async () => (await client.get(triggerKind, { namespace: 'default', name: 'mine' })).spec

  expect(await kn('trigger update mine --filter type- --filter subject=x --sink svc:web')).toEqual({
    exitCode: 0,
    stdout: "Trigger 'mine' updated in namespace 'default'.\n",
    stderr: '',
  })
  const subscriber = { ref: { kind: 'Service', apiVersion: 'v1', name: 'web', namespace: 'default' } }
  expect(await spec()).toEqual({ broker: 'b', filter: { attributes: { source: '/s', subject: 'x' } }, subscriber })
  await kn('trigger update mine --filter source-,subject-')
  expect(await spec()).toEqual({ broker: 'b', filter: {}, subscriber })

  expect((await kn('trigger update mine --sink ghost')).stderr).toBe(`Error: services.serving.knative.dev "ghost" not found\n${HINT}`)
  expect((await kn('trigger update ghost --sink svc:web')).stderr).toBe(`Error: triggers.eventing.knative.dev "ghost" not found\n${HINT}`)
  expect((await kn('trigger update')).stderr).toBe(`Error: name of trigger required\n${HINT}`)
  expect((await kn('trigger update mine --broker c')).stderr).toContain("Error: unknown flag: --broker for 'kn trigger update'\n")
  expect(await spec()).toEqual({ broker: 'b', filter: {}, subscriber })
})

test('trigger list -A shows namespaces, default first; trigger delete takes one away', async ({ kn, client }) => {
  await client.create(namespaceKind, { metadata: { name: 'another' } })
  for (const namespace of ['another', 'default']) await kn(`trigger create mine -n ${namespace} --sink http://example.org`)
  await eventually(client, triggerKind, 'mine', { type: 'Ready', status: 'False' })
  const rows = (await kn('trigger list -A')).stdout.trimEnd().split('\n')
  expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual(['NAMESPACE', 'default', 'another'])
  expect(rows[1]).toMatch(/0 OK \/ 7 {5}False {3}BrokerDoesNotExist : Broker "default" does not exist$/)

  expect((await kn('trigger delete mine')).stdout).toBe("Trigger 'mine' deleted in namespace 'default'.\n")
  expect((await kn('trigger delete mine')).stderr).toBe(`Error: triggers.eventing.knative.dev "mine" not found\n${HINT}`)
  expect((await kn('trigger delete')).stderr).toBe(`Error: 'trigger delete' requires the name of the trigger as single argument\n${HINT}`)
  expect((await kn('trigger describe')).stderr).toBe(
    "Error: 'kn trigger describe' requires name of the trigger as single argument\nRun 'kn trigger describe --help' for usage\n",
  )
  expect(await client.list(triggerKind)).toHaveLength(1)
})
