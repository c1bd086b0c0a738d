import { expect } from 'vitest'
import { brokerKind } from '../../src/kinds/broker/kind.js'
import { eventTypeKind } from '../../src/kinds/eventtype/kind.js'
import { test } from '../support/emulator.js'
import { eventually } from '../support/objects.js'

const HINT = "Run 'kn --help' for usage\n"

test('eventtype create, list, describe and delete', async ({ kn, client }) => {
  expect((await kn('eventtype list')).stdout).toBe('No eventtypes found.\n')
  await client.create(brokerKind, { metadata: { namespace: 'default', name: 'b' } })
  await eventually(client, brokerKind, 'b', { type: 'Ready', status: 'True' })
  expect((await kn('eventtype create one --type dev.paid --source /shop -b b')).stdout).toBe(
    "Eventtype 'one' successfully created in namespace 'default'.\n",
  )
  expect((await kn('eventtype create two -t dev.paid -r broker:b')).exitCode).toBe(0)
  for (const name of ['one', 'two']) await eventually(client, eventTypeKind, name, { type: 'Ready', status: 'True' })
  expect((await kn('eventtypes ls')).stdout).toBe(
    'NAME   TYPE       SOURCE   REFERENCE   AGE   READY\n' +
      'one    dev.paid   /shop    b           0s    True\n' +
      'two    dev.paid            b           0s    True\n',
  )
  const { stdout } = await kn('eventtype describe one')
  expect(stdout.slice(stdout.indexOf('Source:'))).toBe(
    [
      'Source:        /shop',
      'Reference:     ',
      '  APIVersion:  eventing.knative.dev/v1',
      '  Kind:        Broker',
      '  Name:        b',
      '',
      '',
      'Conditions:  ',
      '  OK TYPE               AGE REASON',
      '  ++ Ready               0s ',
      '  ++ ReferenceExists     0s ',
      '',
    ].join('\n'),
  )
  expect((await kn('eventtype delete two')).stdout).toBe("Eventtype 'two' successfully deleted in namespace 'default'.\n")
  expect((await kn('eventtype list -o name')).stdout).toBe('eventtype.eventing.knative.dev/one\n')
})

test('eventtype commands refuse as kn does', async ({ kn, client }) => {
  for (const [line, said] of [
    ['create x', 'required flag(s) "type" not set'],
    ['create -t a', "'eventtype create' requires the eventtype name given as single argument"],
    ['create x -t a -b b -r broker:b', "use only one of '--broker' or '--reference' flags"],
    [
      'create x -t a -r broker:ghost',
      `cannot create eventtype 'x' in namespace 'default' because: brokers.eventing.knative.dev "ghost" not found`,
    ],
    [
      'create x -t a --source http://[::1',
      `cannot create eventtype 'x' in namespace 'default' because: parse "http://[::1": missing ']' in host`,
    ],
    ['delete x', `cannot delete eventtype 'x' in namespace 'default' because: eventtypes.eventing.knative.dev "x" not found`],
    ['describe x', 'eventtypes.eventing.knative.dev "x" not found'],
  ] as const) {
    expect(await kn(`eventtype ${line}`), line).toEqual({ exitCode: 1, stdout: '', stderr: `Error: ${said}\n${HINT}` })
  }
  expect(await client.list(eventTypeKind)).toEqual([])
})
