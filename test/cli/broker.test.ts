import { expect } from 'vitest'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { test } from '../support/emulator.js'
import { aService, eventually } from '../support/objects.js'

const HINT = "Run 'kn --help' for usage\n"
const INGRESS = 'http://broker-ingress.knative-eventing.svc.cluster.local'

test('broker create makes a broker that becomes ready; list and describe show it', async ({ kn, client }) => {
  expect(await kn('broker list')).toEqual({ exitCode: 0, stdout: 'No brokers found.\n', stderr: '' })
  expect(await kn('broker create mine')).toEqual({
    exitCode: 0,
    stdout: "Broker 'mine' successfully created in namespace 'default'.\n",
    stderr: '',
  })
  await eventually(client, brokerKind, 'mine', { type: 'Ready', status: 'True' })
  expect((await kn('brokers ls ignored')).stdout).toBe(
    'NAME   URL                                                                     AGE   CONDITIONS   READY   REASON\n' +
      `mine   ${INGRESS}/default/mine   0s    7 OK / 7     True    \n`,
  )
  expect((await kn('broker list -A --no-headers')).stdout).toMatch(/^default {3}mine {3}http/)
  expect((await kn('broker list -o name')).stdout).toBe('broker.eventing.knative.dev/mine\n')
  expect((await kn('broker describe mine -o url')).stdout).toBe(`${INGRESS}/default/mine\n`)
  expect((await kn('broker describe mine')).stdout).toMatch(
    new RegExp(
      `^Name: {9}mine\nNamespace: {4}default\nAnnotations: {2}eventing\\.knative\\.dev/broker\\.class=MTChannelBasedBroker, .*\nAge: {10}0s\n\nAddress: {2}\n {2}URL: {4}${INGRESS}/default/mine\n\nConditions: {2}\n`,
    ),
  )
  const described = JSON.parse((await kn('broker describe mine -o json')).stdout) as object
  expect(Object.keys(described)).toEqual(['kind', 'apiVersion', 'metadata', 'spec', 'status'])
  expect((await kn('broker describe mine -o wide')).stderr).toContain('output format "wide", allowed formats are: go-template,')
})

test('broker create and update set the delivery; what the server refuses is told with what was to be done', async ({ kn, client }) => {
  await client.create(serviceKind, aService({ name: 'dead' }))
  const flags = '--retry 3 --timeout PT10S --backoff-policy linear --backoff-delay PT1S'
  expect((await kn(`broker create mine --dl-sink dead ${flags}`)).exitCode).toBe(0)
  const deadLetterSink = { ref: { kind: 'Service', apiVersion: 'serving.knative.dev/v1', name: 'dead', namespace: 'default' } }
  const delivery = { deadLetterSink, retry: 3, timeout: 'PT10S', backoffPolicy: 'linear', backoffDelay: 'PT1S' }
  const ref = { namespace: 'default', name: 'mine' }
  expect((await client.get(brokerKind, ref)).spec?.delivery).toEqual(delivery)

  expect((await kn('broker update mine --retry 5 --dl-sink http://example.org/dead')).stdout).toBe(
    "Broker 'mine' updated in namespace 'default'.\n",
  )
  const changed = { ...delivery, retry: 5, deadLetterSink: { uri: 'http://example.org/dead' } }
  expect((await client.get(brokerKind, ref)).spec?.delivery).toEqual(changed)
  expect((await kn(['broker', 'update', 'mine', '--retry', '0', '--timeout', ''])).exitCode).toBe(0)
  expect((await client.get(brokerKind, ref)).spec?.delivery).toEqual(changed)

  expect(await kn('broker create mine')).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `Error: cannot create broker 'mine' in namespace 'default' because: brokers.eventing.knative.dev "mine" already exists\n${HINT}`,
  })
  expect((await kn('broker create other --dl-sink ghost')).stderr).toBe(`Error: services.serving.knative.dev "ghost" not found\n${HINT}`)
  expect((await kn('broker create other --backoff-policy square')).stderr).toContain('invalid value: square: spec.delivery.backoffPolicy\n')
  expect((await kn('broker create other --retry 3000000000')).stderr).toContain(
    `Error: invalid argument "3000000000" for "--retry" flag: strconv.ParseInt: parsing "3000000000": value out of range for 'kn broker create'\n`,
  )
  expect((await kn('broker create other --broker-config cm:x')).stderr).toBe(
    `Error: cannot set broker-config without setting class\n${HINT}`,
  )
  expect((await client.list(brokerKind)).map(({ metadata }) => metadata.name)).toEqual(['mine'])
})

test('broker create takes a class and a configuration, which list tells about when it is not there', async ({ kn, client }) => {
  await kn('broker create mine --class MTChannelBasedBroker --broker-config cm:ghost')
  const broker = await eventually(client, brokerKind, 'mine', { type: 'Ready', status: 'False' })
  expect(broker.spec?.config).toEqual({ kind: 'ConfigMap', apiVersion: 'v1', name: 'ghost', namespace: 'default' })
  expect((await kn('broker list --no-headers')).stdout).toMatch(/ False {3}ChannelTemplateFailed : .*configmap "ghost" not found\n$/)
})

test('broker delete deletes; with --wait until the broker is gone', async ({ kn, client }) => {
  for (const name of ['a', 'b']) {
    await kn(['broker', 'create', name])
    await eventually(client, brokerKind, name, { type: 'Ready', status: 'True' })
  }
  expect((await kn('broker delete a --wait')).stdout).toBe("Broker 'a' successfully deleted in namespace 'default'.\n")
  expect((await client.list(brokerKind)).map(({ metadata }) => metadata.name)).toEqual(['b'])
  expect((await kn('broker delete b')).exitCode).toBe(0)
  expect(await kn('broker delete a')).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `Error: cannot delete broker 'a' in namespace 'default' because: brokers.eventing.knative.dev "a" not found\n${HINT}`,
  })
})

test('a broker command without its one name says so, and an update without flags its usage', async ({ kn }) => {
  for (const verb of ['create', 'describe', 'delete', 'update --retry 1']) {
    const { stderr, exitCode } = await kn(`broker ${verb}`)
    const said = `Error: 'broker ${verb.split(' ')[0]}' requires the broker name given as single argument\n${HINT}`
    expect({ stderr, exitCode }).toEqual({ stderr: said, exitCode: 1 })
  }
  expect((await kn('broker update x')).stderr).toBe(`Error: flag(s) not set\nUsage: update NAME\n${HINT}`)
  expect((await kn('broker describe ghost')).stderr).toBe(`Error: brokers.eventing.knative.dev "ghost" not found\n${HINT}`)
})
