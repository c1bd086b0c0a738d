import { expect } from 'vitest'
import { revisionKind } from '../../src/kinds/revision/kind.js'
import { serviceKind } from '../../src/kinds/service/kind.js'
import { fetchFrom, HELLO_IMAGE, test } from '../support/emulator.js'
import { eventually, eventuallyNone } from '../support/objects.js'

/** What kn says where the API server warned; kn hands every warning on to standard error. */
const INSECURE = /^Warning: Kubernetes default value is insecure.*\n$/

test('service create waits, shows the progress and ends with the URL, which answers', async ({ kn, emulator }) => {
  const { exitCode, stdout, stderr } = await kn(['service', 'create', 'hello', '--image', HELLO_IMAGE, '--env', 'TARGET=World'])
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringMatching(INSECURE) })
  const lines = stdout.trimEnd().split('\n')
  expect(lines.slice(0, 2)).toEqual(["Creating service 'hello' in namespace 'default':", ''])
  expect(
    lines.slice(2, -3).every((line) => /^ {2}\d\.\d{3}s \S/.test(line)),
    stdout,
  ).toBe(true)
  expect(lines.at(-4)).toMatch(/^ {2}\d\.\d{3}s Ready to serve\.$/)
  expect(lines.slice(-3)).toEqual([
    '',
    "Service 'hello' created to latest revision 'hello-00001' is available at URL:",
    `http://hello.default.localhost:${emulator.ports.external}`,
  ])
  expect((await fetchFrom(lines.at(-1)!)).body).toBe('Hello World!\n')
})

test('service list shows the columns of kn, sorted; with -o the machine formats; without services a sentence', async ({ kn, emulator }) => {
  expect(await kn('service list')).toEqual({ exitCode: 0, stdout: 'No services found.\n', stderr: '' })
  for (const name of ['b', 'a']) await kn(['service', 'create', name, '--image', HELLO_IMAGE])
  const url = (name: string): string => `http://${name}.default.localhost:${emulator.ports.external}`
  expect((await kn('service list')).stdout.replaceAll(/ \ds /g, ' 0s ')).toBe(
    `NAME   URL                                ${' '.repeat(String(emulator.ports.external).length - 5)}LATEST    AGE   CONDITIONS   READY   REASON\n` +
      `a      ${url('a')}   a-00001   0s    3 OK / 3     True    \n` +
      `b      ${url('b')}   b-00001   0s    3 OK / 3     True    \n`,
  )
  expect((await kn('service ls a --no-headers -A')).stdout).toMatch(/^default {3}a {5}http/)
  expect((await kn('service list -o name')).stdout).toBe('service.serving.knative.dev/a\nservice.serving.knative.dev/b\n')
  expect((await kn(['service', 'list', '-o', 'jsonpath={.items[*].metadata.name}'])).stdout).toBe('a b')
  const list = JSON.parse((await kn('service list -ojson')).stdout) as { apiVersion: string; kind: string; items: object[] }
  expect(list).toMatchObject({ apiVersion: 'serving.knative.dev/v1', kind: 'ServiceList' })
  expect(list.items).toHaveLength(2)
})

test('service update makes a revision, revision list and route list show it', async ({ kn, emulator }) => {
  await kn(['service', 'create', 'hello', '--image', HELLO_IMAGE])
  const updated = await kn(['service', 'update', 'hello', '--env', 'TARGET=You'])
  expect(updated.exitCode).toBe(0)
  expect(updated.stdout).toMatch(/^Updating Service 'hello' in namespace 'default':\n\n/)
  expect(updated.stdout.split('\n').slice(-3)).toEqual([
    "Service 'hello' updated to latest revision 'hello-00002' is available at URL:",
    `http://hello.default.localhost:${emulator.ports.external}`,
    '',
  ])
  expect((await kn('revision list')).stdout.replaceAll(/ \ds /g, ' 0s ')).toBe(
    'NAME          SERVICE   TRAFFIC   TAGS   GENERATION   AGE   CONDITIONS   READY   REASON\n' +
      'hello-00002   hello     100%             2            0s    4 OK / 4     True    \n' +
      'hello-00001   hello                      1            0s    4 OK / 4     True    \n',
  )
  expect((await kn('route list')).stdout).toBe(
    `NAME    URL                                    READY\nhello   http://hello.default.localhost:${emulator.ports.external}   True\n`,
  )
})

test('service describe shows the layout of kn', async ({ kn, emulator, clock }) => {
  await kn(['service', 'create', 'hello', '--image', HELLO_IMAGE, '--env', 'TARGET=World'])
  // Until the autoscaler has looked for the first time nobody knows how many Pods are wanted.
  await clock.advance(2000)
  const { exitCode, stdout } = await kn('service describe hello')
  expect(exitCode).toBe(0)
  const text = stdout
    .replaceAll(/\(pinned to [0-9a-f]{6}\)/g, '(pinned to DIGEST)')
    .replace(/Local URL: {2}http:\/\/localhost:\d+/, 'Local URL:  http://localhost:LOCAL')
    .replaceAll(/\b\ds\b/g, '0s')
  expect(text).toBe(
    [
      'Name:       hello',
      'Namespace:  default',
      'Age:        0s',
      `URL:        http://hello.default.localhost:${emulator.ports.external}`,
      'Local URL:  http://localhost:LOCAL',
      '',
      'Revisions:  ',
      '  100%  @latest (hello-00001) [1] (0s)',
      '        Image:     ghcr.io/knative/helloworld-go (pinned to DIGEST)',
      '        Replicas:  1/1',
      '',
      'Conditions:  ',
      '  OK TYPE                   AGE REASON',
      '  ++ Ready                   0s ',
      '  ++ ConfigurationsReady     0s ',
      '  ++ RoutesReady             0s ',
      '',
    ].join('\n'),
  )
  expect((await kn('service describe hello -o url')).stdout.trim()).toBe(`http://hello.default.localhost:${emulator.ports.external}`)
})

test('service delete says what it deleted; one that is missing is the server’s own word and fails', async ({ kn, client }) => {
  await kn(['service', 'create', 'hello', '--image', HELLO_IMAGE])
  expect(await kn('service delete hello')).toEqual({
    exitCode: 0,
    stdout: "Service 'hello' successfully deleted in namespace 'default'.\n",
    stderr: '',
  })
  const again = await kn('service delete hello')
  expect(again).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `Error: services.serving.knative.dev "hello" not found\nRun 'kn --help' for usage\n`,
  })
  await eventuallyNone(client, [serviceKind, revisionKind], 'hello')
})

test('an image that cannot run here fails the wait with Knative’s reason', async ({ kn }) => {
  const { exitCode, stdout, stderr } = await kn(['service', 'create', 'other', '--image', 'docker.io/library/nginx'])
  expect(exitCode).toBe(1)
  expect(stdout).toContain("Creating service 'other' in namespace 'default':")
  expect(stderr).toMatch(
    /^Error: RevisionFailed: Revision "other-00001" failed with message: Unable to fetch image "docker\.io\/library\/nginx": .*\.$/m,
  )
  expect(stdout).not.toContain('available at URL')
})

test('a program that ends fails the wait with its exit and its last words', async ({ kn }) => {
  const { exitCode, stderr } = await kn([
    'service',
    'create',
    'crash',
    '--image',
    'kn.local/shell',
    '--cmd',
    'sh',
    '--arg',
    '-c',
    '--arg',
    'echo out of luck; exit 3',
  ])
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/^Error: RevisionFailed: Revision "crash-00001" failed with message: Container failed with: out of luck\n?\.?/m)
})

test('what a person gets wrong is told in kn’s words, with exit code 1, and nothing is made', async ({ kn, client }) => {
  const cases: [string[], string][] = [
    [['service', 'create'], "Error: 'service create' requires the service name given as single argument\nRun 'kn --help' for usage\n"],
    [
      ['service', 'create', 'x'],
      "Error: 'service create' requires the image name to run provided with the --image option\nRun 'kn --help' for usage\n",
    ],
    [
      ['service', 'create', 'x', '--image'],
      "Error: flag needs an argument: --image for 'kn service create'\nRun 'kn service create --help' for usage\n",
    ],
    [
      ['service', 'create', 'x', '--imag', 'y'],
      "Error: unknown flag: --imag for 'kn service create'\nRun 'kn service create --help' for usage\n",
    ],
    [['service', 'list', '-z'], "Error: unknown shorthand flag: 'z' in -z for 'kn service list'\nRun 'kn service list --help' for usage\n"],
    [
      ['service', 'lst'],
      expect.stringMatching(
        /^Error: unknown sub-command 'lst' for 'kn service'\. Available sub-commands: .*\nRun 'kn service --help' for usage\n$/,
      ),
    ],
    [
      ['service'],
      expect.stringMatching(
        /^Error: no sub-command given for 'kn service'\. Available sub-commands: .*\nRun 'kn service --help' for usage\n$/,
      ),
    ],
    [['servce'], `Error: unknown command "servce" for "kn"\n\nDid you mean this?\n\tservice\n\nRun 'kn --help' for usage\n`],
    [['service', 'describe', 'ghost'], `Error: services.serving.knative.dev "ghost" not found\nRun 'kn --help' for usage\n`],
    [['service', 'update', 'ghost', '--env', 'a=b'], `Error: services.serving.knative.dev "ghost" not found\nRun 'kn --help' for usage\n`],
    [
      ['service', 'create', 'Not_A_Name', '--image', HELLO_IMAGE],
      expect.stringMatching(
        /^Error: Service\.serving\.knative\.dev "Not_A_Name" is invalid: metadata\.name: Invalid value: "Not_A_Name": a lowercase RFC 1123/m,
      ),
    ],
    [
      ['service', 'create', 'a.b', '--image', HELLO_IMAGE],
      expect.stringMatching(
        /^Error: admission webhook "validation\.webhook\.serving\.knative\.dev" denied the request: validation failed: not a DNS 1035 label: .*metadata\.name$/m,
      ),
    ],
    [
      ['service', 'create', 'x', '--image', HELLO_IMAGE, '--env', 'novalue'],
      expect.stringContaining('argument requires a value that contains the "=" character'),
    ],
  ]
  for (const [args, stderr] of cases) {
    const ran = await kn(args)
    expect({ args, exitCode: ran.exitCode, stdout: ran.stdout, stderr: ran.stderr.replace(/^Warning: .*\n/gm, '') }).toEqual({
      args,
      exitCode: 1,
      stdout: '',
      stderr,
    })
    expect(ran.stderr).not.toMatch(/\n\s+at /)
  }
  expect(await client.list(serviceKind)).toEqual([])
})

test('create of a service that exists is refused, and replaces it with --force', async ({ kn }) => {
  await kn(['service', 'create', 'hello', '--image', HELLO_IMAGE, '--no-wait'])
  const refused = await kn(['service', 'create', 'hello', '--image', HELLO_IMAGE])
  expect(refused.stderr).toContain(
    "Error: cannot create service 'hello' in namespace 'default' because the service already exists and no --force option was given\n",
  )
  const forced = await kn(['service', 'create', 'hello', '--image', HELLO_IMAGE, '--env', 'TARGET=Force', '--force'])
  expect(forced.exitCode).toBe(0)
  expect(forced.stdout).toContain("Replacing service 'hello' in namespace 'default':")
})

test('--no-wait returns at once with kn’s sentence; the service becomes ready all the same', async ({ kn, client }) => {
  const { exitCode, stdout } = await kn(['service', 'create', 'hello', '--image', HELLO_IMAGE, '--no-wait'])
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "Service 'hello' created in namespace 'default'.\n" })
  await eventually(client, serviceKind, 'hello', { status: 'True' })
})

test('image list names the images that run here', async ({ kn }) => {
  const { exitCode, stdout } = await kn('image list')
  expect(exitCode).toBe(0)
  expect(stdout).toMatch(/^REPOSITORY +TYPE +ENVIRONMENT +DESCRIPTION\n/)
  for (const image of [
    'ghcr.io/knative/helloworld-go',
    'gcr.io/knative-samples/helloworld-go',
    'docker.io/openshift/hello-openshift',
    'quay.io/mavazque/reversewords',
  ]) {
    expect(stdout).toContain(image)
  }
})

test('the sample images answer as their originals do', async ({ kn, emulator }) => {
  const url = (name: string): string => `http://${name}.default.localhost:${emulator.ports.external}`
  await kn(['service', 'create', 'openshift', '--image', 'docker.io/openshift/hello-openshift', '--env', 'RESPONSE=Hi there'])
  expect((await fetchFrom(url('openshift'))).body).toBe('Hi there\n')
  await kn(['service', 'create', 'reverse', '--image', 'quay.io/mavazque/reversewords', '--env', 'RELEASE=blue'])
  expect((await fetchFrom(url('reverse'))).body).toContain('blue')
  expect((await fetchFrom(url('reverse'), { method: 'POST', body: '{"word":"PALC"}' })).body.trim()).toBe('{"reverse_word":"CLAP"}')
  await kn(['service', 'create', 'autoscale', '--image', 'ghcr.io/knative/autoscale-go'])
  expect((await fetchFrom(`${url('autoscale')}/?sleep=10&prime=10000&bloat=5`)).body).toMatch(
    /Allocated 5 Mb of memory\.\nThe largest prime less than 10000 is 9973\.\nSlept for 1\d\.\d\d milliseconds\./,
  )
})
