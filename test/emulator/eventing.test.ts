import { describe, expect } from 'vitest'
import { run, type TestEmulator, test } from '../support/emulator.js'
import { findKubectls } from '../support/kubectl.js'

/** The newest kubectl there is; what differs between releases is test/emulator/kubectl.test.ts's business. */
const kubectl = findKubectls().at(-1)

const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'default' } }
const aTrigger = (name: string, spec: object = {}, metadata: object = {}) => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name, ...metadata },
  spec: { broker: 'default', subscriber: { uri: 'http://subscriber.example.com' }, ...spec },
})

describe.skipIf(!kubectl)('Eventing with kubectl', () => {
  const ran = (emulator: TestEmulator, line: string, input?: object) =>
    run(kubectl!.path, line.split(' '), emulator.env, input ? { input: JSON.stringify(input) } : {})
  const apply = (emulator: TestEmulator, object: object) => ran(emulator, 'apply -f -', object)
  const output = async (emulator: TestEmulator, line: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await ran(emulator, line)
    expect({ line, exitCode, stderr }).toEqual({ line, exitCode: 0, stderr: '' })
    return stdout
  }
  const rowsOf = (table: string): string[][] =>
    table
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/\s{2,}/))

  test('a Broker and a Trigger become ready, with the channel and the Subscription of a cluster', async ({ emulator }) => {
    expect((await apply(emulator, BROKER)).stdout).toBe('broker.eventing.knative.dev/default created\n')
    expect((await apply(emulator, aTrigger('t', { filter: { attributes: { type: 'a' } } }))).exitCode).toBe(0)
    await output(emulator, 'wait --for=condition=Ready broker/default trigger/t --timeout=30s')

    const [brokerHeads, broker] = rowsOf(await output(emulator, 'get broker -o wide'))
    expect(brokerHeads!.join(' ')).toBe('NAME URL AGE READY REASON CLASS')
    expect(broker!.slice(0, 2)).toEqual(['default', 'http://broker-ingress.knative-eventing.svc.cluster.local/default/default'])
    expect(broker!.slice(3)).toEqual(['True', 'MTChannelBasedBroker'])
    const [triggerHeads, trigger] = rowsOf(await output(emulator, 'get trigger'))
    expect(triggerHeads!.join(' ')).toBe('NAME BROKER SUBSCRIBER_URI AGE READY REASON')
    expect(trigger!.slice(0, 3)).toEqual(['t', 'default', 'http://subscriber.example.com'])
    expect(trigger![4]).toBe('True')

    expect(await output(emulator, 'get imc -o name')).toBe('inmemorychannel.messaging.knative.dev/default-kne-trigger\n')
    const uid = await output(emulator, 'get trigger t -o jsonpath={.metadata.uid}')
    expect(await output(emulator, 'get subscription -o name')).toBe(`subscription.messaging.knative.dev/default-t-${uid}\n`)

    await output(emulator, 'delete broker default')
    await output(emulator, 'wait --for=condition=Ready=False trigger/t --timeout=30s')
    const reason = 'get trigger t -o jsonpath={.status.conditions[?(@.type=="Ready")].reason}'
    expect(await output(emulator, reason)).toBe('BrokerDoesNotExist')
    await output(emulator, 'wait --for=delete imc/default-kne-trigger --timeout=30s')
  })

  test('what is refused is refused in the words of Knative’s webhooks', async ({ emulator }) => {
    const denied = 'Error from server (BadRequest): error when creating "STDIN": admission webhook '
    const validation = `${denied}"validation.webhook.eventing.knative.dev" denied the request: validation failed: `
    const refused = async (object: object) => {
      const { exitCode, stdout, stderr } = await apply(emulator, object)
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' })
      return stderr
    }
    expect(await refused(aTrigger('t', { broker: '' }))).toBe(`${validation}missing field(s): spec.broker\n`)
    expect(await refused(aTrigger('t', { delivery: { retry: -1 } }))).toBe(`${validation}invalid value: -1: spec.delivery.retry\n`)
    expect(await refused(aTrigger('t', { colour: 'blue' }))).toBe(
      `${denied}"webhook.eventing.knative.dev" denied the request: mutation failed: cannot decode incoming new object: json: unknown field "colour"\n`,
    )
    expect(await refused({ apiVersion: 'eventing.knative.dev/v1alpha1', kind: 'EventPolicy', metadata: { name: 'p' }, spec: {} })).toBe(
      `${validation}oidc-authentication feature not enabled: \n`,
    )
    const old = aTrigger('old', {}, { annotations: { 'knative-eventing-injection': 'enabled' } })
    expect((await apply(emulator, old)).stderr).toContain('Warning: annotation knative-eventing-injection is no longer a part of Knative')
    await output(emulator, 'wait --for=condition=Ready trigger/old --timeout=30s')
  })

  test('a label on a namespace is enough for a Broker', async ({ emulator }) => {
    await output(emulator, 'create namespace shop')
    await output(emulator, 'label namespace shop eventing.knative.dev/injection=enabled')
    await output(emulator, 'wait --for=create broker/default -n shop --timeout=30s')
    await output(emulator, 'wait --for=condition=Ready broker/default -n shop --timeout=30s')
    expect(await output(emulator, 'get broker -A -o jsonpath={.items[*].metadata.labels}')).toBe('{"eventing.knative.dev/injected":"true"}')
  })

  test('the kinds, their short names, definitions, accounts and roles are those of a cluster', async ({ emulator }) => {
    const names = (await output(emulator, 'api-resources --api-group=eventing.knative.dev --no-headers -o name')).trim().split('\n').sort()
    expect(names).toEqual(
      ['brokers', 'eventpolicies', 'eventtypes', 'requestreplies', 'triggers'].map((name) => `${name}.eventing.knative.dev`),
    )
    expect(await output(emulator, 'get rr -o name')).toBe('')
    const versions = await output(emulator, 'get crd eventtypes.eventing.knative.dev -o jsonpath={.spec.versions[?(@.storage==true)].name}')
    expect(versions).toBe('v1beta2')
    const addressable = await output(emulator, 'get crd -l duck.knative.dev/addressable=true -o name')
    expect(addressable).toContain('brokers.eventing.knative.dev')
    expect(addressable).not.toContain('requestreplies')
    const rules = await output(emulator, 'get clusterrole addressable-resolver -o jsonpath={.rules[*].resources}')
    expect(rules).toContain('"brokers"')
    expect(await output(emulator, 'get serviceaccount -n knative-eventing -o name')).toContain('serviceaccount/eventing-controller\n')
    const config = await output(emulator, 'get configmap -n knative-eventing -o name')
    for (const name of [
      'config-br-defaults',
      'default-ch-webhook',
      'config-features',
      'config-sugar',
      'config-logging',
      'config-observability',
    ])
      expect(config).toContain(`configmap/${name}\n`)
  })
})
