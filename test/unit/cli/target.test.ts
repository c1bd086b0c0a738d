import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { TargetFlags } from '../../../src/cli/kn-command.js'
import { resolveTarget } from '../../../src/cli/target.js'
import { A_KUBECONFIG, emulatorKubeconfig } from '../client/kubeconfigs.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kn-target-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(home, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  return path
}

async function resolved(flags: TargetFlags = {}, env: NodeJS.ProcessEnv = {}) {
  const started: string[] = []
  const ensureEmulator = async (name: string) => {
    started.push(name)
    return { kubeconfig: file('emulator-kubeconfig', emulatorKubeconfig()) }
  }
  const access = await resolveTarget(flags, { env, home, ensureEmulator, parseYaml: parse })
  return { server: access.cluster.server, context: access.context, namespace: access.namespace, as: access.user.as, started }
}

const NO_KUBECONFIG = 'no kubeconfig has been provided, please use a valid configuration to connect to the cluster'

test('with nothing configured the emulator is started', async () => {
  expect(await resolved()).toMatchObject({ server: 'https://127.0.0.1:19443', started: ['default'] })
})

test('~/.kube/config is used where it names a current context, and KUBECONFIG and --kubeconfig come before it', async () => {
  file('.kube/config', A_KUBECONFIG)
  const other = file('other', A_KUBECONFIG.replaceAll('prod.example.com', 'other.example.com'))
  expect(await resolved()).toMatchObject({ server: 'https://prod.example.com:6443', context: 'prod', namespace: 'shop', started: [] })
  expect(await resolved({}, { KUBECONFIG: other })).toMatchObject({ server: 'https://other.example.com:6443' })
  expect(await resolved({ kubeconfig: other }, { KUBECONFIG: '/nonexistent' })).toMatchObject({ server: 'https://other.example.com:6443' })
})

test('--context, --cluster and --as take the place of what the kubeconfig says', async () => {
  file('.kube/config', A_KUBECONFIG)
  expect(await resolved({ context: 'test' })).toMatchObject({ server: 'https://10.0.0.1', namespace: undefined })
  expect(await resolved({ cluster: 'test', as: 'me' })).toMatchObject({ server: 'https://10.0.0.1', namespace: 'shop', as: 'me' })
})

test.each([
  ['a kubeconfig that is missing', {}, { KUBECONFIG: '/nonexistent' }],
  ['an empty KUBECONFIG', {}, { KUBECONFIG: '' }],
  ['an empty --kubeconfig', { kubeconfig: '' }, {}],
  ['CI', {}, { CI: 'true' }],
])('%s is never answered with an emulator, unless KN_EMULATOR=1', async (_, flags, env) => {
  await expect(resolved(flags, env)).rejects.toThrow(NO_KUBECONFIG)
  expect(await resolved(flags, { ...env, KN_EMULATOR: '1' })).toMatchObject({ started: ['default'] })
})

test('clusters without a current context are a choice that was not made', async () => {
  file('.kube/config', A_KUBECONFIG.replace('current-context: prod\n', ''))
  await expect(resolved()).rejects.toThrow(NO_KUBECONFIG)
})

test('an emulator is started by the name of its context, also in CI', async () => {
  expect(await resolved({ context: 'kn-emulator-other' }, { CI: '1' })).toMatchObject({ started: ['other'] })
  expect(await resolved({ context: 'kn-emulator' }, { KUBECONFIG: '/nonexistent' })).toMatchObject({ started: ['default'] })
})

test('a context of the emulator that the kubeconfig knows is used as it is', async () => {
  file('.kube/config', emulatorKubeconfig({ server: 'https://127.0.0.1:1' }))
  expect(await resolved()).toMatchObject({ server: 'https://127.0.0.1:1', started: [] })
})

test.each([
  [{ context: 'nope' }, 'context "nope" does not exist'],
  [{ cluster: 'nope' }, 'cluster "nope" does not exist'],
  [{ kubeconfig: '/nope' }, "can not find config file: '/nope'"],
  [
    { kubeconfig: '/a:/b' },
    "can not find config file. '/a:/b' looks like a path. Please use the env var KUBECONFIG if you want to check for multiple configuration files",
  ],
])('%j is refused: %s', async (flags, message) => {
  file('.kube/config', A_KUBECONFIG)
  await expect(resolved(flags)).rejects.toThrow(message)
})
