import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serviceAccountKeyOf } from '../../src/emulator/record.js'
import { secretKind } from '../../src/kinds/core/secret/kind.js'
import { serviceAccountKind } from '../../src/kinds/core/serviceaccount/kind.js'
import { makeHome, until } from '../support/daemon.js'
import { type Ran, run, startTestEmulator } from '../support/emulator.js'
import { findKubectls, findOldestAndNewest } from '../support/kubectl.js'

const HELLO = readFileSync(join(process.cwd(), 'templates', 'manifests', 'hello.yaml'), 'utf8')
const ROBOT = 'system:serviceaccount:default:robot'

type RunningEmulator = Awaited<ReturnType<typeof startTestEmulator>>

/** A kubeconfig that holds nothing but the server and a token, as `kubectl config` would make it. */
function kubeconfigWith(emulator: RunningEmulator, token: string): NodeJS.ProcessEnv {
  const path = join(emulator.directory, `kubeconfig-${token.length}-${token.slice(-8)}`)
  const server = `https://127.0.0.1:${emulator.ports.control}`
  const ca = Buffer.from(emulator.certificates.caCertificate).toString('base64')
  const named = (key: string, value: object): object[] => [{ name: 'x', [key]: value }]
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    clusters: named('cluster', { server, 'certificate-authority-data': ca }),
    users: named('user', { token }),
    contexts: named('context', { cluster: 'x', user: 'x', namespace: 'default' }),
  }
  writeFileSync(path, JSON.stringify(config))
  return { ...emulator.env, KUBECONFIG: path }
}

describe.each(findOldestAndNewest())('kubectl $version', ({ path, version }) => {
  let emulator: RunningEmulator
  const minor = Number(/^v1\.(\d+)/.exec(version)![1])
  const kubectl = (args: string, env?: NodeJS.ProcessEnv, input?: string): Promise<Ran> =>
    run(path, args.split(' '), env ?? emulator.env, input === undefined ? {} : { input })
  const ok = async (args: string, env?: NodeJS.ProcessEnv, input?: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubectl(args, env, input)
    expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' })
    return stdout
  }
  /** Through the API, for releases that cannot ask for one. */
  const tokenOf = async (name: string, spec: object = {}): Promise<string> => {
    const { transport, user } = emulator.client
    const address = { group: '', version: 'v1', plural: 'serviceaccounts', namespace: 'default', name, subresource: 'token' }
    const { object } = await transport.call({ user, verb: 'create', ...address, object: { spec } })
    return (object as unknown as { status: { token: string } }).status.token
  }

  beforeAll(async () => {
    emulator = await startTestEmulator()
    for (const name of ['robot', 'viewer', 'editor'])
      await ok('apply -f -', undefined, JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }))
    const binding = (name: string, account: string): object => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'default' }],
    })
    await ok('apply -f -', undefined, JSON.stringify(binding('view', 'viewer')))
    await ok('apply -f -', undefined, JSON.stringify(binding('edit', 'editor')))
  })
  afterAll(() => emulator.close())

  test('create token gives a credential that a kubeconfig can be made of', async () => {
    const token = minor >= 24 ? (await ok('create token viewer --duration 20m')).trim() : await tokenOf('viewer')
    const env = kubeconfigWith(emulator, token)
    expect(await ok('get pods,ksvc', env)).toBe('')
    const refused = await kubectl('create -f - --validate=false', env, HELLO)
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' })
    expect(refused.stderr).toContain(
      'Error from server (Forbidden): error when creating "STDIN": services.serving.knative.dev is forbidden: User "system:serviceaccount:default:viewer" cannot create resource "services" in API group "serving.knative.dev" in the namespace "default"',
    )
    expect(await kubectl('get pods -n kube-system', env)).toMatchObject({
      exitCode: 1,
      stderr:
        'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:default:viewer" cannot list resource "pods" in API group "" in the namespace "kube-system"\n',
    })
    expect((await kubectl('get secrets', env)).stderr).toContain('secrets is forbidden')
    expect((await kubectl('get nodes', env)).stderr).toContain('cannot list resource "nodes" in API group "" at the cluster scope')
  })

  test('edit can make and change what view can only see, but no roles', async () => {
    const env = kubeconfigWith(emulator, await tokenOf('editor'))
    expect(await ok('create -f - --validate=false', env, HELLO)).toBe('service.serving.knative.dev/hello created\n')
    await ok('wait --for=condition=Ready ksvc/hello --timeout=30s', env)
    const pod = (await ok('get pods -o name', env)).trim()
    await ok(`logs ${pod} -c user-container`, kubeconfigWith(emulator, await tokenOf('viewer')))
    expect(await ok('delete ksvc hello', env)).toBe('service.serving.knative.dev "hello" deleted\n')
    const role = JSON.stringify({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'r' }, rules: [] })
    expect((await kubectl('create -f - --validate=false', env, role)).stderr).toContain(
      'roles.rbac.authorization.k8s.io is forbidden: User "system:serviceaccount:default:editor" cannot create resource "roles" in API group "rbac.authorization.k8s.io" in the namespace "default"',
    )
  })

  test('--as is who one says, with the roles of whoever that is', async () => {
    expect((await kubectl(`get pods --as ${ROBOT}`)).stderr).toBe(
      `Error from server (Forbidden): pods is forbidden: User "${ROBOT}" cannot list resource "pods" in API group "" in the namespace "default"\n`,
    )
    expect(await ok('get ksvc --as system:serviceaccount:default:viewer')).toBe('')
    expect(await ok('get pods -A -o name --as bob --as-group system:masters')).toBe('')
    const env = kubeconfigWith(emulator, await tokenOf('viewer'))
    expect((await kubectl('get pods --as bob', env)).stderr).toContain(
      'users "bob" is forbidden: User "system:serviceaccount:default:viewer" cannot impersonate resource "users" in API group "" at the cluster scope',
    )
  })

  test('a role counts from the moment it is there, and no longer than it is', async () => {
    const env = kubeconfigWith(emulator, await tokenOf('robot'))
    const why = 'configmaps "cm" is forbidden: User "system:serviceaccount:default:robot" cannot get resource "configmaps"'
    const objects = {
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cm', namespace: 'default' } },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'Role',
          metadata: { name: 'one', namespace: 'default' },
          rules: [{ verbs: ['get'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['cm'] }],
        },
        {
          apiVersion: 'rbac.authorization.k8s.io/v1',
          kind: 'RoleBinding',
          metadata: { name: 'one', namespace: 'default' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'one' },
          subjects: [{ kind: 'ServiceAccount', name: 'robot' }],
        },
      ],
    }
    expect((await kubectl('get configmap cm', env)).stderr).toContain(why)
    await ok('apply -f -', undefined, JSON.stringify(objects))
    expect(await ok('get configmap cm -o name', env)).toBe('configmap/cm\n')
    expect((await kubectl('get configmap kube-root-ca.crt', env)).stderr).toContain('configmaps "kube-root-ca.crt" is forbidden')
    expect((await ok('get roles')).split('\n')[0]).toMatch(/^NAME +CREATED AT$/)
    expect(await ok('get rolebindings -o wide')).toMatch(
      /^NAME +ROLE +AGE +USERS +GROUPS +SERVICEACCOUNTS *\n(.*\n)*one +Role\/one +\S+ +\/robot *$/m,
    )
    await ok('delete role one')
    const { stderr } = await kubectl('get configmap cm', env)
    expect(stderr).toContain(`${why} in API group "" in the namespace "default": RBAC: role.rbac.authorization.k8s.io "one" not found`)
    await ok('delete rolebinding one')
  })

  test('a token that is forged, for someone else, or of an account that is gone is 401', async () => {
    const says = async (token: string): Promise<string> => (await kubectl('get pods', kubeconfigWith(emulator, token))).stderr
    const token = await tokenOf('viewer')
    const unauthorized = /error: You must be logged in to the server/
    expect(await says(`${token.slice(0, -4)}AAAA`)).toMatch(unauthorized)
    expect(await says(await tokenOf('viewer', { audiences: ['vault'] }))).toMatch(unauthorized)
    await emulator.client.create(serviceAccountKind, { metadata: { name: 'brief', namespace: 'default' } })
    const brief = await tokenOf('brief')
    expect(await says(brief)).toContain('cannot list resource "pods"')
    await emulator.client.delete(serviceAccountKind, { name: 'brief', namespace: 'default' })
    expect(await says(brief)).toMatch(unauthorized)
  })

  test('auth can-i answers for oneself and for others, and lists', async () => {
    const env = kubeconfigWith(emulator, await tokenOf('viewer'))
    expect(await ok('auth can-i list ksvc', env)).toBe('yes\n')
    expect(await kubectl('auth can-i create ksvc', env)).toMatchObject({ exitCode: 1, stdout: 'no\n' })
    expect(await ok('auth can-i create ksvc')).toBe('yes\n')
    expect(await kubectl(`auth can-i get pods --subresource log --as ${ROBOT}`)).toMatchObject({ exitCode: 1, stdout: 'no\n' })
    const list = await ok('auth can-i --list', env)
    expect(list).toMatch(/^selfsubjectaccessreviews\.authorization\.k8s\.io +\[\] +\[\] +\[create\]$/m)
    expect(list).toMatch(/^\*\.serving\.knative\.dev +\[\] +\[\] +\[get list watch\]$/m)
    expect(list).toMatch(/^ +\[\/healthz\] +\[\] +\[get\]$/m)
    if (minor >= 28)
      expect(await ok('auth whoami', env)).toMatch(
        /Username +system:serviceaccount:default:viewer\n(.*\n)*Groups +\[system:serviceaccounts /,
      )
  })

  test('the default roles are there, aggregated, with Knative’s', async () => {
    expect(await ok('get clusterroles cluster-admin admin edit view knative-serving-namespaced-admin -o name')).toContain(
      'clusterrole.rbac.authorization.k8s.io/admin\n',
    )
    expect(await ok('get clusterrole view -o jsonpath={.rules[*].apiGroups}')).toContain('serving.knative.dev')
    await ok(
      'apply -f -',
      undefined,
      JSON.stringify({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'more', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
        rules: [{ verbs: ['get'], apiGroups: ['example.dev'], resources: ['things'] }],
      }),
    )
    await until(async () => (await ok('get clusterrole admin -o jsonpath={.rules[*].apiGroups}')).includes('example.dev') || undefined)
    expect((await ok('get clusterrolebindings cluster-admin')).split('\n')[1]).toMatch(/^cluster-admin +ClusterRole\/cluster-admin +\S+ *$/)
  })
})

describe('an emulator’s service accounts', () => {
  let emulator: RunningEmulator
  beforeAll(async () => {
    emulator = await startTestEmulator()
    await emulator.settled()
  })
  afterAll(() => emulator.close())

  test('have tokens that others can verify, with the keys that the server publishes', async () => {
    const { transport, user } = emulator.client
    const address = { group: '', version: 'v1', plural: 'serviceaccounts', namespace: 'default', name: 'default', subresource: 'token' }
    const { object } = await transport.call({ user, verb: 'create', ...address, object: {} })
    const { token } = (object as unknown as { status: { token: string } }).status
    const read = (path: string): Promise<{ status: number; body: string }> =>
      new Promise((resolve, reject) => {
        const { port, ca } = { port: emulator.ports.control, ca: emulator.certificates.caCertificate }
        const headers = { authorization: `Bearer ${token}` }
        get({ host: '127.0.0.1', port, ca, path, headers, agent: false, servername: 'localhost' }, (response) => {
          let body = ''
          response.on('data', (bytes) => {
            body += bytes
          })
          response.on('end', () => resolve({ status: response.statusCode!, body }))
        }).on('error', reject)
      })
    const found = JSON.parse((await read('/.well-known/openid-configuration')).body) as { issuer: string; jwks_uri: string }
    expect(found).toMatchObject({
      issuer: 'https://kubernetes.default.svc.cluster.local',
      jwks_uri: `https://127.0.0.1:${emulator.ports.control}/openid/v1/jwks`,
    })
    const { keys } = JSON.parse((await read(new URL(found.jwks_uri).pathname)).body) as { keys: { kid: string; alg: string }[] }
    const header = JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string }
    expect(keys).toMatchObject([{ kid: header.kid, alg: 'ES256' }])
    expect(await read('/metrics')).toMatchObject({
      status: 403,
      body: expect.stringContaining('forbidden: User \\"system:serviceaccount:default:default\\" cannot get path \\"/metrics\\"'),
    })
  })

  test('get a Secret filled in that asks for their token, and take it away with them', async () => {
    const { client } = emulator
    const ref = { name: 'robot-token', namespace: 'default' }
    await client.create(serviceAccountKind, { metadata: { name: 'robot', namespace: 'default' } })
    const annotations = { 'kubernetes.io/service-account.name': 'robot' }
    await client.create(secretKind, { metadata: { ...ref, annotations }, type: 'kubernetes.io/service-account-token' })
    const secret = await until(async () => {
      const found = await client.get(secretKind, ref)
      return found.data?.['token'] ? found : undefined
    })
    const text = (key: string): string => Buffer.from(secret.data![key]!, 'base64').toString()
    expect([text('namespace'), text('ca.crt')]).toEqual(['default', emulator.certificates.caCertificate])
    expect(secret.metadata.annotations?.['kubernetes.io/service-account.uid']).toMatch(/^[0-9a-f-]{36}$/)
    const [kubectl] = findKubectls()
    if (kubectl) {
      const { stderr } = await run(kubectl.path, ['get', 'pods'], kubeconfigWith(emulator, text('token')))
      expect(stderr).toContain(`User "${ROBOT}" cannot list resource "pods"`)
    }
    await client.delete(serviceAccountKind, { name: 'robot', namespace: 'default' })
    await until(async () => (await client.find(secretKind, ref)) === undefined || undefined)
  })
})

test('an instance of an older kn gets a key for tokens, once', () => {
  const home = makeHome()
  const paths = { directory: home.directory, record: join(home.directory, 'instance.json') } as Parameters<typeof serviceAccountKeyOf>[1]
  const record = { format: 1, name: 'default' } as Parameters<typeof serviceAccountKeyOf>[0]
  const key = serviceAccountKeyOf(record, paths)
  expect(key).toContain('BEGIN PRIVATE KEY')
  const written = JSON.parse(readFileSync(paths.record, 'utf8')) as typeof record
  expect(written).toEqual({ ...record, serviceAccountKey: key })
  expect(serviceAccountKeyOf(written, paths)).toBe(key)
  return home.remove()
})
