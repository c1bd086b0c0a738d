import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { accessFrom, beyondLightReader, inClusterAccess, readKubeconfigs } from '../../../src/client/kubeconfig.js'
import { A_KUBECONFIG, emulatorKubeconfig } from './kubeconfigs.js'

const read = (files: Record<string, string>, paths = Object.keys(files)) =>
  readKubeconfigs(paths, { readFile: (path) => files[path], parseYaml: (text) => parse(text) as unknown })

test('the current context gives server, namespace and user, and relative paths begin at the file', async () => {
  const access = accessFrom(await read({ '/home/me/.kube/config': A_KUBECONFIG }))
  expect(access).toMatchObject({
    context: 'prod',
    namespace: 'shop',
    cluster: { server: 'https://prod.example.com:6443', 'certificate-authority': '/home/me/.kube/pki/ca.crt' },
    user: { 'client-certificate-data': 'QUJD', 'client-key-data': 'REVG' },
  })
})

test('of several files the first to name an entry wins, and missing ones are passed over', async () => {
  const config = await read({ '/b': A_KUBECONFIG.replaceAll('prod.example', 'second.example'), '/a': A_KUBECONFIG }, ['/none', '/a', '/b'])
  expect(accessFrom(config)?.cluster.server).toBe('https://prod.example.com:6443')
})

test('a file without contexts chooses nothing', async () => {
  expect(accessFrom(await read({ '/a': '' }))).toBeUndefined()
  expect(accessFrom(await read({ '/a': 'apiVersion: v1\nkind: Config\nclusters: null\n' }))).toBeUndefined()
})

test.each([
  ['current-context: gone', 'context was not found for specified context: gone'],
  ['current-context: c\ncontexts: [{name: c, context: {cluster: gone}}]', 'cluster "gone" does not exist'],
  [
    'current-context: c\ncontexts: [{name: c, context: {cluster: a, user: gone}}]\nclusters: [{name: a, cluster: {server: https://x}}]',
    'auth info "gone" does not exist',
  ],
  [
    'current-context: c\ncontexts: [{name: c, context: {cluster: a}}]\nclusters: [{name: a}]',
    'invalid configuration: no server found for cluster "a"',
  ],
])('%j is refused: %s', async (text, message) => {
  const config = await read({ '/a': text })
  expect(() => accessFrom(config)).toThrow(message)
})

test('what is no YAML or no kubeconfig is named with its file', async () => {
  await expect(read({ '/a': '{x: [' })).rejects.toThrow('error loading config file "/a": ')
  await expect(read({ '/a': '- 1' })).rejects.toThrow('error loading config file "/a": it is not a kubeconfig')
})

test('the extension of the emulator tells the instance and its socket', async () => {
  expect(accessFrom(await read({ '/a': emulatorKubeconfig({ socket: '/run/api.sock' }) }))?.emulator).toEqual({
    instance: 'default',
    socket: '/run/api.sock',
  })
  expect(accessFrom(await read({ '/a': A_KUBECONFIG }))?.emulator).toBeUndefined()
})

test('impersonation flags come before those of the user entry', async () => {
  const access = accessFrom(await read({ '/a': A_KUBECONFIG }), { as: 'jane', asUid: '7', asGroups: ['dev', 'ops'] })
  expect(access?.user).toMatchObject({ as: 'jane', 'as-uid': '7', 'as-groups': ['dev', 'ops'] })
})

test('in a Pod the mounted service account is used', () => {
  const files: Record<string, string> = {
    '/var/run/secrets/kubernetes.io/serviceaccount/token': 't',
    '/var/run/secrets/kubernetes.io/serviceaccount/namespace': 'jobs\n',
  }
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  expect(inClusterAccess(env, (path) => files[path])).toMatchObject({ namespace: 'jobs', cluster: { server: 'https://[fd00::1]:443' } })
  expect(inClusterAccess({}, (path) => files[path])).toBeUndefined()
  expect(inClusterAccess(env, () => undefined)).toBeUndefined()
})

test('logins of cloud providers and proxies are left to the full library', async () => {
  const access = accessFrom(await read({ '/a': A_KUBECONFIG }))!
  expect(beyondLightReader(access)).toBeUndefined()
  expect(beyondLightReader({ ...access, user: { 'auth-provider': { name: 'oidc' } } })).toBe('auth-provider oidc')
  expect(beyondLightReader({ ...access, cluster: { ...access.cluster, 'proxy-url': 'http://p' } })).toBe('proxy-url')
})
